/** Following a session: one connection after another, each as frames to wait for. */

import { ApiError, ConnectionLost, NotFound, TooManyRequests, Unauthenticated, Unavailable } from "./errors.js";
import { SessionRecord } from "./record.js";
import { Backoff, sleep } from "./waiting.js";

/** @typedef {import("./types.js").AgentMessageDelta} AgentMessageDelta */
/** @typedef {import("./types.js").Event} Event */
/**
 * The part of a WebSocket that is used; the browser's, Node's (22 and later) and the package `ws`
 * have it.
 * @typedef {object} SocketLike
 * @property {(data: string) => void} send
 * @property {(code?: number) => void} close
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 */
/** @typedef {new (url: string) => SocketLike} SocketClass */

/**
 * @typedef {object} Following
 * @property {import("./http.js").Http} http
 * @property {string} wsUrl
 * @property {number} pingSeconds
 * @property {number} patienceSeconds
 * @property {(open: boolean) => void} [onConnection]
 * @property {SocketClass} [WebSocket]
 */

/** The worst cold start of the functions behind a handshake or a frame. A test shortens it. */
export const limits = { answerSeconds: 30 };

/**
 * The events of a session behind `after`, over as many connections as it takes.
 * @param {Following} following
 * @param {string} sessionId
 * @param {number} after
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<Event | AgentMessageDelta, void, void>}
 */
export async function* follow(following, sessionId, after, signal) {
  const record = new SessionRecord(sessionId, after);
  const backoff = new Backoff();
  const heard = { at: Date.now() };
  for (;;) {
    let lost;
    try {
      for await (const event of connection(following, record, heard, signal)) {
        backoff.reset();
        yield event;
      }
    } catch (error) {
      if (!isPassing(error)) throw error;
      lost = error;
    }
    signal?.throwIfAborted();
    await expect(following, sessionId, signal);
    if (Date.now() - heard.at > following.patienceSeconds * 1000) {
      throw new ConnectionLost(`no connection for ${following.patienceSeconds} seconds`, { cause: lost });
    }
    await sleep(backoff.next(), signal);
  }
}

/**
 * The new events of one connection. Throws when it ends.
 * @param {Following} following
 * @param {SessionRecord} record
 * @param {{ at: number }} heard
 * @param {AbortSignal} [signal]
 */
async function* connection(following, record, heard, signal) {
  const { WebSocket = globalThis.WebSocket, onConnection = () => {} } = following;
  if (!WebSocket) throw new TypeError("this Node.js has no WebSocket; pass one, such as that of the package ws");
  const query = new URLSearchParams({ task_id: crypto.randomUUID() });
  // A browser cannot send the token as a header.
  const token = await following.http.bearer();
  if (token) query.set("token", token);
  signal?.throwIfAborted();
  const socket = new Socket(WebSocket, `${following.wsUrl}?${query}`, signal);
  let open = false;
  try {
    await socket.opened();
    socket.send(record.reconnected());
    open = true;
    onConnection(true);
    for (;;) {
      const { event, reply } = record.take(await socket.next(following.pingSeconds));
      heard.at = Date.now();
      if (reply) socket.send(reply);
      if (event) yield event;
    }
  } finally {
    socket.close();
    if (open) onConnection(false);
  }
}

/**
 * Asks by HTTP why a socket does not open, because a browser gives no reason.
 * @param {Following} following
 * @param {string} sessionId
 * @param {AbortSignal} [signal]
 */
async function expect({ http }, sessionId, signal) {
  const path = `/api/sessions/${encodeURIComponent(sessionId)}`;
  try {
    await http.call({ method: "GET", path, attempts: 2, signal });
  } catch (error) {
    // A gateway that starts, or that lost its routes, has a 404 of its own.
    if (error instanceof NotFound && error.code !== "session_not_found") return;
    if (!isPassing(error) || error instanceof Unauthenticated) throw error;
  }
}

/**
 * Whether another connection may succeed.
 * @param {unknown} error
 */
function isPassing(error) {
  if (error instanceof ApiError) {
    return error instanceof Unauthenticated || error instanceof Unavailable || error instanceof TooManyRequests;
  }
  return error instanceof ConnectionLost;
}

/** One connection. */
class Socket {
  /** @type {any[]} */
  #frames = [];
  /** @type {Error | undefined} */
  #lost;
  #open = false;
  #wake = () => {};

  /**
   * @param {SocketClass} WebSocket
   * @param {string} url
   * @param {AbortSignal} [signal]
   */
  constructor(WebSocket, url, signal) {
    this.signal = signal;
    this.socket = new WebSocket(url);
    this.socket.onopen = () => {
      this.#open = true;
      this.#wake();
    };
    this.socket.onmessage = ({ data }) => {
      try {
        this.#frames.push(JSON.parse(data));
        this.#wake();
      } catch {
        this.#fail("a frame is no JSON");
      }
    };
    this.socket.onclose = ({ code }) => this.#fail(`the socket was closed with ${code}`);
    // A browser gives no reason; `close` follows.
    this.socket.onerror = (event) => this.#fail(event?.message || "the socket failed");
    signal?.addEventListener("abort", this.#aborted);
  }

  /** Waits until the connection is open. */
  async opened() {
    if (!(await this.#until(() => this.#open, limits.answerSeconds))) this.#fail("the handshake has no answer");
    if (this.#lost) throw this.#lost;
  }

  /**
   * The next frame; a quiet connection is asked whether it lives.
   * @param {number} quietSeconds
   * @returns {Promise<any>}
   */
  async next(quietSeconds) {
    const arrived = () => this.#frames.length > 0;
    if (!(await this.#until(arrived, quietSeconds))) {
      this.send({ type: "ping" });
      if (!(await this.#until(arrived, limits.answerSeconds))) this.#fail("a ping has no answer");
    }
    // What came before the end counts.
    if (!arrived() && this.#lost) throw this.#lost;
    return this.#frames.shift();
  }

  /** @param {object} frame */
  send(frame) {
    this.socket.send(JSON.stringify(frame));
  }

  close() {
    this.signal?.removeEventListener("abort", this.#aborted);
    this.#fail("closed");
    this.socket.close();
  }

  #aborted = () => {
    this.#lost = this.signal?.reason;
    this.#frames = [];
    this.#wake();
  };

  /** @param {string} reason */
  #fail(reason) {
    this.#lost ??= new ConnectionLost(reason);
    this.#wake();
  }

  /**
   * Waits for a condition or the end of the connection; false when the time is over.
   * @param {() => boolean} holds
   * @param {number} seconds
   * @returns {Promise<boolean>}
   */
  #until(holds, seconds) {
    return new Promise((resolve) => {
      const done = (/** @type {boolean} */ result) => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve(result);
      };
      const timer = setTimeout(() => done(false), seconds * 1000);
      this.#wake = () => (holds() || this.#lost) && done(true);
      this.#wake();
    });
  }
}
