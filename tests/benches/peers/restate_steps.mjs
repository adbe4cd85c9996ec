// Empty steps of Restate: a handler whose `ctx.run` returns the answer. The server runs already;
// the handlers are in this process.
//
// The history of a handler are its own earlier steps. They are run before, and not measured.

import http2 from "node:http2";
import { readFileSync } from "node:fs";
import * as restate from "@restatedev/restate-sdk";

// The SDK needs it from Node 22; the rest of it runs on Node 20.
Promise.withResolvers ??= () => {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};

const { STORAGE_PID, RESTATE_INGRESS, RESTATE_ADMIN, HANDLERS_PORT, MEASURED } = process.env;
// `measure.py` has the lengths of the runs.
const { steps: STEPS, at_once: AT_ONCE, histories: HISTORIES, runs: RUNS, answer: ANSWER } = JSON.parse(MEASURED);
const SYSTEM = "restate";
const MOST_AT_ONCE = Math.max(...AT_ONCE);
const WARM_UP_STEPS = 30;

// Handlers that run the same lengths of steps side by side; each length begins for all at the same
// moment.
class Race {
  constructor(history, lengths, atOnce) {
    Object.assign(this, { history, lengths, atOnce, segments: [], arrived: 0 });
    this.#close();
  }

  #close() {
    this.opened = new Promise((resolve) => (this.open = resolve));
  }

  async gate() {
    const opened = this.opened;
    this.arrived += 1;
    if (this.arrived === this.atOnce) {
      this.arrived = 0;
      const segment = this.segments.at(-1);
      if (segment) Object.assign(segment, { wall: since(segment.begun), after: cpuSeconds() });
      if (this.segments.length < this.lengths.length) {
        this.segments.push({ begun: performance.now(), before: cpuSeconds(), times: [] });
      }
      const open = this.open;
      this.#close();
      open();
    }
    await opened;
  }
}

let race;

const handlers = restate.service({
  name: "Steps",
  handlers: {
    run: async (ctx) => {
      const current = race;
      for (let number = 0; number < current.history; number += 1) await ctx.run(() => ANSWER);
      for (const [number, length] of current.lengths.entries()) {
        await current.gate();
        const { times } = current.segments[number];
        for (let step = 0; step < length; step += 1) {
          const begun = performance.now();
          await ctx.run(() => ANSWER);
          times.push(performance.now() - begun);
        }
      }
      await current.gate();
    },
  },
});

const since = (begun) => (performance.now() - begun) / 1e3;

// Linux's process table, whose clock has 100 ticks a second (proc(5)).
function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return { own: (user + system) / 1e6, storage: ticks() };
}

function ticks() {
  try {
    const fields = readFileSync(`/proc/${STORAGE_PID}/stat`, "utf8").split(") ").at(-1).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}

function writtenBytes() {
  try {
    return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${STORAGE_PID}/io`, "utf8"))[1]);
  } catch {
    return null;
  }
}

const emit = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function post(url, body) {
  const headers = { "content-type": "application/json" };
  const reply = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
}

async function run(history, lengths, atOnce) {
  race = new Race(history, lengths, atOnce);
  const calls = Array.from({ length: atOnce }, () => post(`${RESTATE_INGRESS}/Steps/run`, null));
  await Promise.all(calls);
  return race.segments;
}

async function measureTimes(history, lengths, atOnce) {
  const segments = await run(history, lengths, atOnce);
  for (const [number, { wall, before, after, times }] of segments.entries()) {
    emit({
      kind: "times",
      system: SYSTEM,
      history,
      steps: lengths[number],
      at_once: atOnce,
      wall_s: wall,
      own_cpu_s: after.own - before.own,
      storage_cpu_s: after.storage === null ? null : after.storage - before.storage,
      step_ms: times,
    });
  }
}

// The bytes of a step that the server gives to the disk, which it does some time later.
async function measureCost(history) {
  const steps = 500;
  const settle = () => new Promise((resolve) => setTimeout(resolve, 1_000));
  await settle();
  const before = writtenBytes();
  await run(0, [steps], 1);
  await settle();
  const bytes = before === null ? null : (writtenBytes() - before) / steps;
  // One message asks the server to record a result, and one says that it is recorded.
  for (const length of STEPS) {
    emit({ kind: "cost", system: SYSTEM, history, steps: length, requests: 1, bytes });
  }
}

const server = http2.createServer(restate.createEndpointHandler({ services: [handlers] }));
await new Promise((resolve) => server.listen(Number(HANDLERS_PORT), "127.0.0.1", resolve));
await post(`${RESTATE_ADMIN}/deployments`, { uri: `http://127.0.0.1:${HANDLERS_PORT}` });
await run(0, [WARM_UP_STEPS], MOST_AT_ONCE);
for (const history of HISTORIES) {
  await measureCost(history);
  for (const atOnce of AT_ONCE) {
    const lengths = STEPS.map((steps) => Array(RUNS[`${steps}x${atOnce}`] / atOnce).fill(steps));
    const races = history === 0 ? lengths : [lengths.flat()];
    for (const each of races) await measureTimes(history, each, atOnce);
  }
}
// A pipe takes its rest first; `exit` alone would drop it.
process.stdout.write("", () => process.exit(0));
