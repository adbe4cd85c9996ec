/** Elements without HTML text: nothing here, or above, parses markup. */

/**
 * An element with properties and children. `on…` are listeners, `class` and names with a dash are
 * attributes, false and null leave a property or a child out.
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes("-") && name !== "list" && name !== "role") element[name] = value;
    else element.setAttribute(name === "className" ? "class" : name, value === true ? "" : String(value));
  }
  fill(element, children);
  return element;
}

/** Adds children; arrays are flattened, texts become text nodes. */
export function fill(element, children) {
  const nodes = [children].flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  element.append(...nodes.map((child) => (typeof child === "object" ? child : String(child))));
  return element;
}

/** Replaces the content. */
export function replace(element, ...children) {
  element.replaceChildren();
  return fill(element, children);
}

/** A button; `kind` is a class. */
export function button(label, onclick, kind = "", props = {}) {
  return h("button", { type: "button", className: kind, onclick, ...props }, label);
}

/** A label, its field and its help. */
export function field(label, control, help) {
  control.id ||= `f${(field.count = (field.count ?? 0) + 1)}`;
  const id = `${control.id}-help`;
  if (help) control.setAttribute("aria-describedby", id);
  return h("div", { className: "field" }, h("label", { htmlFor: control.id }, label), control, help && h("p", { className: "help", id }, help));
}

/** Asks before a thing is done; resolves to the text that was entered, true, or null. */
export function ask(title, text, { confirm = "OK", danger = false, input } = {}) {
  return new Promise((resolve) => {
    const box = input === undefined ? null : h("input", { type: "text", value: input, maxLength: 255, required: true, "aria-label": title });
    const form = h(
      "form",
      { method: "dialog", onsubmit: () => dialog.close(box ? box.value : "yes") },
      h("h2", { id: "ask" }, title),
      text && h("p", null, text),
      box,
      h("div", { className: "actions" }, button("Cancel", () => dialog.close(""), "quiet"), h("button", { className: danger ? "danger" : "primary" }, confirm)),
    );
    const before = document.activeElement;
    const dialog = h("dialog", { "aria-labelledby": "ask" }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before?.isConnected) before.focus();
      resolve(dialog.returnValue ? (box ? dialog.returnValue : true) : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    if (box) box.select();
  });
}

export function askToDelete(name) {
  return ask("Delete this session?", `“${name}”, its record and its files are deleted, and its run is stopped. This cannot be undone.`, { confirm: "Delete", danger: true });
}

/** A passing note. */
export function toast(text, kind = "") {
  const note = h("p", { className: kind }, text);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 6000);
}

/** What went wrong, as a sentence, with a way on. */
export function trouble(sentence, again, label = "Try again") {
  return h("div", { className: "trouble", role: "alert" }, h("p", null, sentence), again && button(label, again, "quiet"));
}
