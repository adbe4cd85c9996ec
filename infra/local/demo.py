"""`make demo`: a real task in two modes, a worker killed in the middle of the second, nothing lost.

Exits 0 only when each of the checks that it prints holds.
"""

import asyncio
import os
import signal
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException

import settings as configuration
import stack
import template as templates
from client import Event, Follower, Refused, rest, run_task
from processes import Failed, running_from
from progress import Progress

TASK = Path(__file__).with_name("tides.txt")
# The offline engine answers at once; with this there is something to watch, and a moment to kill in.
LATENCY_MS = "700"
# The step in whose middle the worker is killed: one is finished by then, and some are left.
KILLED_STEP = 2


@dataclass
class Checks:
    """What was claimed, and whether it held."""

    failed: list[str] = field(default_factory=list)

    def expect(self, claim: str, holds: bool, otherwise: object = "") -> None:
        print(f"  {'✓' if holds else '✗'} {claim}" + ("" if holds else f": {otherwise}"), flush=True)
        if not holds:
            self.failed.append(claim)


@dataclass
class Killer:
    """Kills the executor's process in the middle of a step, once."""

    program: Path
    progress: Progress
    killed: list[int] = field(default_factory=list)
    # The last event that the run had saved by then.
    saved_seq: int = 0

    async def watch(self, event: Event) -> None:
        """Strikes a moment after the step has begun."""
        data = event["data"]
        if self.killed or event["event_type"] != "phase_change" or data.get("step_number") != KILLED_STEP:
            return
        await asyncio.sleep(int(LATENCY_MS) / 1000 / 3)
        self.killed = running_from(self.program)
        self.saved_seq = event["seq"]
        for pid in self.killed:
            os.kill(pid, signal.SIGKILL)
        pids = ", ".join(map(str, self.killed)) or "nobody"
        self.progress.say(f"kill -9 {pids}: the executor is dead in the middle of step {KILLED_STEP}")
        self.progress.say("its lease runs out, its message comes back, another executor takes over …")


def main() -> int:
    """The exit code of `make demo`."""
    environment = {"OFFLINE_LATENCY_MS": LATENCY_MS, **os.environ}
    try:
        names = templates.parameter_names(templates.read(configuration.TEMPLATE))
        settings = configuration.from_environment(names, environment, quick=True, native=True, hot_reload=False)
        if "executor" not in settings.native:
            raise configuration.Invalid("the demo kills the executor, so EXECUTOR must be native")
        with stack.running(settings) as running:
            checks = Checks()
            asyncio.run(play(running.env, checks))
    except (Failed, Refused, configuration.Invalid) as reason:
        return stack.failed(reason)
    except WebSocketException as reason:
        return stack.failed(Failed(f"the WebSocket did not stay open: {reason}; see {stack.relative(settings.logs)}"))
    except KeyboardInterrupt:
        return 130
    print("\nall of it happened" if not checks.failed else f"\nfailed: {'; '.join(checks.failed)}", flush=True)
    return 1 if checks.failed else 0


async def play(env: stack.Env, checks: Checks) -> None:
    """The acts, in order."""
    text = TASK.read_text()
    await one_shot(env, checks, text)
    session_id = await killed_in_the_middle(env, checks, text)
    heading("The session, by REST")
    print_session(env["HTTP_URL"], session_id)
    suspend_and_resume(env["HTTP_URL"], checks)


async def one_shot(env: stack.Env, checks: Checks, text: str) -> None:
    heading("One agent answers a task (one-shot)")
    frame = {
        "task": f"Summarise this text.\n\n{text}",
        "config": {"mode": "one-shot", "sessionName": "Tides, in short"},
    }
    follower = await follow(env, frame, Progress("one-shot"))
    expect_whole(env["HTTP_URL"], checks, follower)


