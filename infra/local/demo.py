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
from intermission import AsyncClient, ConnectionLost, IntermissionError
from processes import Failed, running_from
from progress import Event, Progress, follow, heading

TASK = Path(__file__).with_name("tides.txt")
# The offline engine answers at once. A delay makes its progress visible and allows a kill within a
# step.
LATENCY_MS = "700"
# The step during which the worker is killed. One step is complete by then, and further ones remain.
KILLED_STEP = 2
# A lost last event is noticed after this time.
QUIET_SECONDS = 2.0


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
    except ConnectionLost as reason:
        return stack.failed(Failed(f"the stack did not answer: {reason}; see {stack.relative(settings.logs)}"))
    except (Failed, IntermissionError, configuration.Invalid) as reason:
        return stack.failed(reason)
    except KeyboardInterrupt:
        return 130
    if not checks.failed:
        print(f"\nto watch such sessions in the console: make up, then open {settings.http_url}/")
    print("\nall of it happened" if not checks.failed else f"\nfailed: {'; '.join(checks.failed)}", flush=True)
    return 1 if checks.failed else 0


async def play(env: stack.Env, checks: Checks) -> None:
    """Runs the acts in order."""
    text = TASK.read_text()
    async with AsyncClient(env["HTTP_URL"], env["WS_URL"], ping_seconds=QUIET_SECONDS) as client:
        await one_shot(client, checks, text)
        session_id = await killed_in_the_middle(client, Path(env["EXECUTOR_PATH"]), checks, text)
        heading("The session, by REST")
        await print_session(client, session_id)
        await reading.a_document_is_read(client, checks)
        await asking.a_plan_is_approved(client, checks, text)
        await asking.a_plan_is_changed(client, checks, text)
        await asking.a_question_comes_back(client, checks, text)
        await suspend_and_resume(client, checks)


async def one_shot(client: AsyncClient, checks: Checks, text: str) -> None:
    heading("One agent answers a task (one-shot)")
    task = f"Summarise this text.\n\n{text}"
    events = await follow(client, Progress("one-shot"), task, name="Tides, in short")
    await expect_whole(client, checks, events)


async def killed_in_the_middle(client: AsyncClient, program: Path, checks: Checks, text: str) -> str:
    """The second act; returns its session."""
    heading("A plan, a review, steps – and a worker that dies (planning-control)")
    progress = Progress("planning-control")
    killer = Killer(program, progress)
    task = f"Explain this text to a pupil.\n\n{text}"
    config = {"maxPlanSteps": 4, "nPlanReviews": 1}
    events = await follow(client, progress, task, killer.watch, name="Tides, in steps", config=config)
    checks.expect("the executor's process was killed", bool(killer.killed), "no process ran from its path")
    survivors = set(running_from(killer.program)) - set(killer.killed)
    checks.expect("another process finished the run", bool(survivors), "none is left")
    after = [e for e in events if e["seq"] > killer.saved_seq]
    again = [
        e
        for e in after
        if e["event_type"] == "phase_change" and (e["data"].get("step_number") or KILLED_STEP) < KILLED_STEP
    ]
    checks.expect("it went on from the last saved step", bool(after) and not again, f"{len(again)} steps began again")
    await expect_whole(client, checks, events)
    session_id: str = events[0]["session_id"]
    return session_id


async def print_session(client: AsyncClient, session_id: str) -> None:
    session = await client.get(session_id)
    for key in ("session_id", "name", "mode", "status", "current_phase", "version", "created_at", "updated_at"):
        print(f"  {key:<14} {session[key]}")
    for number, planned in enumerate(session["plan_data"] or [], 1):
        print(f"  step {number:<9} {planned['sub_task']} ({planned['sub_task_agent']})")
    print(f"  messages       {len(session['conversation_history'])}")


async def suspend_and_resume(client: AsyncClient, checks: Checks) -> None:
    heading("Suspend and resume")
    session = await client.create("copilot")
    checks.expect("a new session is active", session["status"] == "active", session)
    for action, becomes in ((client.suspend, "suspended"), (client.resume, "active")):
        await action(session["session_id"])
        now = await client.get(session["session_id"])
        checks.expect(f"{action.__name__} makes it {becomes}", now["status"] == becomes, now)


if __name__ == "__main__":
    sys.exit(main())
