/** One session, live. */

import { client, follower, isMissing, isUnauthenticated, LiveText, sentence } from "./api.js";
import { ask, askToDelete, button, field, h, replace, toast, trouble } from "./dom.js";
import { ago, fullTime, span, standing, words } from "./format.js";
import { draw } from "./markdown.js";
import { drawAnswers, drawCosts, drawFiles, drawRecord, itemOf } from "./parts.js";
import { panel } from "./question.js";
import { apply, current, empty, isLive } from "./view.js";

const TEAMS = { "idea-generation": ["idea_maker", "idea_hater"] };
const STILL = { waiting_approval: "Waits for you", paused: "Paused", cancelled: "Cancelled", failed: "Failed", completed: "Completed" };
const TABS = ["Conversation", "Files", "Costs", "Answers", "Record"];

export async function show(main, { signal, id, fail }) {
  let view = empty();
  let live = new LiveText();
  let detail = await client.request("GET", `/api/sessions/${id}`, { signal });
  let modes = [];
  client.request("GET", "/api/sessions/modes/list", { signal }).then((answer) => ((modes = answer.modes), drawHead(), drawComposer()), () => {});

  // ── The frame ──
  const title = h("h1", { tabIndex: -1 });
  const state = h("span");
  const meta = h("p", { className: "meta" });
  const doings = h("div", { className: "actions" });
  const asked = h("div");
  const graph = h("ol", { className: "graph" });
  const graphNote = h("p", { className: "help" });
  const tabs = h("div", { className: "tabs", role: "tablist", "aria-label": "Parts of the session" });
  const panels = new Map();
  const talk = h("ol", { className: "talk" });
  const writing = h("div", { className: "writing", hidden: true });
  const composer = h("div", { className: "composer" });
  let filter = null;

  TABS.forEach((name, at) => {
    const key = name.toLowerCase();
    const body = h("div", { role: "tabpanel", id: `panel-${key}`, "aria-labelledby": `tab-${key}`, hidden: at > 0, tabIndex: 0 });
    panels.set(key, body);
    const pick = () => {
      for (const tab of tabs.children) {
        tab.setAttribute("aria-selected", String(tab === own));
        tab.tabIndex = tab === own ? 0 : -1;
      }
      for (const [other, element] of panels) element.hidden = other !== key;
      own.focus();
      view.changed.add(key);
      render();
    };
    const keys = ({ key: pressed }) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[pressed];
      if (by) tabs.children[(at + by + TABS.length) % TABS.length].click();
    };
    const own = h("button", { type: "button", role: "tab", id: `tab-${key}`, "aria-controls": `panel-${key}`, "aria-selected": at === 0 ? "true" : "false", tabIndex: at === 0 ? 0 : -1, onclick: pick, onkeydown: keys }, name);
    tabs.append(own);
  });
  panels.get("conversation").append(talk, writing, composer);

  replace(
    main,
    h("article", { className: "session" },
      h("header", null, h("p", { className: "crumb" }, h("a", { href: "#/" }, "Sessions")), h("div", { className: "head" }, h("div", null, h("div", { className: "name" }, title, state), meta), doings)),
      asked,
      h("div", { className: "columns" },
        h("aside", { "aria-labelledby": "run-title" }, h("h2", { id: "run-title" }, "Run"), graph, graphNote),
        h("div", { className: "body" }, tabs, [...panels.values()]))),
  );

  // ── Actions ──
  async function act(doing, said) {
    try {
      await doing();
      if (said) toast(said);
    } catch (error) {
      if (isUnauthenticated(error)) return fail(error);
      toast(sentence(error), "bad");
    }
    await refresh();
  }

  async function rename() {
    const name = await ask("Rename this session", null, { confirm: "Rename", input: detail.name });
    if (name?.trim()) act(() => client.rename(id, name.trim()));
  }

  async function cancel() {
    const sure = await ask("Cancel the run?", "It ends at once. What its finished steps brought is kept, and a new task may follow.", { confirm: "Cancel the run", danger: true });
    if (sure) act(() => client.cancel(id), "Cancelled.");
  }

  async function remove() {
    const sure = await askToDelete(detail.name);
    if (!sure) return;
    try {
      await client.delete(id);
      location.hash = "#/";
      toast("Deleted.");
    } catch (error) {
      toast(sentence(error), "bad");
    }
  }

  // ── Drawing ──
  function drawHead() {
    const run = current(view);
    const [text, tone] = standing(detail);
    title.textContent = detail.name;
    state.textContent = text;
    state.className = `state ${tone}`;
    document.title = `${tone === "waits" ? "❚❚ " : ""}${detail.name} · Intermission`;
    const mode = modes.find((known) => known.id === detail.mode);
    const parts = [mode?.label ?? detail.mode, words(detail.current_phase), run?.model, `begun ${ago(detail.created_at)}`].filter(Boolean);
    meta.textContent = parts.join(" · ");
    meta.title = fullTime(detail.created_at);
    const unfinished = detail.active_run !== null;
    const resumable = mode?.supports_resume !== false;
    const wanted = [
      detail.status === "active" && (resumable || !unfinished) && ["Pause", () => act(() => client.suspend(id), "Paused; the present step is still finished."), ""],
      detail.status === "suspended" && tone !== "waits" && tone !== "ended" && resumable && ["Resume", () => act(() => client.resume(id), "Resumed."), "primary"],
      unfinished && ["Cancel run", cancel, "quiet"],
      ["Rename", rename, "quiet"],
      ["Delete", remove, "quiet no"],
    ].filter(Boolean);
    const labels = wanted.map(([label]) => label).join();
    if (doings.dataset.labels !== labels) {
      const focused = doings.contains(document.activeElement) && document.activeElement.textContent;
      replace(doings, wanted.map(([label, doing, kind]) => button(label, doing, kind)));
      doings.dataset.labels = labels;
      if (focused) ([...doings.children].find((child) => child.textContent === focused) ?? title).focus();
    }
  }

  function drawQuestion() {
    const { question } = view;
    const shown = asked.dataset.id ?? "";
    if ((question?.approval_id ?? "") === shown) return;
    const had = asked.contains(document.activeElement);
    asked.dataset.id = question?.approval_id ?? "";
    if (!question) {
      replace(asked);
      if (had) title.focus({ preventScroll: true });
      return;
    }
    const team = TEAMS[detail.mode] ?? ["researcher", "engineer"];
    replace(asked, panel(id, question, team));
    // A reader who writes elsewhere is not interrupted.
    if (["BODY", "MAIN", "H1"].includes(document.activeElement.tagName) || had) asked.querySelector("h2").focus({ preventScroll: true });
  }

  const nodes = new Map();
  function drawGraph() {
    const run = current(view);
    const list = run?.nodes ?? [];
    for (const [key, element] of nodes) if (!list.some((node) => node.id === key)) (element.remove(), nodes.delete(key));
    list.forEach((node, at) => {
      let element = nodes.get(node.id);
      if (!element) {
        const pick = () => {
          filter = filter === node.id ? null : node.id;
          drawGraph();
          drawTalk(true);
        };
        element = h("li", null, h("button", { type: "button", onclick: pick }, h("span", { className: "dot", "aria-hidden": "true" }), h("span", { className: "label" }), h("span", { className: "who" }), h("time")));
        nodes.set(node.id, element);
      }
      const [, label, who, time] = element.firstChild.children;
      element.className = node.status;
      element.firstChild.setAttribute("aria-pressed", String(filter === node.id));
      label.textContent = node.goal || node.label;
      who.textContent = [node.status === "running" && !["running", "queued"].includes(run.status) ? STILL[run.status] : words(node.status), node.agent && words(node.agent)].filter(Boolean).join(" · ");
      element.node = node;
      time.textContent = elapsed(node);
      if (graph.children[at] !== element) graph.insertBefore(element, graph.children[at] ?? null);
    });
    graphNote.textContent = list.length ? (filter ? "Only this part’s messages are shown. Press it again for all." : "") : run ? "The run waits for a worker." : "No task yet.";
  }

  function elapsed(node) {
    if (!node.startedAt) return "";
    const running = node.status === "running" && current(view)?.status === "running";
    if (!node.endedAt && !running) return "";
    return span((node.endedAt ? Date.parse(node.endedAt) : Date.now()) - Date.parse(node.startedAt));
  }

  let drawn = 0;
  function drawTalk(anew) {
    if (anew || talk.firstChild?.dataset.none) {
      replace(talk);
      drawn = 0;
    }
    // Who has gone to the end follows what comes.
    const follows = scrollY > 0 && innerHeight + scrollY > document.body.scrollHeight - 120;
    for (; drawn < view.items.length; drawn += 1) {
      const item = view.items[drawn];
      if (!filter || item.node === filter || item.role === "user") talk.append(itemOf(item));
    }
    if (!talk.children.length && !live.text) replace(talk, h("li", { className: "note", "data-none": "1" }, h("p", null, current(view) ? "Nothing is written yet." : "The session waits for its first task.")));
    if (follows && !anew) scrollTo({ top: document.body.scrollHeight });
  }

  function drawLive() {
    const wasHidden = writing.hidden;
    writing.hidden = !live.text || !isLive(current(view));
    if (writing.hidden) return replace(writing);
    if (wasHidden) replace(writing, h("p", { className: "by" }, h("b", null, words(live.agent)), " writes"), h("div", { className: "prose" }));
    replace(writing.lastChild, draw(live.text, h));
  }

  function drawComposer() {
    const mode = modes.find((known) => known.id === detail.mode);
    const unfinished = detail.active_run !== null;
    const may = mode && !unfinished && !["expired"].includes(detail.status) && (detail.status !== "completed" || mode.supports_resume);
    const kind = may ? "task" : detail.status === "completed" ? "over" : "";
    if (composer.dataset.kind === kind) return;
    composer.dataset.kind = kind;
    if (kind === "over") return replace(composer, h("p", { className: "help" }, "This mode does one task in a session. ", h("a", { href: "#/start" }, "Start another")));
    if (!kind) return replace(composer);
    const text = h("textarea", { rows: 3, required: true });
    const note = h("div");
    const form = h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        try {
          await client.start(id, text.value);
          text.value = "";
          replace(note);
          await refresh();
        } catch (error) {
          replace(note, trouble(sentence(error)));
        }
      },
    }, field(detail.last_run_status ? "A further task" : "A task", text), note, h("button", { className: "primary" }, "Run"));
    replace(composer, form);
  }

  const painters = {
    graph: drawGraph,
    question: drawQuestion,
    items: () => drawTalk(),
    session: refreshSoon,
    costs: () => drawCosts(panels.get("costs"), view),
    files: () => drawFiles(panels.get("files"), id, signal),
    answers: () => drawAnswers(panels.get("answers"), view),
    record: () => drawRecord(panels.get("record"), view),
  };
  let frame = 0;
  /** A hidden part is drawn when it is shown. */
  function render() {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      for (const part of view.changed) {
        if (panels.get(part)?.hidden) continue;
        view.changed.delete(part);
        painters[part]?.();
      }
      drawLive();
    });
  }

  let soon;
  function refreshSoon() {
    clearTimeout(soon);
    soon = setTimeout(refresh, 150);
  }
  async function refresh() {
    if (signal.aborted) return;
    try {
      detail = await client.request("GET", `/api/sessions/${id}`, { signal });
      drawHead();
      drawComposer();
    } catch (error) {
      if (!signal.aborted && (isMissing(error) || isUnauthenticated(error))) fail(error);
    }
  }

  const ticking = setInterval(() => {
    for (const element of nodes.values()) element.querySelector("time").textContent = elapsed(element.node);
  }, 500);
  signal.addEventListener("abort", () => (clearInterval(ticking), clearTimeout(soon)));

  drawHead();
  drawComposer();
  view.changed.add("graph").add("items");
  render();
  follow();

  async function follow() {
    try {
      for await (const event of follower.follow(id, view.seq, { signal })) {
        apply(view, event);
        live.take(event);
        if (event.event_type === "agent_message") live = new LiveText();
        render();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error.name !== "CursorAhead" && error.code !== "cursor_ahead") return fail(error);
      // The record is another one, such as one of a backup.
      view = empty();
      drawTalk(true);
      follow();
    }
  }
}
