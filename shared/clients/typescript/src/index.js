/**
 * The client of Intermission: durable, resumable sessions of AI agents. Plain modules for browsers
 * and Node.js, without dependencies.
 */

export { Client } from "./client.js";
export {
  ApiError,
  Conflict,
  ConnectionLost,
  CursorAhead,
  Gone,
  IntermissionError,
  Invalid,
  NotFound,
  TooManyRequests,
  Unauthenticated,
  Unavailable,
} from "./errors.js";
export { LiveText } from "./record.js";

/** @typedef {import("./client.js").ClientOptions} ClientOptions */
/** @typedef {import("./types.js").AgentMessageDelta} AgentMessageDelta */
/** @typedef {import("./types.js").Approval} Approval */
/** @typedef {import("./types.js").Artifact} Artifact */
/** @typedef {import("./types.js").Config} Config */
/** @typedef {import("./types.js").Detail} Detail */
/** @typedef {import("./types.js").Event} Event */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Mode} Mode */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Summary} Summary */
