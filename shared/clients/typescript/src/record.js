/**
 * The rule of `seq`, without any I/O: every event of a session once, in order, without a gap.
 *
 * The client applies the event whose `seq` is its last one plus 1, drops lower ones, and asks again
 * after a gap. `pong` and `replay_end` tell the session's last event, so that a lost one is noticed
 * although nothing follows it.
 */

import { CursorAhead, errorOfFrame } from "./errors.js";

/** @typedef {import("./types.js").Event} Event */
/** @typedef {import("./types.js").AgentMessageDelta} AgentMessageDelta */
/** @typedef {{ type: "subscribe", session_id: string, after: number }} Subscribe */

const DELTA = "agent_message_delta";

/** How far a client has applied the record of a session. */
export class SessionRecord {
  /** Where the last gap was; it is asked for once. A pong asks again, should the request be lost. */
  #asked = -1;

  /**
   * @param {string} sessionId
   * @param {number} last
   */
  constructor(sessionId, last) {
    this.sessionId = sessionId;
    this.last = last;
  }

  /**
   * What a frame means: the event to apply and the frame to send; either may be missing. Throws
   * `CursorAhead`, and the error of an `error` frame.
   * @param {any} frame
   * @returns {{ event?: Event | AgentMessageDelta, reply?: Subscribe }}
   */
  take(frame) {
    const { event_type: kind, seq, data, session_id: session } = frame;
    // API Gateway's own frame, such as {"message": "Internal server error", …}.
    if (kind === undefined) return {};
    if (kind === "pong") {
      // A connection that follows nothing has lost its `subscribe`.
      const behind = session !== this.sessionId || data.last_seq > this.last;
      return behind ? { reply: this.subscribe() } : {};
    }
    if (kind === "error" && seq === null) throw errorOfFrame(data);
    if (session !== this.sessionId) return {};
    if (kind === "replay_end") {
      if (data.cursor_ahead) {
        throw new CursorAhead(`the record ends with ${data.last_seq}, before ${this.last}`);
      }
      return data.last_seq > this.last ? this.#askOnce() : {};
    }
    if (seq === null) return kind === DELTA ? { event: frame } : {};
    if (seq > this.last + 1) return this.#askOnce();
    if (seq <= this.last) return {};
    this.last = seq;
    return { event: frame };
  }

  /** @returns {Subscribe} */
  subscribe() {
    this.#asked = this.last;
    return { type: "subscribe", session_id: this.sessionId, after: this.last };
  }

  /** The first frame of a new connection. What it misses is asked for again. */
  reconnected() {
    const frame = this.subscribe();
    this.#asked = -1;
    return frame;
  }

  /** `subscribe`, unless the same gap was asked for. */
  #askOnce() {
    return this.#asked === this.last ? {} : { reply: this.subscribe() };
  }
}

/**
 * The text of the message that an agent is writing, from its deltas.
 *
 * Deltas may be lost or come twice. A recorded `agent_message` with the same `message_id` replaces
 * the text. Offsets count Unicode characters, not UTF-16 units.
 */
export class LiveText {
  /** @type {string | undefined} */
  messageId;
  agent = "";
  /** @type {string | null} */
  nodeId = null;
  text = "";
  /** In characters. */
  #length = 0;

  /**
   * Applies an event; whether the text has changed. After a lost delta it stays as it is until the
   * message comes.
   * @param {Event | AgentMessageDelta} event
   * @returns {boolean}
   */
  take(event) {
    /** @type {any} */
    const data = event.data;
    if (event.event_type === "agent_message" && data.message_id != null) {
      this.#begin(data, data.message);
      return true;
    }
    if (event.event_type !== DELTA) return false;
    if (data.message_id !== this.messageId) this.#begin(data, "");
    const piece = [...data.text];
    if (data.offset > this.#length || data.offset + piece.length <= this.#length) return false;
    // Only what goes beyond the text; the rest came before.
    this.text += piece.slice(this.#length - data.offset).join("");
    this.#length = data.offset + piece.length;
    return true;
  }

  /**
   * @param {any} data
   * @param {string} text
   */
  #begin(data, text) {
    this.messageId = data.message_id;
    this.agent = data.agent;
    this.nodeId = data.node_id ?? null;
    this.text = text;
    this.#length = [...text].length;
  }
}
