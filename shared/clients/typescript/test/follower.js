/**
 * Follows a run that asks for its plan, while the stack behind it stops and starts again.
 *
 * Prints the question, and ends well only if every event came once. infra/local/restart.py runs it.
 */

import assert from "node:assert/strict";
import { stackClient } from "./through_stack.js";

const config = { hitlVariant: /** @type {const} */ ("planning_only"), maxPlanSteps: 2, nPlanReviews: 0 };
/** @type {number[]} */
const seqs = [];
let last = "";
const run = stackClient().run("Explain the tides. The moon pulls.", { mode: "hitl-interactive", config });
for await (const event of run) {
  if (event.seq === null) continue;
  seqs.push(event.seq);
  last = event.event_type;
  if (event.event_type === "approval_requested") {
    console.log(JSON.stringify({ session_id: event.session_id, approval_id: event.data.approval_id }));
  }
}
const whole = seqs.every((seq, index) => seq === index + 1);
console.log(`${seqs.length} events, ${whole ? "whole" : seqs}, ${last}`);
assert.ok(whole && last === "complete");
