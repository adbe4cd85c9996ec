/** The calls of the HTTP API: what is repeated, what is thrown, what is sent. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Conflict, ConnectionLost, Invalid, NotFound, TooManyRequests } from "../src/index.js";
import { Unauthenticated, Unavailable } from "../src/index.js";
import { Server, serving, SESSION } from "./scripted.js";

/** @typedef {import("./scripted.js").Reply} Reply */

const OK = { json: { session_id: SESSION, active_run: null } };
const LOST = { break: true };

/** @returns {Reply} */
function problem(/** @type {number} */ status, /** @type {string} */ code, headers = {}) {
  return { status, json: { detail: "A sentence.", code, request_id: "r" }, headers };
}

const UNAVAILABLE = problem(503, "unavailable");

/**
 * A call to a server that gives one reply after the other.
 * @param {Reply[]} replies
 * @param {(client: import("../src/client.js").Client) => Promise<any>} part
 * @param {Partial<import("../src/client.js").ClientOptions>} [options]
 */
async function asking(replies, part, options) {
  const server = new Server([], () => replies.shift() ?? problem(500, "unscripted"));
  const answer = await serving(server, () => part(server.client(options))).then(
    (value) => ({ value, error: undefined }),
    (error) => ({ value: undefined, error }),
  );
  return { ...answer, asked: server.asked };
}

test("a create is repeated under one key, and another one has another", async () => {
  const { value, asked } = await asking([UNAVAILABLE, LOST, OK], (client) => client.create("copilot"));
  assert.equal(value.session_id, SESSION);
  assert.equal(asked.length, 3);
  assert.equal(new Set(asked.map(({ headers }) => headers["idempotency-key"])).size, 1);
  const two = await asking([OK, OK], async (client) => [await client.create("ocr"), await client.create("ocr")]);
  assert.equal(new Set(two.asked.map(({ headers }) => headers["idempotency-key"])).size, 2);
});

test("what may have been done is not done again", async () => {
  for (const [reply, error] of /** @type {const} */ ([[LOST, ConnectionLost], [UNAVAILABLE, Unavailable]])) {
    const resumed = await asking([reply, OK], (client) => client.resume(SESSION, { additionalContext: "The sun." }));
    assert.ok(resumed.error instanceof error);
    assert.equal(resumed.asked.length, 1);
    assert.deepEqual(JSON.parse(resumed.asked[0]?.body ?? ""), { additional_context: "The sun." });
  }
});

test("what was not sent is sent again", async () => {
  const server = new Server([], () => OK);
  await server.listen();
  await server.stop();
  let refused = 0;
  const suspended = server.client({
    fetch: (url, options) =>
      fetch(url, options).catch(async (error) => {
        refused += 1;
        await server.listen();
        throw error;
      }),
  });
  await suspended.suspend(SESSION);
  assert.deepEqual([refused, server.asked.length], [1, 1]);
  await server.stop();
});

test("the wait that is asked for is kept", async () => {
  const begun = Date.now();
  const limited = problem(429, "too_many_runs", { "retry-after": "1" });
  const { asked } = await asking([limited, OK], (client) => client.suspend(SESSION));
  assert.equal(asked.length, 2);
  assert.ok(Date.now() - begun >= 1000);
});

test("a wait until midnight is the caller's", async () => {
  const spent = problem(429, "budget_spent", { "retry-after": "40000" });
  const { error } = await asking([spent], (client) => client.start(SESSION, "Explain the tides."));
  assert.ok(error instanceof TooManyRequests);
  assert.deepEqual([error.code, error.retryAfter], ["budget_spent", 40000]);
});

test("a server that stays away is an error after five attempts", async () => {
  const { error, asked } = await asking(Array(6).fill(UNAVAILABLE), (client) => client.get(SESSION));
  assert.ok(error instanceof Unavailable);
  assert.equal(asked.length, 5);
});

test("a fault of the server is not asked for again, a silent function is", async () => {
  const fault = await asking([problem(500, "internal"), OK], (client) => client.get(SESSION));
  assert.ok(fault.error instanceof Unavailable);
  const silent = { status: 500, json: { message: "Internal Server Error" } };
  assert.equal((await asking([silent, OK], (client) => client.get(SESSION))).asked.length, 2);
});

test("errors have types and codes", async () => {
  for (const [status, code, type] of /** @type {const} */ ([
    [404, "session_not_found", NotFound],
    [409, "approval_open", Conflict],
    [422, "empty_task", Invalid],
    [403, "foreign_origin", Unauthenticated],
  ])) {
    const { error } = await asking([problem(status, code)], (client) => client.suspend(SESSION));
    assert.ok(error instanceof type);
    assert.deepEqual([error.status, error.code, error.message, error.requestId], [status, code, "A sentence.", "r"]);
  }
});

test("a reply that is not the server's is an error too", async () => {
  const page = { status: 413, text: "<html>Too large</html>", headers: { "x-request-id": "r" } };
  const { error } = await asking([page], (client) => client.suspend(SESSION));
  assert.ok(error instanceof Invalid);
  assert.deepEqual([error.code, error.requestId], ["http_413", "r"]);
});

