/** The client of this deployment, and errors as sentences. */

import { ApiError, Client, ConnectionLost, NotFound, Unauthenticated } from "./index.js";
import { token } from "./signin.js";

export { LiveText } from "./index.js";

/** What the function wrote into the page. */
export const deployment = JSON.parse(document.querySelector("meta[name=deployment]").content);

/** Hears whether the followed session's socket is open. */
export const connection = new EventTarget();

const options = { httpUrl: location.origin, wsUrl: deployment.ws_url, token: () => token(deployment) };

/** A client; one that follows tells of its connection. */
export const client = new Client(options);
export const follower = new Client({
  ...options,
  patienceSeconds: Infinity,
  onConnection: (open) => connection.dispatchEvent(new CustomEvent("change", { detail: open })),
});

/** A page of sessions. */
export const sessions = (query, signal) => client.request("GET", "/api/sessions", { query, signal });

/** The sentence of an error. Those of the API are made for people. */
export function sentence(error) {
  if (error instanceof ConnectionLost) return "The server cannot be reached. Nothing is lost: runs go on without this page.";
  if (error instanceof NotFound && error.code === "session_not_found") return "There is no such session: it was deleted, or it belongs to somebody else.";
  if (error instanceof ApiError) return /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  console.error(error);
  return `The console itself failed: ${error.message}.`;
}

export const isUnauthenticated = (error) => error instanceof Unauthenticated;
export const isMissing = (error) => error instanceof NotFound;
