/** The calls of the HTTP API: what is sent, what is repeated, what is thrown. */

import { ApiError, ConnectionLost, errorOfReply, NotConnected, NotFound } from "./errors.js";
import { TooManyRequests, Unauthenticated, Unavailable } from "./errors.js";
import { Backoff, sleep } from "./waiting.js";

/**
 * A bearer token, or a function that returns the newest one; it may be asynchronous. It is called
 * for each request and each connection.
 * @typedef {string | (() => string | undefined | Promise<string | undefined>)} Token
 */
/**
 * @typedef {object} Call
 * @property {string} method
 * @property {string} path
 * @property {object} [body]
 * @property {{ [name: string]: string | number | undefined }} [query]
 * @property {string} [key] The `Idempotency-Key`.
 * @property {boolean} [repeatable] A second one changes nothing more. So it is of every call but a
 *   POST without a key.
 * @property {AbortSignal} [signal]
 * @property {number} [attempts]
 */

const ATTEMPTS = 5;
/** The longest `Retry-After` that is waited for. A longer one is thrown. */
const LONGEST_WAIT_SECONDS = 60;
/** Beyond the worst cold start, and above API Gateway's own limit. */
const TIMEOUT_SECONDS = 35;
/** Node's reasons why a request was not sent. A browser tells none. */
const NOT_SENT = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];

export class Http {
  /**
   * @param {string} url
   * @param {Token | undefined} token
   * @param {typeof fetch} fetch
   */
  constructor(url, token, fetch) {
    this.url = url.replace(/\/+$/, "");
    this.token = token;
    this.fetch = fetch;
  }

  /** @returns {Promise<string | undefined>} */
  async bearer() {
    return typeof this.token === "function" ? this.token() : this.token;
  }

  /**
   * Sends a call, again where that helps and changes nothing twice. The JSON of its reply.
   * @param {Call} call
   * @returns {Promise<any>}
   */
  async call(call) {
    const backoff = new Backoff();
    for (;;) {
      try {
        return await this.#once(call);
      } catch (error) {
        // An earlier attempt has deleted it, and its reply was lost.
        if (error instanceof NotFound && call.method === "DELETE" && backoff.attempts > 0) return undefined;
        await sleep(this.#wait(call, error, backoff), call.signal);
      }
    }
  }

  /**
   * The seconds until the next attempt; throws the error where there is none.
   * @param {Call} call
   * @param {unknown} error
   * @param {Backoff} backoff
   */
  #wait(call, error, backoff) {
    if (error instanceof Unauthenticated) {
      // The token may have ended on its way; its function is asked again, once.
      if (typeof this.token !== "function" || backoff.attempts > 0) throw error;
      backoff.next();
      return 0;
    }
    const told = (error instanceof ApiError && error.retryAfter) || 0;
    const last = backoff.attempts >= (call.attempts ?? ATTEMPTS) - 1;
    if (last || told > LONGEST_WAIT_SECONDS || !mayRepeat(call, error)) throw error;
    // Jitter goes on top, so that callers with one `Retry-After` do not return at once.
    return told + backoff.next();
  }

  /** @param {Call} call */
  async #once({ method, path, body, query = {}, key, signal }) {
    /** @type {{ [name: string]: string }} */
    const headers = { accept: "application/json" };
    const bearer = await this.bearer();
    if (bearer) headers.authorization = `Bearer ${bearer}`;
    if (key) headers["idempotency-key"] = key;
    if (body) headers["content-type"] = "application/json";
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) params.set(name, String(value));
    }
    const url = `${this.url}${path}${params.size ? `?${params}` : ""}`;
    const options = { method, headers, body: body && JSON.stringify(body) };
    const reply = await this.send(url, options, { seconds: TIMEOUT_SECONDS, signal });
    const json = parsed(await whole(() => reply.text()));
    if (!reply.ok) throw errorOfReply(reply, json);
    return json;
  }

  /**
   * One request. A broken connection is `ConnectionLost`, and so is one without an answer in time; a
   * file has all the time that it needs.
   * @param {string} url
   * @param {RequestInit} options
   * @param {{ seconds?: number, signal?: AbortSignal }} [limits]
   * @returns {Promise<Response>}
   */
  async send(url, options, { seconds, signal } = {}) {
    const ends = [...(signal ? [signal] : []), ...(seconds ? [AbortSignal.timeout(seconds * 1000)] : [])];
    try {
      return await this.fetch(url, ends.length > 0 ? { ...options, signal: AbortSignal.any(ends) } : options);
    } catch (error) {
      signal?.throwIfAborted();
      const cause = /** @type {any} */ (error).cause;
      const why = cause?.message || /** @type {Error} */ (error).message;
      if (NOT_SENT.includes(cause?.code)) throw new NotConnected(`the server is not reached: ${why}`, { cause: error });
      throw new ConnectionLost(`the connection was lost: ${why}`, { cause: error });
    }
  }
}

/**
 * Whether another attempt may succeed, and cannot do a thing twice.
 * @param {Call} call
 * @param {unknown} error
 */
function mayRepeat({ method, key, repeatable }, error) {
  if (error instanceof TooManyRequests || error instanceof NotConnected) return true;
  if (!(repeatable ?? (method !== "POST" || key !== undefined))) return false;
  // A 500 without a code is API Gateway's, whose function did not answer.
  if (error instanceof Unavailable) return error.status > 500 || error.code === "http_500";
  return error instanceof ConnectionLost;
}

/**
 * A reply's body.
 * @template T
 * @param {() => Promise<T>} read
 * @returns {Promise<T>}
 */
export async function whole(read) {
  try {
    return await read();
  } catch (error) {
    throw new ConnectionLost("the reply broke off", { cause: error });
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
