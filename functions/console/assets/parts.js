/** The parts of a session beside its conversation, and the items of that. */

import { client, sentence } from "./api.js";
import { button, h, replace, trouble } from "./dom.js";
import { ago, bytes, clock, count, fullTime, money, span, words } from "./format.js";
import { draw } from "./markdown.js";
import { planOf } from "./question.js";
import { sums } from "./view.js";

const PREVIEW_BYTES = 20_000;

/** The costs as bars: by agent and by step. */
export function drawCosts(body, view) {
  const costs = view.runs.flatMap((run) => run.costs);
  const usd = costs.reduce((sum, cost) => sum + cost.cost_usd, 0);
  const tokens = costs.reduce((sum, cost) => sum + cost.tokens, 0);
  const calls = costs.length === 1 ? "1 call" : `${costs.length} calls`;
  const priced = costs.some((cost) => cost.priced !== false);
  const chart = (name, by) => {
    const rows = sums(costs, by);
    const size = (row) => (usd > 0 ? row.usd / usd : row.tokens / (tokens || 1));
    const bar = (row) => {
      const fillBar = h("span");
      fillBar.style.width = `${(size(row) * 100).toFixed(2)}%`;
      return h("span", { className: "share", "aria-hidden": "true" }, fillBar);
    };
    return [h("h3", null, name), h("table", { className: "costs" }, h("caption", { className: "away" }, name), h("thead", { className: "away" }, h("tr", null, ["Name", "Share", "Tokens", "Calls", "Cost"].map((head) => h("th", { scope: "col" }, head)))), h("tbody", null, rows.map((row) => h("tr", null, h("th", { scope: "row" }, words(row.name)), h("td", null, bar(row), h("span", { className: "away" }, `${Math.round(size(row) * 100)} %`)), h("td", null, `${row.estimated ? "≈ " : ""}${count(row.tokens)} tokens`), h("td", null, `${row.calls} ${row.calls === 1 ? "call" : "calls"}`), h("td", null, money(row.usd, row.priced))))))];
  };
  replace(body, costs.length === 0
    ? h("p", { className: "empty" }, "No model was called yet.")
    : [h("p", { className: "total" }, priced ? [h("b", null, money(usd)), ` for ${count(tokens)} tokens in ${calls}`] : [h("b", null, count(tokens)), ` tokens in ${calls} without a price`]), chart("By agent", "agent"), chart("By step", "step_id")]);
}

/** The files, each with a link for 15 minutes. */
export async function drawFiles(body, id, signal) {
  try {
    const files = [];
    for await (const file of client.artifacts(id)) files.push(file);
    if (signal.aborted) return;
    replace(body, files.length === 0 ? h("p", { className: "empty" }, "No file yet. Uploads and what agents write are here.") : h("ul", { className: "files" }, files.map((file) => fileOf(file, id))));
  } catch (error) {
    if (!signal.aborted) replace(body, trouble(sentence(error), () => drawFiles(body, id, signal)));
  }
}

function fileOf(file, id) {
  const shown = h("div");
  const isText = /^(text\/|application\/(json|xml))/.test(file.content_type) || /\.(md|txt|json|py|csv|tex)$/.test(file.name);
  const isPicture = /^image\/(png|jpeg|gif|webp)$/.test(file.content_type);
  const look = async () => {
    if (shown.firstChild) return replace(shown);
    if (isPicture) return replace(shown, h("img", { src: file.url, alt: file.name }));
    try {
      const text = await (await client.download(id, file.name, file.run_id ? { runId: file.run_id } : {})).text();
      const cut = text.length > PREVIEW_BYTES ? "\n\n… the rest is in the file." : "";
      const part = text.slice(0, PREVIEW_BYTES) + cut;
      replace(shown, file.name.endsWith(".md") ? h("div", { className: "prose about" }, draw(part, h)) : h("pre", { tabIndex: 0, role: "group", "aria-label": file.name }, part));
    } catch (error) {
      replace(shown, trouble(sentence(error), look));
    }
  };
  return h("li", null,
    h("div", { className: "file" }, h("a", { href: file.url, target: "_blank", rel: "noopener noreferrer" }, file.name), h("span", { className: "help" }, `${bytes(file.size)} · ${file.run_id ? "by the run" : "uploaded"} · ${ago(file.created_at)}`), (isText || isPicture) && button("Preview", look, "quiet small", { "aria-label": `Preview ${file.name}` })),
    shown);
}

/** Who answered what and when. */
export function drawAnswers(body, view) {
  replace(body, view.answers.length === 0
    ? h("p", { className: "empty" }, "Nobody was asked yet.")
    : h("ol", { className: "answers" }, view.answers.map((answer) => h("li", null, h("p", null, answer.question), h("p", null, h("b", null, words(answer.resolution)), ` by ${answer.by ?? "nobody"}, `, h("time", { dateTime: answer.at }, fullTime(answer.at))), answer.feedback && h("blockquote", null, answer.feedback), answer.plan && planOf(answer.plan)))));
}

/** The raw record; an event is written out when it is opened. */
export function drawRecord(body, view) {
  if (body.firstChild?.view !== view) {
    replace(body, h("ol", { className: "record" }));
    body.firstChild.view = view;
  }
  const list = body.firstChild;
  for (const { seq, timestamp, event_type: kind, data } of view.events.slice(list.children.length)) {
    const content = h("pre", { tabIndex: 0 });
    const open = (event) => event.target.open && !content.textContent && (content.textContent = JSON.stringify(data, null, 2));
    list.append(h("li", null, h("details", { ontoggle: open }, h("summary", null, h("span", { className: "seq" }, seq), h("time", { dateTime: timestamp, title: fullTime(timestamp) }, clock(timestamp)), h("code", null, kind)), content)));
  }
}

/** A part of the conversation. */
export function itemOf(item) {
  const time = h("time", { dateTime: item.at, title: fullTime(item.at) }, clock(item.at));
  switch (item.type) {
    case "message": {
      const who = item.role === "user" ? "You" : words(item.agent ?? item.role);
      const plan = item.plan?.length ? item.plan : item.plan?.steps;
      return h("li", { className: `message ${item.role === "user" ? "user" : "agent"}` },
        h("p", { className: "by" }, h("b", null, who), time),
        plan ? planOf(plan) : h("div", { className: "prose" }, draw(item.text, h)),
        item.artifact && h("p", { className: "help" }, `The whole of it is the file ${item.artifact}.`));
    }
    case "question":
      return h("li", { className: "note asked" }, h("p", null, item.text), time);
    case "answer":
      return h("li", { className: "note" }, h("p", null, h("b", null, words(item.resolution)), item.by ? ` by ${item.by}` : ""), time);
    case "failure":
      return h("li", { className: "note failure" }, h("p", null, item.final ? `The run failed: ${item.text}` : item.text), time);
    case "end":
      return h("li", { className: "note" }, h("p", null, `Completed${item.seconds === undefined ? "" : ` in ${span(item.seconds * 1000)}`}.`), time);
    default:
      return h("li", { className: "note" }, h("p", null, item.text), time);
  }
}
