/** From a session's events to what the page shows. Pure: no elements, no clock, no network. */

/** An empty session. */
export function empty() {
  return { seq: 0, runs: [], items: [], question: null, answers: [], files: 0, events: [], changed: new Set() };
}

const NOTES = {
  workflow_paused: "Paused: the run keeps its step and stops after it.",
  workflow_resumed: "Resumed from the last saved step.",
  slice_started: "Another worker took the run over from its last saved step.",
};

/** Applies an event in place; `changed` says which parts are to be drawn again. */
export function apply(view, event) {
  const { event_type: kind, data, timestamp: at, run_id: runId, seq } = event;
  if (seq !== null) {
    view.seq = seq;
    view.events.push(event);
    view.changed.add("record");
  }
  const run = runId ? runOf(view, runId, at) : null;
  const item = (type, more) => {
    view.items.push({ type, at, seq, node: run?.node ?? null, run: runId, ...more });
    view.changed.add("items");
  };
  const status = (word) => {
    if (run) run.status = word;
    view.changed.add("graph").add("session");
  };
  switch (kind) {
    case "workflow_started":
      run.model = data.model;
      status("running");
      break;
    case "dag_created":
    case "dag_updated":
      graph(run, data);
      view.changed.add("graph");
      break;
    case "dag_node_status_changed":
      move(run, data, at);
      view.changed.add("graph");
      break;
    case "phase_change":
      view.changed.add("session");
      break;
    case "user_message":
      item("message", { role: "user", text: data.content, artifact: data.artifact });
      break;
    case "agent_message":
      item("message", { role: data.role ?? "assistant", agent: data.agent, text: data.message, artifact: data.artifact, plan: data.plan });
      break;
    case "output":
      item("note", { text: data.message });
      break;
    case "cost_update":
      run.costs.push(data);
      view.changed.add("costs");
      break;
    case "files_updated":
      view.files += 1;
      view.changed.add("files");
      break;
    case "approval_requested":
      view.question = { ...data, at, run: runId };
      item("question", { text: data.message, id: data.approval_id });
      status("waiting_approval");
      view.changed.add("question");
      break;
    case "approval_received":
    case "approval_expired":
      received(view, data, at, item);
      status(run?.status === "waiting_approval" ? "running" : run?.status);
      break;
    case "workflow_paused":
      item("note", { text: NOTES[kind] });
      status("paused");
      break;
    case "workflow_resumed":
      item("note", { text: NOTES[kind] });
      status("running");
      break;
    case "slice_started":
      if (data.attempt > 1) item("note", { text: NOTES[kind] });
      break;
    case "step_failed":
      item("failure", { text: data.error });
      break;
    case "workflow_failed":
      item("failure", { text: data.error, final: true });
      status("failed");
      break;
    case "workflow_cancelled":
      item("note", { text: "Cancelled." });
      close(view);
      status("cancelled");
      break;
    case "workflow_completed":
      run.seconds = data.execution_time;
      status("completed");
      view.changed.add("files");
      break;
    case "complete":
      item("end", { seconds: run?.seconds });
      break;
    case "status":
      view.changed.add("session");
      break;
  }
  return view;
}

function runOf(view, id, at) {
  let run = view.runs.find((known) => known.id === id);
  if (!run) {
    run = { id, at, status: "queued", nodes: [], costs: [], node: null };
    view.runs.push(run);
    view.changed.add("graph");
  }
  return run;
}

/** A new graph keeps the times of the nodes that it still has. */
function graph(run, { nodes }) {
  const known = new Map(run.nodes.map((node) => [node.id, node]));
  run.nodes = nodes.map((node) => ({ ...known.get(node.id), ...node }));
}

function move(run, { node_id: id, new_status: status }, at) {
  const node = run.nodes.find((known) => known.id === id);
  if (!node) return;
  node.status = status;
  if (status === "running") {
    Object.assign(node, { startedAt: at, endedAt: null });
    run.node = id;
  } else if (status !== "pending") {
    node.endedAt = at;
  }
}

function received(view, data, at, item) {
  const asked = view.items.find((known) => known.type === "question" && known.id === data.approval_id);
  const resolution = data.resolution ?? "expired";
  const last = view.answers.at(-1);
  if (last?.id !== data.approval_id) {
    const answer = { id: data.approval_id, at, question: asked?.text ?? "", resolution, feedback: data.feedback, plan: data.modifications?.plan, by: data.resolved_by };
    view.answers.push(answer);
    item("answer", answer);
    view.changed.add("answers");
  }
  if (view.question?.approval_id === data.approval_id) close(view);
}

function close(view) {
  view.question = null;
  view.changed.add("question");
}

/** The run that the page shows: the newest. */
export const current = (view) => view.runs.at(-1) ?? null;

/** Whether a run can still change. */
export const isLive = (run) => Boolean(run) && !["completed", "failed", "cancelled"].includes(run.status);

/** Sums of the costs by a field, largest first. */
export function sums(costs, by) {
  const rows = new Map();
  for (const cost of costs) {
    const name = cost[by] ?? "–";
    const row = rows.get(name) ?? { name, usd: 0, tokens: 0, calls: 0, priced: true, estimated: false };
    row.usd += cost.cost_usd;
    row.tokens += cost.tokens;
    row.calls += 1;
    row.priced &&= cost.priced !== false;
    row.estimated ||= cost.estimated === true;
    rows.set(name, row);
  }
  return [...rows.values()].sort((a, b) => b.usd - a.usd || b.tokens - a.tokens);
}

/** Those that wait for a person first, then the newest. */
export function inOrder(sessions) {
  const waits = (session) => (session.status === "suspended" && session.last_run_status === "waiting_approval" ? 0 : 1);
  return [...sessions].sort((a, b) => waits(a) - waits(b) || (a.updated_at < b.updated_at ? 1 : -1));
}