test("a token that has ended is fetched again once", async () => {
  const over = { status: 401, json: { message: "Unauthorized" } };
  const tokens = ["old", "fresh"];
  const { asked } = await asking([over, OK], (client) => client.suspend(SESSION), { token: () => tokens.shift() });
  assert.deepEqual(asked.map(({ headers }) => headers.authorization), ["Bearer old", "Bearer fresh"]);
  for (const token of ["constant", () => "wrong"]) {
    const { error } = await asking([over, over, OK], (client) => client.suspend(SESSION), { token });
    assert.ok(error instanceof Unauthenticated);
  }
});

test("a local stack gets no token", async () => {
  const { asked } = await asking([OK], (client) => client.get(SESSION));
  assert.equal(asked[0]?.headers.authorization, undefined);
});

test("a list goes through all its pages", async () => {
  const pages = [
    { json: { sessions: [{ name: "one" }], next_cursor: "c1" } },
    { json: { sessions: [{ name: "two" }], next_cursor: null } },
  ];
  const { value, asked } = await asking(pages, async (client) => {
    const names = [];
    for await (const { name } of client.list({ status: "active", limit: 1 })) names.push(name);
    return names;
  });
  assert.deepEqual(value, ["one", "two"]);
  const query = "/api/sessions?status=active&limit=1";
  assert.deepEqual(asked.map(({ path }) => path), [query, `${query}&cursor=c1`]);
});

test("a delete whose reply was lost is done", async () => {
  const gone = problem(404, "session_not_found");
  assert.equal((await asking([LOST, gone], (client) => client.delete(SESSION))).error, undefined);
  assert.ok((await asking([gone], (client) => client.delete(SESSION))).error instanceof NotFound);
});

test("an answer is sent whole and may be repeated", async () => {
  const { asked } = await asking([LOST, { json: { status: "resolved" } }], (client) =>
    client.answer(SESSION, "a/1", "revise", { feedback: "Begin with the sun." }),
  );
  assert.equal(asked[1]?.path, `/api/sessions/${SESSION}/approvals/a%2F1`);
  assert.deepEqual(JSON.parse(asked[1]?.body ?? ""), { resolution: "revise", feedback: "Begin with the sun." });
});

test("a cancel means the run that has not ended", async () => {
  const running = { json: { active_run: "run-1" } };
  const { asked } = await asking([running, OK], (client) => client.cancel(SESSION));
  assert.equal(asked[1]?.path, `/api/sessions/${SESSION}/runs/run-1/cancel`);
  assert.ok((await asking([OK], (client) => client.cancel(SESSION))).error instanceof Conflict);
});

/** A server whose bucket is itself. @param {(asked: import("./scripted.js").Asked) => Reply} reply */
function withBucket(reply) {
  /** @type {Server} */
  const server = new Server([], (asked) => reply(asked));
  return server;
}

test("an upload that another one overtook asks for a new link", async () => {
  let links = 0;
  const headers = { "content-length": "5", "content-type": "text/plain", "if-none-match": "*" };
  const server = withBucket(({ method, path }) => {
    if (method === "PUT") return { status: path === "/1" ? 412 : 200, text: "" };
    links += 1;
    return { json: { artifact: "a.txt", method: "PUT", url: `http://127.0.0.1:${server.port}/${links}`, headers } };
  });
  await serving(server, async () => {
    const client = server.client({ token: "secret" });
    const name = await client.upload(SESSION, new Blob(["tides"], { type: "text/plain" }), { name: "a.txt" });
    assert.equal(name, "a.txt");
  });
  const [asked, put] = server.asked.slice(2);
  assert.deepEqual(JSON.parse(asked?.body ?? ""), { name: "a.txt", content_type: "text/plain", size: 5 });
  assert.deepEqual([put?.path, put?.body, put?.headers["if-none-match"]], ["/2", "tides", "*"]);
  // Two rights at once are refused by S3, and the token is for nobody else.
  assert.equal(put?.headers.authorization, undefined);
});

test("a file is downloaded by its link alone", async () => {
  const server = withBucket(({ path }) => {
    if (!path.startsWith("/api")) return { text: "text" };
    const artifact = (/** @type {string | null} */ run_id) => ({
      name: "a.md",
      run_id,
      url: `http://127.0.0.1:${server.port}/${run_id}`,
    });
    return { json: { artifacts: [artifact("r1"), artifact("r2")], next_cursor: null } };
  });
  await serving(server, async () => {
    const client = server.client({ token: "secret" });
    assert.equal(await (await client.download(SESSION, "a.md")).text(), "text");
    assert.deepEqual([server.asked[1]?.path, server.asked[1]?.headers.authorization], ["/r2", undefined]);
    await client.download(SESSION, "a.md", { runId: "r1" });
    assert.equal(server.asked[3]?.path, "/r1");
    await assert.rejects(client.download(SESSION, "c"), NotFound);
  });
});
