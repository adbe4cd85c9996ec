/** From events to what is shown. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, bytes, money, span, standing, words } from "../assets/format.js";
import { apply, current, empty, inOrder, isLive, sums } from "../assets/view.js";

const RUN = "01936e5c-8b10-7c52-8f3e-6a1d4e9b7c20";

/** A record of `[event_type, data, run]`, a second apart. */
function shown(...events) {
  const view = empty();
  events.forEach(([event_type, data, run = RUN], at) => apply(view, { event_type, data, run_id: run, seq: at + 1, session_id: "s", timestamp: new Date(Date.UTC(2026, 0, 1, 0, 0, at)).toISOString() }));
  return view;
}

const started = ["workflow_started", { mode: "hitl-interactive", agent: "researcher", model: "m", task_description: "t" }];
const node = (id, status = "pending") => ({ id, label: id, type: "agent", agent: null, status, step_number: null });
const asked = ["approval_requested", { approval_id: "a", message: "Shall it?", checkpoint_type: "during_planning", options: ["approve"], context: {}, expires_at: "2026-01-08T00:00:00Z" }];
const received = (resolution, by = "local") => ["approval_received", { approval_id: "a", approved: true, resolution, feedback: "Well.", modifications: null, resolved_by: by }];

test("a graph has the states and times of its nodes, and keeps them when it grows", () => {
  const view = shown(
    started,
    ["dag_created", { nodes: [node("planning")], levels: [["planning"]], edges: [] }],
    ["dag_node_status_changed", { node_id: "planning", old_status: "pending", new_status: "running" }],
    ["dag_node_status_changed", { node_id: "planning", old_status: "running", new_status: "completed" }],
    ["dag_updated", { nodes: [node("planning", "completed"), node("step_1")], levels: [["planning"], ["step_1"]], edges: [] }],
    ["dag_node_status_changed", { node_id: "step_1", old_status: "pending", new_status: "running" }],
  );
  const [planning, step] = current(view).nodes;
  assert.deepEqual([planning.status, Date.parse(planning.endedAt) - Date.parse(planning.startedAt)], ["completed", 1000]);
  assert.deepEqual([step.status, step.endedAt], ["running", null]);
  assert.deepEqual(view.changed.has("graph"), true);
});

test("a message belongs to the node that works", () => {
  const view = shown(
    started,
    ["dag_created", { nodes: [node("step_1")], levels: [["step_1"]], edges: [] }],
    ["user_message", { content: "Do it.", role: "user" }],
    ["dag_node_status_changed", { node_id: "step_1", old_status: "pending", new_status: "running" }],
    ["agent_message", { agent: "researcher", role: "assistant", message: "Done." }],
  );
  assert.deepEqual(view.items.map(({ role, text, node }) => [role, text, node]), [["user", "Do it.", null], ["assistant", "Done.", "step_1"]]);
});

test("a question is open until its answer, and the answer says who and what", () => {
  const open = shown(started, asked);
  assert.equal(open.question.approval_id, "a");
  assert.equal(current(open).status, "waiting_approval");
  const closed = shown(started, asked, received("approve"));
  assert.equal(closed.question, null);
  assert.equal(current(closed).status, "running");
  const [{ question, resolution, by, feedback }] = closed.answers;
  assert.deepEqual([question, resolution, by, feedback], ["Shall it?", "approve", "local", "Well."]);
});

test("a question also ends with its run and with its time", () => {
  assert.equal(shown(started, asked, ["workflow_cancelled", { run_id: RUN, message: "" }]).question, null);
  const expired = shown(started, asked, ["approval_expired", { approval_id: "a" }], received("expired", null));
  assert.equal(expired.question, null);
  assert.equal(expired.answers.length, 1, "one answer, told twice");
});

test("an answer that comes again changes nothing, and a second question stays open", () => {
  const second = ["approval_requested", { ...asked[1], approval_id: "b" }];
  const view = shown(started, asked, received("approve"), second, ["approval_received", { ...received("approve")[1], approval_id: "a" }]);
  assert.equal(view.question.approval_id, "b");
});

