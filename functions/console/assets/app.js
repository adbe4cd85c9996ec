/** The page: its navigation, its connection, and which screen is shown. */

import { connection, deployment, isUnauthenticated, sentence } from "./api.js";
import { h, replace, trouble } from "./dom.js";
import * as signin from "./signin.js";
import * as session from "./session.js";
import * as sessions from "./sessions.js";
import * as start from "./start.js";

const main = document.getElementById("main");
const SCREENS = [
  [/^#\/sessions\/([0-9a-f-]{36})$/, session.show],
  [/^#\/start$/, start.show],
  [/^#?\/?$/, sessions.show],
];
let shown = new AbortController();
let first = true;

/** Shows the screen of the address. A screen ends by its signal. */
async function route(problem) {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  online(true);
  navigation();
  if (signin.isNeeded(deployment)) return signin.show(main, deployment, route, typeof problem === "string" ? problem : null);
  for (const [pattern, show] of SCREENS) {
    const found = location.hash.match(pattern);
    if (!found) continue;
    try {
      await show(main, { signal, id: found[1], fail });
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
    if (!first && !signal.aborted) main.querySelector("h1")?.focus({ preventScroll: true });
    first = false;
    return;
  }
  replace(main, h("section", { className: "narrow" }, h("h1", { tabIndex: -1 }, "Nothing here"), trouble("This address leads to nothing."), h("p", null, h("a", { href: "#/" }, "To the sessions"))));
}

/** Shows an error in place of the screen. */
function fail(error) {
  if (isUnauthenticated(error)) {
    signin.forget();
    return route(deployment.sign_in === "none" ? null : "The token has ended, or it is not accepted here.");
  }
  const back = h("p", null, h("a", { href: "#/" }, "To the sessions"));
  replace(main, h("section", { className: "narrow" }, h("h1", { tabIndex: -1 }, "That did not work"), trouble(sentence(error), () => route()), back));
}

function navigation() {
  const link = (href, text) => h("a", { href, "aria-current": location.hash === href || (href === "#/" && location.hash === "") ? "page" : null }, text);
  replace(document.getElementById("nav"), link("#/", "Sessions"), link("#/start", "Start"));
}

let late;
/** A lost connection is told after a moment: most come back at once. */
function online(open) {
  clearTimeout(late);
  const note = document.getElementById("connection");
  if (open) return replace(note);
  late = setTimeout(() => replace(note, h("p", null, "The connection is lost. Trying again; nothing is missed.")), 600);
}

connection.addEventListener("change", ({ detail }) => online(detail));
addEventListener("hashchange", () => route());
signin.returned(deployment).then(
  () => route(),
  (error) => route(`Signing in failed: ${error.message}.`),
);
