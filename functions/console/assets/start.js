/** A new session: its mode, its task, its files and its settings, which come from the API's schema. */

import { client, isUnauthenticated, sentence } from "./api.js";
import { button, field, h, replace, trouble } from "./dom.js";
import { bytes, words } from "./format.js";

/** Of every mode; they come behind the mode's own. */
const COMMON = ["model", "maxAttempts", "maxRounds", "maxCostUsd"];
const TASKS = { ocr: "Read the document." };
const PAPERS = "A text that refers to papers on arXiv.";
const HINTS = { ocr: "A PDF or an image is read; the task is only its title.", arxiv: PAPERS, "enhance-input": PAPERS };
let schema;

async function loaded(signal) {
  const reply = await fetch(new URL("config.json", import.meta.url), { signal });
  if (!reply.ok) throw new Error("there is a newer version of it; reload the page");
  return reply.json();
}

export async function show(main, { signal, fail }) {
  document.title = "Start · Intermission";
  schema ??= await loaded(signal);
  if (signal.aborted) return;
  let files = [];
  let mode = schema.modes[0];
  let made = null;
  const needsDocument = () => mode.keys.includes("document");
  const controls = new Map();
  const models = h("datalist", { id: "models" });
  const task = h("textarea", { className: "tall", required: true });
  const name = h("input", { type: "text", maxLength: 255, placeholder: "The mode and the time" });
  const settings = h("div");
  const list = h("ul", { className: "chosen" });
  const notes = h("div");
  const hint = h("p", { className: "help" });
  const submit = h("button", { className: "primary large" }, "Start");

  const radios = schema.modes.map((one) => {
    const box = h("input", { type: "radio", name: "mode", value: one.id, checked: one === mode, onchange: () => pick(one) });
    return h("label", { className: "card" }, box, h("b", null, one.label), h("span", null, one.description));
  });

  const chooser = h("input", { type: "file", multiple: true, onchange: () => (take(chooser.files), (chooser.value = "")) });
  const drop = h("div", {
    className: "drop",
    ondragover: (event) => (event.preventDefault(), drop.classList.add("over")),
    ondragleave: () => drop.classList.remove("over"),
    ondrop: (event) => (event.preventDefault(), drop.classList.remove("over"), take(event.dataTransfer.files)),
  }, field("Files", chooser, "Choose them, or drop them here."), list);

  const form = h("form", { onsubmit: begin },
    h("fieldset", { className: "modes" }, h("legend", null, "Mode"), radios),
    field("Task", task), hint, drop, field("Name, if you like", name), settings, notes, submit, models);
  replace(main, h("section", { className: "narrow" }, h("h1", { tabIndex: -1 }, "Start a task"), form));
  pick(mode);
  client.request("GET", "/api/models/config", { signal }).then(({ available_models: known }) => replace(models, known.map(({ value, label }) => h("option", { value }, label))), () => {});

  function pick(one) {
    if (!task.value || task.value === (TASKS[mode.id] ?? "")) task.value = TASKS[one.id] ?? "";
    mode = one;
    hint.textContent = HINTS[one.id] ?? "";
    controls.clear();
    // `document` is the first of the files.
    const own = one.keys.filter((key) => !COMMON.includes(key) && key !== "document");
    const group = (title, keys, open) => keys.length > 0 && h("details", { className: "settings", open }, h("summary", null, title), h("div", null, keys.map(settingOf)));
    replace(settings, group(`Settings of ${one.label}`, own, own.length < 7), group("Models, tries and costs", one.keys.filter((key) => COMMON.includes(key)), false));
    chooser.required = needsDocument() && files.length === 0;
  }

  function settingOf(key) {
    const { kind, choices, min, max, above, default: preset, help } = schema.keys[key];
    let control;
    if (kind === "choice") control = h("select", null, choices.map((value) => h("option", { value, selected: value === preset }, words(value))));
    else if (kind === "boolean") control = h("input", { type: "checkbox", checked: preset === "true" });
    else if (kind === "text") control = key.endsWith("odel") ? h("input", { type: "text", list: "models", spellcheck: false }) : h("textarea", { rows: 2 });
    else control = h("input", { type: "number", step: kind === "integer" ? 1 : "any", min: min ?? (above === undefined ? null : above + 0.0001), max, placeholder: preset ?? "none" });
    controls.set(key, { control, kind, preset });
    const range = min !== undefined && max !== undefined ? ` ${min} to ${max}.` : "";
    const about = `${help}${range}${preset && kind !== "boolean" ? ` Default: ${words(preset).toLowerCase()}.` : ""}`;
    const shown = field(words(key), control, about.split("`").map((part, at) => (at % 2 ? h("code", null, part) : part)));
    if (kind === "boolean") shown.classList.add("tick");
    return shown;
  }

  /** What differs from the defaults. */
  function config() {
    const chosen = {};
    for (const [key, { control, kind, preset }] of controls) {
      if (kind === "boolean") {
        if (String(control.checked) !== preset) chosen[key] = control.checked;
      } else if (control.value.trim() && control.value !== preset) {
        chosen[key] = ["integer", "number"].includes(kind) ? Number(control.value) : control.value.trim();
      }
    }
    if (needsDocument() && files[0]) chosen.document = files[0].name.normalize("NFC");
    return chosen;
  }

  function take(added) {
    files = [...files.filter((file) => ![...added].some((one) => one.name === file.name)), ...added];
    chooser.required = needsDocument() && files.length === 0;
    replace(list, files.map((file) => h("li", null, `${file.name}, ${bytes(file.size)}`, button("Remove", () => ((files = files.filter((one) => one !== file)), take([]), chooser.focus()), "quiet small", { "aria-label": `Remove ${file.name}` }))));
  }

  async function begin(event) {
    event.preventDefault();
    submit.disabled = true;
    const label = (text) => (submit.textContent = text);
    try {
      const chosen = config();
      label("Creating the session …");
      // A second try after a failed upload goes on with the same session.
      if (made?.mode !== mode.id) made = await client.create(mode.id, { name: name.value.trim() || undefined, config: chosen });
      for (const [at, file] of files.entries()) {
        label(`Uploading ${at + 1} of ${files.length} …`);
        await client.upload(made.session_id, file);
      }
      label("Starting …");
      await client.start(made.session_id, task.value, { config: chosen });
      location.hash = `#/sessions/${made.session_id}`;
    } catch (error) {
      if (isUnauthenticated(error)) return fail(error);
      replace(notes, trouble(sentence(error)));
      submit.disabled = false;
      label("Start");
    }
  }
}
