/** All sessions of the caller. */

import { client, isUnauthenticated, sentence, sessions } from "./api.js";
import { askToDelete, button, h, replace, toast, trouble } from "./dom.js";
import { ago, fullTime, standing, words } from "./format.js";
import { inOrder } from "./view.js";

const POLL_MS = 4000;
const STATUSES = ["active", "suspended", "completed", "expired"];
/** Survives a visit to a session. */
const filter = { mode: "", status: "", search: "" };

export async function show(main, { signal, fail }) {
  const known = new Map();
  const rows = new Map();
  let older = null;
  let modes = [];

  const list = h("ul", { className: "sessions", "aria-label": "Sessions" });
  const none = h("div");
  const notes = h("div");
  const more = button("Show older sessions", () => load(older), "quiet", { hidden: true });
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search these sessions", value: filter.search, oninput: () => ((filter.search = search.value), draw()) });
  const choice = (name, label) => {
    const select = h("select", { "aria-label": label, onchange: () => ((filter[name] = select.value), begin()) });
    return select;
  };
  const [mode, status] = [choice("mode", "Mode"), choice("status", "Status")];
  const option = (value, text, chosen) => h("option", { value, selected: value === chosen }, text);
  replace(status, option("", "Every status", ""), STATUSES.map((word) => option(word, words(word), filter.status)));
  replace(mode, option("", "Every mode", ""));

  replace(
    main,
    h("section", null,
      h("div", { className: "head" }, h("h1", { tabIndex: -1 }, "Sessions"), h("a", { className: "button primary", href: "#/start" }, "Start a task")),
      h("div", { className: "filters", role: "search" }, search, mode, status),
      notes, list, none, more),
  );

  const isFiltered = () => filter.mode || filter.status || filter.search;
  const matches = ({ name, mode: id, session_id }) => [name, id, session_id].some((text) => text.toLowerCase().includes(filter.search.toLowerCase()));

  function draw() {
    const wanted = inOrder(known.values()).filter(matches);
    for (const [id, row] of rows) if (!wanted.some((one) => one.session_id === id)) (row.element.remove(), rows.delete(id));
    wanted.forEach((one, at) => {
      let row = rows.get(one.session_id);
      if (!row) rows.set(one.session_id, (row = rowOf(one.session_id)));
      row.update(one, modes);
      if (list.children[at] !== row.element) list.insertBefore(row.element, list.children[at] ?? null);
    });
    list.hidden = wanted.length === 0;
    more.hidden = !older;
    const text = isFiltered()
      ? [h("p", null, "No session is like this."), button("Show all", clear, "quiet")]
      : [h("p", { className: "lead" }, "No session yet."), h("p", null, "A session runs a task of AI agents, keeps every step, and can stop to ask you. Start one and watch it here."), h("a", { className: "button primary", href: "#/start" }, "Start the first task")];
    if (wanted.length) replace(none);
    else if (!none.firstChild || none.dataset.kind !== String(Boolean(isFiltered()))) replace(none, h("div", { className: "empty" }, text));
    none.dataset.kind = String(Boolean(isFiltered()));
    document.title = `${wanted.filter((one) => standing(one)[1] === "waits").length ? "❚❚ " : ""}Sessions · Intermission`;
  }

  function clear() {
    Object.assign(filter, { mode: "", status: "", search: "" });
    search.value = mode.value = status.value = "";
    begin();
    search.focus();
  }

  function rowOf(id) {
    const name = h("a", { href: `#/sessions/${id}` });
    const kind = h("span", { className: "mode" });
    const state = h("span");
    const bar = h("progress", { max: 100, "aria-label": "Progress" });
    const time = h("time");
    const remove = button("Delete", () => drop(id, name.textContent), "quiet small");
    const element = h("li", null, h("div", { className: "what" }, name, kind), state, bar, time, remove);
    const update = (one) => {
      const [text, tone] = standing(one);
      const label = modes.find((known) => known.id === one.mode)?.label ?? one.mode;
      const step = one.current_step ? ` · step ${one.current_step}` : "";
      if (name.textContent !== one.name) name.textContent = one.name;
      remove.setAttribute("aria-label", `Delete ${one.name}`);
      kind.textContent = `${label} · ${words(one.current_phase)}${step}`;
      state.textContent = text;
      state.className = `state ${tone}`;
      element.className = tone;
      bar.classList.toggle("unknown", one.progress === null);
      bar.value = one.progress ?? 0;
      time.dateTime = one.updated_at;
      time.title = fullTime(one.updated_at);
      time.textContent = ago(one.updated_at);
    };
    return { element, update };
  }

  async function drop(id, name) {
    if (!(await askToDelete(name))) return;
    try {
      await client.delete(id);
      known.delete(id);
      draw();
      toast("Deleted.");
      main.querySelector("h1")?.focus();
    } catch (error) {
      toast(sentence(error), "bad");
    }
  }

  let asked = 0;
  /** Loads the first page, or the one at a cursor. What is newer than a page's end and not on it is gone. */
  async function load(cursor) {
    const turn = (asked += 1);
    const query = { mode: filter.mode || undefined, status: filter.status || undefined, limit: 50, cursor: cursor ?? undefined };
    try {
      const page = await sessions(query, signal);
      if (turn !== asked) return;
      if (!cursor) {
        const end = page.next_cursor ? page.sessions.at(-1)?.updated_at : "";
        for (const [id, one] of known) if (one.updated_at > end) known.delete(id);
        if (known.size === 0) older = page.next_cursor;
      } else older = page.next_cursor;
      for (const one of page.sessions) known.set(one.session_id, one);
      replace(notes);
      draw();
    } catch (error) {
      if (signal.aborted) return;
      if (isUnauthenticated(error)) return fail(error);
      replace(notes, trouble(sentence(error), () => load(cursor)));
    }
  }

  function begin() {
    known.clear();
    older = null;
    return load();
  }

  const timer = setInterval(() => document.visibilityState === "visible" && load(), POLL_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && load(), { signal });
  client.request("GET", "/api/sessions/modes/list", { signal }).then((answer) => {
    modes = answer.modes;
    mode.append(...modes.map(({ id, label }) => option(id, label, filter.mode)));
    draw();
  }, () => {});
  await begin();
}
