/**
 * A server that says what a test has scripted: each connection has its script, and the HTTP API is a
 * function.
 */

import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { Client } from "../src/index.js";
import { delays } from "../src/waiting.js";

delays.first = 0.01;

export const SESSION = "0198c0de-0000-7000-8000-000000000001";
export const RUN = "0198c0de-0000-7000-8000-000000000002";

/** @typedef {{ status?: number, json?: any, text?: string, headers?: { [name: string]: string }, break?: boolean }} Reply */
/** @typedef {{ method: string, path: string, headers: import("node:http").IncomingHttpHeaders, body: string }} Asked */

/** @returns {any} */
export function frame(/** @type {number | null} */ seq, kind = "output", data = {}, more = {}) {
  return { event_type: kind, session_id: SESSION, run_id: RUN, seq, timestamp: "", data, ...more };
}

export function replayEnd(/** @type {number} */ last, more = {}) {
  return frame(null, "replay_end", { last_seq: last, next_after: null, more: false, ...more });
}

/** The server's side of one connection. */
export class Connection {
  /** @type {any[]} */
  #received = [];
  #arrived = () => {};

  /**
   * @param {WebSocket} socket
   * @param {string | null} token
   */
  constructor(socket, token) {
    this.socket = socket;
    this.token = token;
    this.closed = once(socket, "close");
    socket.on("message", (data) => {
      this.#received.push(JSON.parse(String(data)));
      this.#arrived();
    });
  }

  async receive() {
    while (this.#received.length === 0) {
      await new Promise((resolve) => (this.#arrived = () => resolve(undefined)));
    }
    return this.#received.shift();
  }

  send(/** @type {any[]} */ ...frames) {
    for (const one of frames) this.socket.send(JSON.stringify(one));
  }

  /** Answers a `subscribe` with the events up to `last`; returns its `after`. */
  async replay(/** @type {number} */ last) {
    const { type, session_id, after } = await this.receive();
    if (type !== "subscribe" || session_id !== SESSION) throw new Error(`not a subscribe: ${type}`);
    for (let seq = after + 1; seq <= last; seq += 1) this.send(frame(seq));
    this.send(replayEnd(last));
    return after;
  }

  /** The connection breaks, without a closing handshake. */
  kill() {
    this.socket.terminate();
  }
}

export class Server {
  /** @type {Asked[]} */
  asked = [];
  /** @type {unknown[]} */
  faults = [];
  /** @type {boolean[]} */
  states = [];
  port = 0;

  /**
   * @param {Array<(connection: Connection) => Promise<void>>} scripts
   * @param {(asked: Asked) => Reply} [reply]
   */
  constructor(scripts, reply = () => ({ json: { session_id: SESSION, active_run: RUN } })) {
    this.scripts = scripts;
    this.reply = reply;
  }

  /** Listens, on the same port each time. */
  async listen() {
    this.http = createServer(async (request, response) => {
      let body = "";
      for await (const part of request) body += part;
      const asked = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
      this.asked.push(asked);
      const { status = 200, json, text, headers = {}, break: broken } = this.reply(asked);
      if (broken) return request.socket.destroy();
      response.writeHead(status, { connection: "close", ...headers });
      response.end(text ?? JSON.stringify(json));
    });
    this.sockets = new WebSocketServer({ server: this.http });
    this.sockets.on("connection", async (socket, request) => {
      const script = this.scripts.shift();
      if (!script) return socket.terminate();
      const token = new URL(request.url ?? "", "ws://server").searchParams.get("token");
      try {
        await script(new Connection(socket, token));
      } catch (fault) {
        this.faults.push(fault);
      }
    });
    this.http.listen(this.port, "127.0.0.1");
    await once(this.http, "listening");
    const address = this.http.address();
    this.port = typeof address === "object" && address ? address.port : 0;
  }

  async stop() {
    for (const socket of this.sockets?.clients ?? []) socket.terminate();
    this.http?.closeAllConnections();
    this.http?.close();
    if (this.http) await once(this.http, "close");
  }

  /** @param {Partial<import("../src/client.js").ClientOptions>} [options] */
  client(options = {}) {
    return new Client({
      httpUrl: `http://127.0.0.1:${this.port}`,
      wsUrl: `ws://127.0.0.1:${this.port}`,
      WebSocket,
      onConnection: (open) => this.states.push(open),
      ...options,
    });
  }
}

/**
 * Runs a test's part with the server, which must have seen what its scripts expect.
 * @template T
 * @param {Server} server
 * @param {() => Promise<T>} part
 */
export async function serving(server, part) {
  await server.listen();
  try {
    return await part();
  } finally {
    await server.stop();
    if (server.faults.length > 0) throw server.faults[0];
  }
}

/**
 * That many items.
 * @template T
 * @param {number} count
 * @param {AsyncIterable<T>} items
 */
export async function first(count, items) {
  /** @type {T[]} */
  const found = [];
  for await (const item of items) {
    found.push(item);
    if (found.length === count) break;
  }
  return found;
}
