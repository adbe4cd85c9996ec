/** Following a session through all that happens to a connection. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Client, ConnectionLost, CursorAhead, NotFound, Unauthenticated } from "../src/index.js";
import { limits } from "../src/socket.js";
import { first, frame, replayEnd, RUN, Server, serving, SESSION } from "./scripted.js";

/** @typedef {import("./scripted.js").Connection} Connection */

const answerSeconds = limits.answerSeconds;
afterEach(() => {
  limits.answerSeconds = answerSeconds;
});

/**
 * The seqs of the first events.
 * @param {Server} server
 * @param {number} count
 * @param {Partial<import("../src/client.js").ClientOptions>} [options]
 */
const seqs = (server, count, options, after = 0) =>
  serving(server, async () => {
    const events = await first(count, server.client(options).follow(SESSION, after));
    return events.map((event) => event.seq);
  });

/** A connection that replays up to `last` and stays. @param {number} last */
const stays = (last) => async (/** @type {Connection} */ connection) => {
  await connection.replay(last);
  await connection.closed;
};

test("a killed socket is opened again behind the last event", async () => {
  /** @type {number[]} */
  const afters = [];
  const server = new Server([
    async (connection) => {
      afters.push(await connection.replay(3));
      setTimeout(() => connection.kill(), 20);
    },
    async (connection) => {
      afters.push(await connection.replay(6));
    },
  ]);
  assert.deepEqual(await seqs(server, 6), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(afters, [0, 3]);
  assert.deepEqual(server.states, [true, false, true, false]);
});

test("an event ends the growth of the waits", { timeout: 5000 }, async () => {
  const one = async (/** @type {Connection} */ connection) => {
    connection.send(frame((await connection.receive()).after + 1));
    setTimeout(() => connection.kill(), 5);
  };
  assert.deepEqual(await seqs(new Server(Array(14).fill(one)), 14), Array.from({ length: 14 }, (_, at) => at + 1));
});

test("a connection that ends after its two hours is opened again", async () => {
  const ends = async (/** @type {Connection} */ connection) => {
    await connection.replay(1);
    connection.socket.close(1001);
  };
  assert.deepEqual(await seqs(new Server([ends, stays(2)]), 2), [1, 2]);
});

test("events that come twice or are lost arrive once", async () => {
  const untidy = async (/** @type {Connection} */ connection) => {
    await connection.receive();
    connection.send(frame(1), frame(1), frame(3), frame(4));
    assert.equal((await connection.receive()).after, 1);
    connection.send(frame(1), frame(2), frame(3), frame(4), replayEnd(4), frame(5));
  };
  assert.deepEqual(await seqs(new Server([untidy]), 5), [1, 2, 3, 4, 5]);
});

test("a token that ends is replaced by a fresh one", async () => {
  const tokens = ["old", "asked by HTTP", "fresh"];
  /** @type {Array<string | null>} */
  const seen = [];
  const over = async (/** @type {Connection} */ connection) => {
    seen.push(connection.token);
    await connection.replay(1);
    // The pushes have stopped; the next frame is refused.
    assert.deepEqual(await connection.receive(), { type: "ping" });
    const refusal = { code: "unauthenticated", message: "The token is over." };
    connection.send(frame(null, "error", refusal, { session_id: null }));
  };
  const goesOn = async (/** @type {Connection} */ connection) => {
    seen.push(connection.token);
    await connection.replay(2);
  };
  const server = new Server([over, goesOn]);
  const token = async () => tokens.shift();
  assert.deepEqual(await seqs(server, 2, { token, pingSeconds: 0.05 }), [1, 2]);
  assert.deepEqual(seen, ["old", "fresh"]);
  assert.equal(server.asked[0]?.headers.authorization, "Bearer asked by HTTP");
});

test("a refused token is an error", async () => {
  const server = new Server([], () => ({ status: 401, json: { message: "Unauthorized" } }));
  await assert.rejects(seqs(server, 1, { token: () => "wrong" }), Unauthenticated);
});

test("a quiet socket is asked for a lost last event", async () => {
  const losesTheLast = async (/** @type {Connection} */ connection) => {
    await connection.replay(1);
    assert.deepEqual(await connection.receive(), { type: "ping" });
    connection.send(frame(null, "pong", { last_seq: 2 }));
    await connection.replay(2);
  };
  assert.deepEqual(await seqs(new Server([losesTheLast]), 2, { pingSeconds: 0.05 }), [1, 2]);
});

test("a socket that answers no ping is left", async () => {
  limits.answerSeconds = 0.1;
  assert.deepEqual(await seqs(new Server([stays(1), stays(2)]), 2, { pingSeconds: 0.05 }), [1, 2]);
});

test("a server that restarts is waited for", async () => {
  const server = new Server([stays(2), stays(4)]);
  await server.listen();
  const events = server.client().follow(SESSION);
  assert.deepEqual((await first(1, { [Symbol.asyncIterator]: () => ({ next: () => events.next() }) }))[0]?.seq, 1);
  assert.equal((await events.next()).value?.seq, 2);
  await server.stop();
  const next = events.next();
  await new Promise((resolve) => setTimeout(resolve, 100));
  await server.listen();
  assert.equal((await next).value?.seq, 3);
  assert.equal((await events.next()).value?.seq, 4);
  await events.return();
  await server.stop();
});

test("a server that stays away is given up", async () => {
  const server = new Server([]);
  await server.listen();
  await server.stop();
  await assert.rejects(first(1, server.client({ patienceSeconds: 0.2 }).follow(SESSION)), {
    name: "ConnectionLost",
    message: "no connection for 0.2 seconds",
  });
});

test("a deleted session ends the following", async () => {
  const problem = { detail: "No such session.", code: "session_not_found", message: "No such session." };
  const deleted = async (/** @type {Connection} */ connection) => {
    await connection.receive();
    connection.send(frame(null, "error", problem, { session_id: null }));
  };
  await assert.rejects(seqs(new Server([deleted]), 1), NotFound);
  await assert.rejects(seqs(new Server([], () => ({ status: 404, json: problem })), 1), NotFound);
});

test("a gateway without its routes is waited for", async () => {
  const refuses = async (/** @type {Connection} */ connection) => connection.kill();
  const server = new Server([refuses, stays(1)], () => ({ status: 404, json: { message: "Not Found" } }));
  assert.deepEqual(await seqs(server, 1), [1]);
});

test("a record that ends before the caller's copy is an error", async () => {
  const restored = async (/** @type {Connection} */ connection) => {
    await connection.receive();
    connection.send(replayEnd(5, { cursor_ahead: true }));
  };
  await assert.rejects(seqs(new Server([restored]), 1, {}, 9), CursorAhead);
});

test("whoever leaves closes the socket", async () => {
  /** @type {(value: unknown) => void} */
  let left = () => {};
  const closed = new Promise((resolve) => (left = resolve));
  const server = new Server([
    async (connection) => {
      await connection.replay(2);
      left(await connection.closed);
    },
  ]);
  await serving(server, async () => {
    for await (const _ of server.client().follow(SESSION)) break;
    await closed;
  });
});

test("a signal ends the waiting, on a connection and between two", async () => {
  await serving(new Server([stays(0)]), async () => {});
  for (const scripts of [[stays(0)], []]) {
    const server = new Server(scripts);
    await serving(server, async () => {
      const leaving = new AbortController();
      const waiting = first(1, server.client().follow(SESSION, 0, { signal: leaving.signal }));
      setTimeout(() => leaving.abort(), 50);
      await assert.rejects(waiting, { name: "AbortError" });
    });
  }
});

test("a run is followed to its end, under one key", async () => {
  const completes = async (/** @type {Connection} */ connection) => {
    assert.equal(await connection.replay(2), 0);
    const earlier = frame(3, "complete", { message: "an earlier run's" }, { run_id: "another" });
    connection.send(earlier, frame(4, "complete", { message: "done" }), frame(5));
  };
  const server = new Server([completes], ({ path }) =>
    path === "/api/sessions" ? { json: { session_id: SESSION } } : { status: 202, json: { id: RUN } },
  );
  await serving(server, async () => {
    const kinds = [];
    const options = { mode: /** @type {const} */ ("copilot"), idempotencyKey: "tides-1" };
    for await (const event of server.client().run("Explain the tides.", options)) kinds.push(event.event_type);
    assert.deepEqual(kinds, ["output", "output", "complete", "complete"]);
  });
  const sent = server.asked.map(({ path, headers, body }) => [path, headers["idempotency-key"], JSON.parse(body)]);
  assert.deepEqual(sent, [
    ["/api/sessions", "tides-1", { mode: "copilot" }],
    [`/api/sessions/${SESSION}/runs`, "tides-1", { task: "Explain the tides." }],
  ]);
});

test("a further run is followed from its own first event to its failure", async () => {
  const fails = async (/** @type {Connection} */ connection) => {
    assert.equal((await connection.receive()).after, 7);
    connection.send(frame(8), frame(9, "workflow_failed"), frame(10, "error", { code: "x", message: "away" }));
  };
  const server = new Server([fails], ({ path }) =>
    path.includes("/history") ? { json: { events: [{ id: "8" }] } } : { json: { id: RUN } },
  );
  await serving(server, async () => {
    const seen = await first(9, server.client().run("And the moon?", { sessionId: SESSION }));
    assert.deepEqual(seen.map((event) => event.seq), [8, 9, 10]);
  });
});

test("an address of the wrong API and a missing WebSocket are named", async () => {
  assert.throws(() => new Client({ httpUrl: "ws://a", wsUrl: "http://a" }), /http/);
  if (globalThis.WebSocket) return;
  const client = new Client({ httpUrl: "http://127.0.0.1:9", wsUrl: "ws://127.0.0.1:9" });
  await assert.rejects(first(1, client.follow(SESSION)), /package ws/);
  assert.ok(ConnectionLost);
});
