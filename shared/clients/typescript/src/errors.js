/**
 * What a call may throw. Each error that the server answered has its `code`, as in infra/API.md.
 */

/** Any error of this package. */
export class IntermissionError extends Error {
  /**
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The server could not be reached, for longer than the client waits. */
export class ConnectionLost extends IntermissionError {}

/** The request was not sent, so that any call may be repeated. */
export class NotConnected extends ConnectionLost {}

/**
 * `after` is beyond the record: the caller's copy is of another history, such as one before a backup
 * was restored. The caller drops it and follows again after 0.
 */
export class CursorAhead extends IntermissionError {
  code = "cursor_ahead";
}

/** The server refused a request. `message` is a sentence for people. */
export class ApiError extends IntermissionError {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {{ requestId?: string, runId?: string, retryAfter?: number }} [more]
   */
  constructor(status, code, message, more = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.requestId = more.requestId;
    /** The run that stands in the way, with `run_unfinished`. */
    this.runId = more.runId;
    /** In seconds. */
    this.retryAfter = more.retryAfter;
  }
}

/** 401 and 403: the token is missing, over, or not accepted. */
export class Unauthenticated extends ApiError {}

/** 404: it does not exist, was deleted, or belongs to another owner. */
export class NotFound extends ApiError {}

/** 409 and 412: the state of the session does not allow it. */
export class Conflict extends ApiError {}

/** 410: too late. */
export class Gone extends ApiError {}

/** 400, 413, 415 and 422: the request is wrong and will not become right. */
export class Invalid extends ApiError {}

/** 429: a limit of the caller; `retryAfter` says when to ask again. */
export class TooManyRequests extends ApiError {}

/** 5xx: the server's fault. */
export class Unavailable extends ApiError {}

/** @type {Record<number, typeof ApiError>} */
const CLASSES = {
  400: Invalid,
  401: Unauthenticated,
  403: Unauthenticated,
  404: NotFound,
  409: Conflict,
  410: Gone,
  412: Conflict,
  413: Invalid,
  415: Invalid,
  422: Invalid,
  429: TooManyRequests,
};
/** API Gateway's own replies have no code. @type {Record<number, string>} */
const GATEWAY_CODES = { 401: "unauthenticated", 403: "unauthenticated", 429: "throttled" };
/**
 * An `error` frame has a code and no status. The other codes are a frame's own fault.
 * @type {Record<string, number>}
 */
const FRAME_STATUSES = {
  unauthenticated: 401,
  session_not_found: 404,
  too_many_replays: 429,
  internal: 500,
  unavailable: 503,
};

/**
 * The error of an HTTP reply. Its body may be API Gateway's, S3's or a proxy's.
 * @param {Response} reply
 * @param {any} body
 * @returns {ApiError}
 */
export function errorOfReply({ status, headers }, body) {
  const code = body?.code ?? GATEWAY_CODES[status] ?? `http_${status}`;
  const message = body?.detail ?? body?.message ?? `the server answered ${status}`;
  const wait = Number.parseFloat(headers.get("retry-after") ?? "");
  return new (classOf(status))(status, code, message, {
    requestId: body?.request_id ?? headers.get("x-request-id") ?? undefined,
    runId: body?.run_id ?? undefined,
    retryAfter: wait >= 0 ? wait : undefined,
  });
}

/**
 * The error of an `error` frame.
 * @param {{ code: string, message: string, run_id?: string | null }} data
 * @returns {ApiError}
 */
export function errorOfFrame(data) {
  const status = FRAME_STATUSES[data.code] ?? 422;
  return new (classOf(status))(status, data.code, data.message, { runId: data.run_id ?? undefined });
}

/** @param {number} status */
function classOf(status) {
  return CLASSES[status] ?? (status >= 500 ? Unavailable : ApiError);
}
