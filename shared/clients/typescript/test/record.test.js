/** The rule of `seq`, and the text that is being written. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, CursorAhead, LiveText, NotFound } from "../src/index.js";
import { SessionRecord } from "../src/record.js";
import { frame, replayEnd, SESSION } from "./scripted.js";

/** @param {number} after */
const subscribe = (after) => ({ reply: { type: "subscribe", session_id: SESSION, after } });

function behindFour() {
  const record = new SessionRecord(SESSION, 4);
  record.reconnected();
  return record;
}

test("the next event is applied and a lower one dropped", () => {
  const record = behindFour();
  assert.deepEqual(record.take(frame(5)), { event: frame(5) });
  assert.deepEqual(record.take(frame(5)), {});
  assert.deepEqual(record.take(frame(4)), {});
  assert.equal(record.last, 5);
});

test("a gap is asked for once", () => {
  const record = behindFour();
  assert.deepEqual(record.take(frame(7)), subscribe(4));
  assert.deepEqual(record.take(frame(8)), {});
  record.take(frame(5));
  assert.deepEqual(record.take(frame(7)), subscribe(5));
});

test("a pong finds a lost last event and asks each time", () => {
  const record = behindFour();
  assert.deepEqual(record.take(frame(null, "pong", { last_seq: 4 })), {});
  assert.deepEqual(record.take(frame(null, "pong", { last_seq: 5 })), subscribe(4));
  assert.deepEqual(record.take(frame(null, "pong", { last_seq: 5 })), subscribe(4));
});

test("a connection whose subscribe was lost is found by its pong", () => {
  const pong = frame(null, "pong", { last_seq: 0 }, { session_id: null });
  assert.deepEqual(behindFour().take(pong), subscribe(4));
});

test("a replay that stopped early is continued", () => {
  const record = behindFour();
  record.take(frame(5));
  const end = frame(null, "replay_end", { last_seq: 900, next_after: 5, more: true });
  assert.deepEqual(record.take(end), subscribe(5));
  assert.deepEqual(record.take(end), {});
});

test("a record of another history is an error", () => {
  assert.throws(() => behindFour().take(replayEnd(2, { cursor_ahead: true })), CursorAhead);
});

test("what is not of the record is passed over", () => {
  const record = behindFour();
  const gateway = { message: "Internal server error", connectionId: "L0SM=", requestId: "L0SN=" };
  for (const other of [gateway, frame(null, "workflow_state_changed"), frame(5, "output", {}, { session_id: "another" })]) {
    assert.deepEqual(record.take(other), {});
  }
  assert.equal(record.last, 4);
});

test("live text is handed on and counts nothing", () => {
  const record = behindFour();
  const delta = frame(null, "agent_message_delta", { message_id: "m", offset: 0, text: "Hi" });
  assert.deepEqual(record.take(delta), { event: delta });
  assert.equal(record.last, 4);
});

test("an error frame is an error with its code, a recorded error is an event", () => {
  const record = behindFour();
  const gone = frame(null, "error", { code: "session_not_found", message: "No such session." });
  assert.throws(() => record.take(gone), (error) => error instanceof NotFound && error.code === "session_not_found");
  assert.throws(() => record.take(frame(null, "error", { code: "unknown_frame", message: "?" })), ApiError);
  const failed = frame(5, "error", { code: "model_unavailable", message: "The model is away." });
  assert.deepEqual(record.take(failed), { event: failed });
});

/** @param {number} offset @param {string} text */
const delta = (offset, text, message_id = "m") =>
  frame(null, "agent_message_delta", { message_id, agent: "a", node_id: "n", offset, text });

test("pieces are put together and one that comes twice is dropped", () => {
  const live = new LiveText();
  assert.equal(live.take(delta(0, "The ")), true);
  assert.equal(live.take(delta(4, "tides")), true);
  assert.equal(live.take(delta(0, "The ")), false);
  assert.equal(live.text, "The tides");
});

test("offsets count characters, also beyond the basic plane", () => {
  const live = new LiveText();
  live.take(delta(0, "🌊🌕"));
  live.take(delta(1, "🌕 r"));
  live.take(delta(4, "ise"));
  assert.equal(live.text, "🌊🌕 rise");
});

test("after a lost piece the text waits for the message", () => {
  const live = new LiveText();
  live.take(delta(0, "The "));
  assert.equal(live.take(delta(9, " rise")), false);
  assert.equal(live.text, "The ");
  const data = { message_id: "m", agent: "a", role: "assistant", message: "The tides rise" };
  assert.equal(live.take(frame(9, "agent_message", data)), true);
  assert.equal(live.text, "The tides rise");
});

test("a new message drops the text before it, other events change nothing", () => {
  const live = new LiveText();
  live.take(delta(0, "A first attempt"));
  live.take(delta(0, "Once", "another"));
  assert.equal(live.take(frame(1)), false);
  assert.equal(live.take(frame(2, "agent_message", { agent: "a", role: "assistant", message: "old" })), false);
  assert.deepEqual([live.messageId, live.text], ["another", "Once"]);
});
