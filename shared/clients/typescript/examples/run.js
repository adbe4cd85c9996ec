/**
 * Runs a task, shows what happens, and asks at the terminal what the run asks.
 *
 *     make up                              # in another terminal
 *     set -a; . .stack/env; set +a
 *     node shared/clients/typescript/examples/run.js "Explain the tides." hitl-interactive
 */

import { createInterface } from "node:readline/promises";
import { Client, LiveText } from "../src/index.js";

const [task = "Explain the tides. The moon pulls at the sea.", mode = "planning-control"] = process.argv.slice(2);
const { HTTP_URL = "", WS_URL = "", TOKEN } = process.env;
// Node.js 22 has a WebSocket of its own.
const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;
const client = new Client({ httpUrl: HTTP_URL, wsUrl: WS_URL, token: TOKEN, WebSocket });
const terminal = createInterface(process.stdin, process.stdout);
const live = new LiveText();
let last = "";

for await (const event of client.run(task, { mode: /** @type {any} */ (mode) })) {
  if (live.take(event) && event.seq === null) {
    process.stdout.write(`      … ${live.text.slice(-80)}\r`);
    continue;
  }
  console.log(String(event.seq).padStart(5), event.event_type.padEnd(24), sentence(event.data));
  if (event.event_type === "approval_requested") {
    const { approval_id, options } = event.data;
    await client.answer(event.session_id, approval_id, await terminal.question(`      ${options.join(" / ")}? `));
  }
  last = event.event_type;
}
terminal.close();
if (last !== "complete") process.exit(1);

/** What an event says, on one line. @param {any} data */
function sentence(data) {
  const said = data.message ?? data.goal ?? data.phase ?? data.error ?? data.new_status ?? "";
  return String(said).replace(/\s+/g, " ").slice(0, 90);
}