test("the end of a run", () => {
  const done = shown(started, ["workflow_completed", { execution_time: 3.5, mode: "m", run_id: RUN }], ["complete", { message: "" }]);
  assert.deepEqual([isLive(current(done)), done.items.at(-1).seconds], [false, 3.5]);
  const failed = shown(started, ["workflow_failed", { error: "No model.", failed_step: 1, run_id: RUN }], ["error", { message: "No model.", code: "model_unavailable" }]);
  assert.deepEqual([current(failed).status, failed.items.length], ["failed", 1]);
  const again = shown(started, ["workflow_failed", { error: "x", run_id: RUN }], ["workflow_started", started[1], "another"]);
  assert.deepEqual([again.runs.length, current(again).id, isLive(current(again))], [2, "another", true]);
});

test("a worker that takes over is told, the first one is not", () => {
  assert.equal(shown(started, ["slice_started", { attempt: 1 }]).items.length, 0);
  assert.equal(shown(started, ["slice_started", { attempt: 2 }]).items.length, 1);
});

test("the record has every event, and an unknown one harms nothing", () => {
  const view = shown(started, ["of_a_later_version", { a: 1 }], ["unreadable", { message: "" }]);
  assert.deepEqual([view.events.length, view.seq, view.items.length], [3, 3, 0]);
  apply(view, { event_type: "pong", data: { last_seq: 3 }, seq: null, run_id: null, timestamp: "2026-01-01T00:00:00Z" });
  assert.deepEqual([view.events.length, view.seq], [3, 3]);
});

test("costs are summed by agent, dearest first, and say what has no price", () => {
  const cost = (agent, cost_usd, tokens, more) => ({ agent, step_id: null, cost_usd, tokens, priced: true, ...more });
  const rows = sums([cost("a", 0.1, 10), cost("b", 0.5, 5), cost("a", 0.1, 10, { priced: false, estimated: true })], "agent");
  assert.deepEqual(rows.map(({ name, tokens, calls, priced, estimated }) => [name, tokens, calls, priced, estimated]), [["b", 5, 1, true, false], ["a", 20, 2, false, true]]);
  assert.equal(sums([cost("a", 0, 1)], "step_id")[0].name, "–");
});

test("who waits for a person comes first, then the newest", () => {
  const one = (session_id, status, last_run_status, updated_at) => ({ session_id, status, last_run_status, updated_at });
  const order = inOrder([one("new", "active", "running", "3"), one("waits", "suspended", "waiting_approval", "1"), one("newest", "completed", "completed", "4")]);
  assert.deepEqual(order.map((session) => session.session_id), ["waits", "newest", "new"]);
});

test("how a session stands", () => {
  const of = (status, last_run_status, suspend_reason) => standing({ status, last_run_status, suspend_reason })[0];
  assert.equal(of("suspended", "waiting_approval", "approval_required"), "Waits for you");
  assert.equal(of("suspended", "paused", "user_requested"), "Paused");
  assert.equal(of("suspended", "failed", "run_failed"), "Failed");
  assert.equal(of("suspended", "cancelled", "user_requested"), "Cancelled");
  assert.equal(of("active", "running", null), "Running");
  assert.equal(of("active", null, null), "Ready");
  assert.equal(of("completed", "completed", null), "Completed");
  assert.equal(of("expired", null, null), "Expired");
});

test("numbers and times are for people", () => {
  assert.deepEqual([420, 12400, 185_000, 7_800_000].map(span), ["0.4 s", "12 s", "3:05 min", "2:10 h"]);
  assert.deepEqual([money(0), money(0.0148), money(12.345), money(0, false)], ["$0", "$0.015", "$12.35", "no price"]);
  assert.deepEqual([bytes(12), bytes(2048), bytes(104857600)], ["12 B", "2.0 KiB", "100 MiB"]);
  assert.deepEqual([words("waiting_approval"), words("maxPlanSteps"), words("hitl_planning")], ["Waiting approval", "Max plan steps", "HITL planning"]);
  assert.equal(ago("2026-01-01T00:00:00Z", Date.UTC(2026, 0, 1, 0, 3)), "3 min. ago");
});
