/**
 * The client through a running stack with the offline engine, whose addresses are in `HTTP_URL` and
 * `WS_URL`. infra/local/restart.py runs it.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { Conflict, Invalid, NotFound } from "../src/index.js";
import { stackClient } from "./through_stack.js";

const TASK = "Explain the tides. The moon pulls at the sea. The sun pulls too.";
const ASKS_FOR_ITS_PLAN = { hitlVariant: /** @type {const} */ ("planning_only"), maxPlanSteps: 2, nPlanReviews: 0 };
/** What a broken connection carries: the handshake and a few events, which are compressed. */
const BROKEN_AFTER_BYTES = 600;
const options = { timeout: 60_000 };

/** @template T @param {AsyncIterable<T>} items */
async function all(items) {
  /** @type {T[]} */
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

test("a run through broken connections is watched whole", options, async () => {
  const target = new URL(process.env.WS_URL ?? "");
  let left = 3;
  // Breaks the first connections in the middle of a frame.
  const proxy = net.createServer((client) => {
    const server = net.connect(Number(target.port), target.hostname);
    const limit = left > 0 ? BROKEN_AFTER_BYTES : Infinity;
    let carried = 0;
    client.pipe(server);
    server.on("data", (data) => {
      client.write(data.subarray(0, limit - carried));
      carried += data.length;
      if (carried >= limit && !client.destroyed) {
        left -= 1;
        client.resetAndDestroy();
      }
    });
    for (const [one, other] of /** @type {const} */ ([[client, server], [server, client]])) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const behind = new URL(target);
  behind.hostname = "127.0.0.1";
  behind.port = String(/** @type {net.AddressInfo} */ (proxy.address()).port);
  const client = stackClient({ wsUrl: behind.href });
  const watched = await all(client.run(TASK, { mode: "planning-control", config: { maxPlanSteps: 2 } }));
  proxy.close();
  assert.equal(left, 0);
  assert.deepEqual(watched.map(({ seq }) => seq), watched.map((_, index) => index + 1));
  assert.deepEqual(watched, await all(client.events(watched[0]?.session_id ?? "")));
  assert.equal(watched.at(-1)?.event_type, "complete");
});

test("a question is answered while the run is followed", options, async () => {
  const client = stackClient();
  const kinds = [];
  for await (const event of client.run(TASK, { mode: "hitl-interactive", config: ASKS_FOR_ITS_PLAN })) {
    kinds.push(event.event_type);
    if (event.event_type !== "approval_requested") continue;
    const { session_id: sessionId, data: { approval_id: id } } = event;
    const asked = await all(client.approvals(sessionId, { status: "pending" }));
    assert.deepEqual(asked.map(({ approval_id }) => approval_id), [id]);
    await assert.rejects(client.answer(sessionId, id, "perhaps"), (error) => {
      return error instanceof Invalid && error.code === "not_an_option";
    });
    await client.answer(sessionId, id, "approve");
    assert.equal((await client.answer(sessionId, id, "approve")).status, "resolved");
    await assert.rejects(client.answer(sessionId, id, "reject"), Conflict);
  }
  assert.equal(kinds.filter((kind) => kind === "approval_received").length, 1);
  assert.equal(kinds.at(-1), "complete");
});

test("the same run again follows the first one, a further one its own events", options, async () => {
  const client = stackClient();
  const idempotencyKey = crypto.randomUUID();
  const first = await all(client.run(TASK, { mode: "copilot", idempotencyKey }));
  assert.deepEqual(await all(client.run(TASK, { mode: "copilot", idempotencyKey })), first);
  const sessionId = first[0]?.session_id ?? "";
  const further = await all(client.run("Summarise: the sun pulls too.", { sessionId }));
  assert.equal(further[0]?.seq, (first.at(-1)?.seq ?? 0) + 1);
  assert.equal((await all(client.runs(sessionId))).length, 2);
  const seqs = (await all(client.history(sessionId))).map(({ seq }) => seq);
  assert.deepEqual(seqs, [...seqs].sort((one, other) => other - one));
});

test("files go up and come back", options, async () => {
  const client = stackClient();
  const { session_id: sessionId } = await client.create("copilot", { name: "Files" });
  for (const content of ["ebb", "flood: ≈ 12 h 25 min"]) {
    const file = new Blob([content], { type: "text/plain" });
    assert.equal(await client.upload(sessionId, file, { name: "tides.txt" }), "tides.txt");
    assert.equal(await (await client.download(sessionId, "tides.txt")).text(), content);
  }
  const files = await all(client.artifacts(sessionId));
  assert.deepEqual(files.map(({ name, content_type }) => [name, content_type]), [["tides.txt", "text/plain"]]);
  await assert.rejects(client.download(sessionId, "ebb.txt"), NotFound);
});

test("a session from its creation to its end", options, async () => {
  const client = stackClient();
  const { session_id: sessionId } = await client.create("hitl-interactive");
  assert.equal((await client.rename(sessionId, "Renamed")).name, "Renamed");
  await client.suspend(sessionId);
  await assert.rejects(client.suspend(sessionId), (error) => {
    return error instanceof Conflict && error.code === "session_not_active";
  });
  await client.resume(sessionId);
  await client.start(sessionId, TASK, { config: ASKS_FOR_ITS_PLAN });
  const following = async () => {
    for await (const event of client.follow(sessionId)) {
      if (event.event_type === "approval_requested") await client.cancel(sessionId);
      if (event.event_type === "workflow_cancelled") {
        const listed = await all(client.list({ limit: 20 }));
        assert.ok(listed.some(({ session_id }) => session_id === sessionId));
        await client.delete(sessionId);
      }
    }
  };
  await assert.rejects(following(), NotFound);
  await assert.rejects(client.get(sessionId), NotFound);
});
