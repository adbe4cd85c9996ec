/** The client of both APIs. */

import { Conflict, CursorAhead, errorOfReply, NotFound } from "./errors.js";
import { Http, whole } from "./http.js";
import { follow } from "./socket.js";
import { Backoff, sleep } from "./waiting.js";

/** @typedef {import("./types.js").AgentMessageDelta} AgentMessageDelta */
/** @typedef {import("./types.js").Approval} Approval */
/** @typedef {import("./types.js").Artifact} Artifact */
/** @typedef {import("./types.js").Detail} Detail */
/** @typedef {import("./types.js").Event} Event */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Mode} Mode */
/** @typedef {import("./types.js").Modifications} Modifications */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Summary} Summary */
/** Keys that this version does not know are allowed. @typedef {import("./types.js").Config & { [key: string]: unknown }} Config */
/**
 * @typedef {object} ClientOptions
 * @property {string} httpUrl
 * @property {string} wsUrl
 * @property {import("./http.js").Token} [token] The local stack needs none.
 * @property {(open: boolean) => void} [onConnection] Hears when a followed session's socket opens and
 *   when it is lost.
 * @property {number} [pingSeconds] A socket that is quiet this long is asked for the session's last
 *   event. Default: 10.
 * @property {number} [patienceSeconds] How long `follow` tries to reach the server before it throws
 *   `ConnectionLost`. Default: 300; a page may say Infinity.
 * @property {typeof fetch} [fetch] Another `fetch`.
 * @property {import("./socket.js").SocketClass} [WebSocket] Node.js 20 has none: `ws` has one.
 */
/** Gives up waiting; the run goes on. @typedef {{ signal?: AbortSignal }} Abortable */
/** The same key and arguments do a thing once, for 24 hours. @typedef {{ idempotencyKey?: string }} Once */

/** @type {ReadonlyArray<string>} */
const LAST_EVENTS = ["complete", "error", "workflow_cancelled"];
const PAGE_OF_EVENTS = 500;
const UPLOAD_ATTEMPTS = 5;

export class Client {
  #http;
  #options;

  /** @param {ClientOptions} options */
  constructor(options) {
    const { httpUrl, wsUrl, token, fetch = globalThis.fetch.bind(globalThis) } = options;
    if (!/^https?:/.test(httpUrl) || !/^wss?:/.test(wsUrl)) {
      throw new TypeError(`an address of each API is needed, http(s) and ws(s), not ${httpUrl} and ${wsUrl}`);
    }
    this.#http = new Http(httpUrl, token, fetch);
    this.#options = { pingSeconds: 10, patienceSeconds: 300, ...options };
  }

  /**
   * Creates a session.
   * @param {Mode} mode
   * @param {{ name?: string, config?: Config } & Once} [options]
   * @returns {Promise<Summary>}
   */
  create(mode, { name, config, idempotencyKey = newKey() } = {}) {
    return this.#http.call({ method: "POST", path: "/api/sessions", body: { mode, name, config }, key: idempotencyKey });
  }

  /**
   * All sessions, newest first, page by page; `limit` is the size of a page.
   * @param {{ status?: import("./types.js").SessionStatus, mode?: Mode, limit?: number }} [filter]
   * @returns {AsyncGenerator<Summary, void, void>}
   */
  list(filter = {}) {
    return this.#pages("/api/sessions", "sessions", filter);
  }

  /**
   * The state of a session and its newest messages.
   * @param {string} sessionId
   * @returns {Promise<Detail>}
   */
  get(sessionId) {
    return this.request("GET", session(sessionId));
  }

  /**
   * Starts a run and follows it to its end, in a new session or, with `sessionId`, in that one.
   *
   * The events end with `complete`, `error` or `workflow_cancelled`. While the run waits for an
   * answer or is paused, the iterator waits too. The same key and arguments follow the first run
   * again, from its first event. Leaving the iterator stops nothing.
   * @param {string} task
   * @param {{ mode?: Mode, sessionId?: string, name?: string, config?: Config } & Once & Abortable} [options]
   * @returns {AsyncGenerator<Event | AgentMessageDelta, void, void>}
   */
  async *run(task, { mode = "one-shot", sessionId, name, config, idempotencyKey = newKey(), signal } = {}) {
    const isNew = sessionId === undefined;
    const id = sessionId ?? (await this.create(mode, { name, config, idempotencyKey })).session_id;
    const run = await this.start(id, task, { config: isNew ? undefined : config, idempotencyKey });
    const after = isNew ? 0 : await this.#before(run.id);
    for await (const event of this.follow(id, after, { signal })) {
      yield event;
      if (event.run_id === run.id && event.seq !== null && LAST_EVENTS.includes(event.event_type)) return;
    }
  }

