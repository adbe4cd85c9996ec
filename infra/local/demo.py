"""`make demo`: real tasks with a worker that is killed, a document that is read, and people who are
asked.

Exits 0 only if all printed checks hold.
"""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import asking
import reading
import settings as configuration
import stack
import template as templates
from claims import Checks, expect_whole
from client import Event, Refused, rest
from processes import Failed, running_from
from progress import Progress, follow, heading
from websockets.exceptions import WebSocketException

TASK = Path(__file__).with_name("tides.txt")
# The offline engine answers at once. A delay makes its progress visible and allows a kill within a
# step.
LATENCY_MS = "700"
# The step during which the worker is killed. One step is complete by then, and further ones remain.
KILLED_STEP = 2


@dataclass
class Killer:
    """Kills the executor's process once, during a step."""

    program: Path
    progress: Progress
    killed: list[int] = field(default_factory=list)
    # The last event that the run had saved before the kill.
    saved_seq: int = 0

    async def watch(self, event: Event) -> None:
        """Kills shortly after the step has begun."""
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
    """Runs the acts in order."""
    text = TASK.read_text()
    await one_shot(env, checks, text)
    session_id = await killed_in_the_middle(env, checks, text)
    heading("The session, by REST")
    print_session(env["HTTP_URL"], session_id)
    await reading.a_document_is_read(env, checks)
    await asking.a_plan_is_approved(env, checks, text)
    await asking.a_plan_is_changed(env, checks, text)
    await asking.a_question_comes_back(env, checks, text)
    suspend_and_resume(env["HTTP_URL"], checks)


async def one_shot(env: stack.Env, checks: Checks, text: str) -> None:
    heading("One agent answers a task (one-shot)")
    frame = {
        "task": f"Summarise this text.\n\n{text}",
        "config": {"mode": "one-shot", "sessionName": "Tides, in short"},
    }
    follower = await follow(env["WS_URL"], frame, Progress("one-shot"))
    expect_whole(env["HTTP_URL"], checks, follower)


async def killed_in_the_middle(env: stack.Env, checks: Checks, text: str) -> str:
    """The second act; returns its session."""
    heading("A plan, a review, steps – and a worker that dies (planning-control)")
    config = {"mode": "planning-control", "maxPlanSteps": 4, "nPlanReviews": 1, "sessionName": "Tides, in steps"}
    progress = Progress("planning-control")
    killer = Killer(Path(env["EXECUTOR_PATH"]), progress)
    frame = {"task": f"Explain this text to a pupil.\n\n{text}", "config": config}
    follower = await follow(env["WS_URL"], frame, progress, killer.watch)
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


if __name__ == "__main__":
    sys.exit(main())
