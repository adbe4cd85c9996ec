/** One connection that follows a session, as frames to wait for. */

import { ConnectionLost } from "./errors.js";

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

/** The worst cold start of the functions behind a handshake or a frame. A test shortens it. */
export const limits = { answerSeconds: 30 };

export class Socket {
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