async def killed_in_the_middle(env: stack.Env, checks: Checks, text: str) -> str:
    """The second act; returns its session."""
    heading("A plan, a review, steps – and a worker that dies (planning-control)")
    config = {"mode": "planning-control", "maxPlanSteps": 4, "nPlanReviews": 1, "sessionName": "Tides, in steps"}
    progress = Progress("planning-control")
    killer = Killer(Path(env["EXECUTOR_PATH"]), progress)
    frame = {"task": f"Explain this text to a pupil.\n\n{text}", "config": config}
    follower = await follow(env, frame, progress, killer.watch)
    checks.expect("the executor's process was killed", bool(killer.killed), "no process ran from its path")
    survivors = set(running_from(killer.program)) - set(killer.killed)
    checks.expect("another process finished the run", bool(survivors), "none is left")
    after = [e for e in follower.events if e["seq"] > killer.saved_seq]
    again = [
        e
        for e in after
        if e["event_type"] == "phase_change" and (e["data"].get("step_number") or KILLED_STEP) < KILLED_STEP
    ]
    checks.expect("it went on from the last saved step", bool(after) and not again, f"{len(again)} steps began again")
    expect_whole(env["HTTP_URL"], checks, follower)
    return follower.session_id or ""


async def follow(
    env: stack.Env, frame: Event, progress: Progress, watch: Callable[[Event], Any] | None = None
) -> Follower:
    """Sends the task and draws its events until the run has ended."""
    follower = Follower()
    async for event in run_task(env["WS_URL"], f"demo-{uuid.uuid4()}", frame, follower):
        progress.show(event)
        if watch:
            await watch(event)
    return follower


def expect_whole(url: str, checks: Checks, follower: Follower) -> None:
    """The run completed, and its record is gap-free, single, and the same one by both APIs."""
    kinds = Counter(event["event_type"] for event in follower.events)
    checks.expect("the run completed", kinds["workflow_completed"] == 1 and kinds["complete"] == 1, dict(kinds))
    seqs = [event["seq"] for event in follower.events]
    checks.expect("no event is missing and none came twice", seqs == list(range(1, len(seqs) + 1)), seqs)
    steps = [e["data"]["step_number"] for e in follower.events if e["event_type"] == "step_complete"]
    checks.expect("each step was finished once", len(steps) == len(set(steps)), steps)
    recorded = [(event["seq"], event["event_type"]) for event in record(url, follower.session_id)]
    watched = [(event["seq"], event["event_type"]) for event in follower.events]
    checks.expect(
        "REST has the same record", recorded == watched, f"{len(recorded)} events, {len(watched)} were watched"
    )
    _, history = rest(url, "GET", f"/api/sessions/{follower.session_id}/history?limit=1000")
    said = [e["seq"] for e in follower.events if e["event_type"] == "agent_message"]
    answered = [m["seq"] for m in history["messages"] if m["role"] == "assistant"]
    checks.expect("each message stands once in the history", answered == said, f"{answered}, watched were {said}")


def record(url: str, session_id: str | None) -> list[Event]:
    """All events of a session, page by page."""
    events: list[Event] = []
    after: int | None = 0
    while after is not None:
        _, page = rest(url, "GET", f"/api/sessions/{session_id}/events?after={after}&limit=500")
        events += page["events"]
        after = page["next_after"]
    return events


def print_session(url: str, session_id: str) -> None:
    _, session = rest(url, "GET", f"/api/sessions/{session_id}")
    for key in ("session_id", "name", "mode", "status", "current_phase", "version", "created_at", "updated_at"):
        print(f"  {key:<14} {session[key]}")
    for number, planned in enumerate(session["plan_data"] or [], 1):
        print(f"  step {number:<9} {planned['sub_task']} ({planned['sub_task_agent']})")
    print(f"  messages       {len(session['conversation_history'])}")


def suspend_and_resume(url: str, checks: Checks) -> None:
    heading("Suspend and resume")
    status, session = rest(url, "POST", "/api/sessions", {"mode": "copilot"})
    checks.expect("a new session is active", (status, session.get("status")) == (200, "active"), session)
    for action, becomes in (("suspend", "suspended"), ("resume", "active")):
        status, answer = rest(url, "POST", f"/api/sessions/{session['session_id']}/{action}")
        _, now = rest(url, "GET", f"/api/sessions/{session['session_id']}")
        checks.expect(f"{action} makes it {becomes}", (status, now["status"]) == (200, becomes), answer)


def heading(text: str) -> None:
    print(f"\n{text}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
