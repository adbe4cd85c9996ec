/**
 * Who the caller is: nobody on the local stack, a pasted token, or the issuer's by authorization
 * code with PKCE (RFC 7636). Tokens are in memory alone. The verifier, which is no token, waits in
 * the tab's session storage while the issuer's page is open.
 */

import { button, field, h, replace, trouble } from "./dom.js";

const PENDING = "sign-in";
/** Of the present token. */
let held = null;
let refreshing = null;

/** The newest token; undefined where none is needed or held. */
export async function token(deployment) {
  if (held?.refresh && Date.now() > held.until) {
    refreshing ??= grant(deployment, { grant_type: "refresh_token", refresh_token: held.refresh })
      .catch(() => (held = null))
      .finally(() => (refreshing = null));
    await refreshing;
  }
  return held?.token;
}

export const isNeeded = (deployment) => deployment.sign_in !== "none" && !held;
export const forget = () => (held = null);

/** Takes the issuer's answer out of the address, if there is one. */
export async function returned(deployment) {
  const query = new URLSearchParams(location.search);
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  if (!query.has("state") || !pending) return;
  sessionStorage.removeItem(PENDING);
  history.replaceState(null, "", location.pathname + pending.hash);
  if (query.get("state") !== pending.state) throw new Error("the sign-in was begun in another tab");
  if (query.has("error")) throw new Error(query.get("error_description") ?? query.get("error"));
  const form = { grant_type: "authorization_code", code: query.get("code"), code_verifier: pending.verifier, redirect_uri: here() };
  await grant(deployment, form);
}

async function grant(deployment, form) {
  const { token_endpoint } = await discovered(deployment);
  const body = new URLSearchParams({ client_id: deployment.client_id, ...form });
  const reply = await fetch(token_endpoint, { method: "POST", body });
  const answer = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(answer.error_description ?? `the issuer answered ${reply.status}`);
  // An access token that is no JWT is for the issuer alone.
  const jwt = answer.access_token?.split(".").length === 3 ? answer.access_token : answer.id_token;
  const until = Date.now() + ((answer.expires_in ?? 300) - 60) * 1000;
  held = { token: jwt, refresh: answer.refresh_token ?? held?.refresh, until };
}

async function discovered({ issuer }) {
  const reply = await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (!reply.ok) throw new Error(`the issuer answered ${reply.status}`);
  return reply.json();
}

const here = () => location.origin + location.pathname;
const encoded = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => encoded(crypto.getRandomValues(new Uint8Array(32)));

async function leave(deployment) {
  const { authorization_endpoint } = await discovered(deployment);
  const pending = { verifier: random(), state: random(), hash: location.hash };
  const challenge = encoded(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier)));
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const url = new URL(authorization_endpoint);
  const query = {
    response_type: "code",
    client_id: deployment.client_id,
    redirect_uri: here(),
    scope: "openid",
    state: pending.state,
    code_challenge: challenge,
    code_challenge_method: "S256",
    audience: deployment.audience,
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  location.assign(url);
}

/** The sign-in page; `done` is called with a token in hand. */
export function show(main, deployment, done, problem) {
  const note = h("div", null, problem && trouble(problem));
  const say = (error) => replace(note, trouble(`Signing in failed: ${error.message}.`));
  const title = h("h1", { tabIndex: -1 }, "Sign in");
  if (deployment.sign_in === "issuer") {
    const go = button("Continue at the issuer", () => leave(deployment).catch(say), "primary large");
    replace(main, h("section", { className: "narrow" }, title, note, h("p", { className: "lead" }, `Your sessions are behind ${new URL(deployment.issuer).host}.`), go));
  } else {
    const input = h("input", { type: "password", autocomplete: "off", spellcheck: false, required: true });
    const form = h("form", {
      onsubmit: (event) => {
        event.preventDefault();
        held = { token: input.value.trim(), until: Infinity };
        done();
      },
    }, field("Token", input, "A JWT of this deployment’s issuer. It is kept in this tab’s memory alone and is gone after a reload."), h("button", { className: "primary" }, "Use this token"));
    replace(main, h("section", { className: "narrow" }, title, note, form));
  }
  title.focus({ preventScroll: true });
}