  /**
   * Starts a run without following it.
   * @param {string} sessionId
   * @param {string} task
   * @param {{ config?: Config } & Once} [options]
   * @returns {Promise<Run>}
   */
  start(sessionId, task, { config, idempotencyKey = newKey() } = {}) {
    return this.#http.call({ method: "POST", path: session(sessionId, "/runs"), body: { task, config }, key: idempotencyKey });
  }

  /**
   * The events of a session behind `after`, each once and in order, as they happen, for ever.
   *
   * Lost connections are opened again. Throws `NotFound` when the session is deleted, `CursorAhead`
   * when its record ends before `after`, `ConnectionLost` when the server stays away.
   * @param {string} sessionId
   * @param {number} [after]
   * @param {Abortable} [options]
   * @returns {AsyncGenerator<Event | AgentMessageDelta, void, void>}
   */
  follow(sessionId, after = 0, { signal } = {}) {
    return follow({ ...this.#options, http: this.#http }, sessionId, after, signal);
  }

  /**
   * Answers a question of a run. The same answer again changes nothing, another one throws
   * `Conflict`.
   * @param {string} sessionId
   * @param {string} approvalId
   * @param {string} resolution
   * @param {{ feedback?: string, modifications?: Modifications }} [more]
   * @returns {Promise<Approval>}
   */
  answer(sessionId, approvalId, resolution, { feedback, modifications } = {}) {
    const path = session(sessionId, `/approvals/${encodeURIComponent(approvalId)}`);
    return this.#http.call({ method: "POST", path, body: { resolution, feedback, modifications }, repeatable: true });
  }

  /**
   * The questions of a session.
   * @param {string} sessionId
   * @param {{ status?: import("./types.js").ApprovalStatus }} [filter]
   * @returns {AsyncGenerator<Approval, void, void>}
   */
  approvals(sessionId, filter = {}) {
    return this.#pages(session(sessionId, "/approvals"), "approvals", filter);
  }

  /**
   * The runs of a session, newest first.
   * @param {string} sessionId
   * @returns {AsyncGenerator<Run, void, void>}
   */
  runs(sessionId) {
    return this.#pages(session(sessionId, "/runs"), "runs");
  }

  /**
   * The recorded events behind `after`, up to the last one that there is now.
   * @param {string} sessionId
   * @param {number} [after]
   * @returns {AsyncGenerator<Event, void, void>}
   */
  async *events(sessionId, after = 0) {
    for (let at = after; at !== null; ) {
      const query = { after: at, limit: PAGE_OF_EVENTS };
      const page = await this.request("GET", session(sessionId, "/events"), { query });
      if (page.cursor_ahead) throw new CursorAhead(`the record ends with ${page.last_seq}, before ${at}`);
      yield* page.events;
      at = page.next_after;
    }
  }

  /**
   * The messages of a session, newest first.
   * @param {string} sessionId
   * @returns {AsyncGenerator<Message, void, void>}
   */
  async *history(sessionId) {
    for (let before; before !== null; ) {
      const page = await this.request("GET", session(sessionId, "/history"), { query: { before } });
      yield* page.messages.reverse();
      before = page.next_before;
    }
  }

  /**
   * Pauses a session; its run finishes and keeps the step that it is in.
   * @param {string} sessionId
   * @returns {Promise<void>}
   */
  async suspend(sessionId) {
    await this.request("POST", session(sessionId, "/suspend"));
  }

  /**
   * Continues a suspended session from its last saved step.
   * @param {string} sessionId
   * @param {{ additionalContext?: string }} [options]
   * @returns {Promise<void>}
   */
  async resume(sessionId, { additionalContext } = {}) {
    await this.request("POST", session(sessionId, "/resume"), { body: { additional_context: additionalContext } });
  }

  /**
   * Ends a run; without `runId` the one that has not ended.
   * @param {string} sessionId
   * @param {string | null} [runId]
   * @returns {Promise<void>}
   */
  async cancel(sessionId, runId) {
    const id = runId ?? (await this.get(sessionId)).active_run;
    if (id == null) throw new Conflict(409, "run_ended", "the session has no unfinished run");
    await this.request("POST", session(sessionId, `/runs/${encodeURIComponent(id)}/cancel`));
  }

  /**
   * @param {string} sessionId
   * @param {string} name
   * @returns {Promise<Summary>}
   */
  rename(sessionId, name) {
    return this.request("PATCH", session(sessionId), { body: { name } });
  }

  /**
   * Uploads a file and returns its name among the artifacts. A file of the same name is replaced.
   * @param {string} sessionId
   * @param {Blob | BufferSource | string} file
   * @param {{ name?: string, contentType?: string }} [options] A `File` has both by itself.
   * @returns {Promise<string>}
   */
  async upload(sessionId, file, options = {}) {
    const content = file instanceof Blob ? file : new Blob([file]);
    const name = options.name ?? /** @type {File} */ (content).name;
    if (name === undefined) throw new TypeError("a file that is given by its content needs a name");
    const body = {
      name,
      content_type: options.contentType ?? (content.type || "application/octet-stream"),
      size: content.size,
    };
    const backoff = new Backoff();
    for (;;) {
      // A link is for one upload; 412 means that another one of this name was faster.
      const path = session(sessionId, "/uploads");
      const link = await this.#http.call({ method: "POST", path, body, repeatable: true });
      // The body's length is the browser's to say.
      const { "content-length": _, ...headers } = link.headers;
      const reply = await this.#http.send(link.url, { method: link.method, headers, body: content });
      await reply.body?.cancel();
      if (reply.ok) return link.artifact;
      if (![412, 500, 503].includes(reply.status) || backoff.attempts === UPLOAD_ATTEMPTS - 1) {
        throw errorOfReply(reply, undefined);
      }
      await sleep(backoff.next());
    }
  }

  /**
   * The files of a session, each with a link for 15 minutes.
   * @param {string} sessionId
   * @returns {AsyncGenerator<Artifact, void, void>}
   */
  artifacts(sessionId) {
    return this.#pages(session(sessionId, "/artifacts"), "artifacts");
  }

  /**
   * The content of a file. Without `runId` it is the upload of this name, or else the newest run's
   * file.
   * @param {string} sessionId
   * @param {string} name
   * @param {{ runId?: string }} [options]
   * @returns {Promise<Blob>}
   */
  async download(sessionId, name, { runId } = {}) {
    let found;
    for await (const artifact of this.artifacts(sessionId)) {
      if (artifact.name === name && (runId === undefined || artifact.run_id === runId)) found = artifact;
    }
    if (!found) throw new NotFound(404, "file_not_found", `the session has no file ${name}`);
    // The link is the right; a token beside it would be refused.
    const reply = await this.#http.send(found.url, {});
    if (!reply.ok) throw errorOfReply(reply, undefined);
    return whole(() => reply.blob());
  }

  /**
   * Deletes a session, its files and its run.
   * @param {string} sessionId
   * @returns {Promise<void>}
   */
  async delete(sessionId) {
    await this.request("DELETE", session(sessionId));
  }

  /**
   * Any other route of infra/API.md: the JSON of its reply.
   * @param {string} method
   * @param {string} path
   * @param {{ body?: object, query?: import("./http.js").Call["query"] } & Abortable} [options]
   * @returns {Promise<any>}
   */
  request(method, path, options = {}) {
    return this.#http.call({ method, path, ...options });
  }

  /**
   * @param {string} path
   * @param {string} items
   * @param {import("./http.js").Call["query"]} [filter]
   * @returns {AsyncGenerator<any, void, void>}
   */
  async *#pages(path, items, filter = {}) {
    for (let cursor; cursor !== null; ) {
      const page = await this.request("GET", path, { query: { ...filter, cursor } });
      yield* page[items];
      cursor = page.next_cursor;
    }
  }

  /**
   * The seq before the run's first event.
   * @param {string} runId
   */
  async #before(runId) {
    const page = await this.request("GET", `/api/runs/${runId}/history`, { query: { limit: 1 } });
    return Number(page.events[0].id) - 1;
  }
}

/**
 * The path of a session, or of what is below it.
 * @param {string} sessionId
 */
function session(sessionId, rest = "") {
  return `/api/sessions/${encodeURIComponent(sessionId)}${rest}`;
}

function newKey() {
  return crypto.randomUUID();
}
