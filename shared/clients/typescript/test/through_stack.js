/** A client of the running stack, whose addresses are in `HTTP_URL` and `WS_URL`. */

import WebSocket from "ws";
import { Client } from "../src/index.js";

/** @param {Partial<import("../src/client.js").ClientOptions>} [options] */
export function stackClient(options) {
  const { HTTP_URL: httpUrl = "", WS_URL: wsUrl = "" } = process.env;
  return new Client({ httpUrl, wsUrl, WebSocket, pingSeconds: 1, ...options });
}
