"""The acts of the demo with questions: a run asks, waits without any process, and continues with
the answer.

The person at the terminal answers. Without an answer in time, or without a terminal, a default
answer is used.
"""

import asyncio
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from claims import CANCELLED, COMPLETED, Checks, expect_answers, expect_waiting, expect_whole
from intermission import AsyncClient
from progress import Event, Progress, follow, heading, shortened

Answer = dict[str, Any]

# The time to choose an option, and again to type a text.
CHOICE_SECONDS = 8.0
WORDS_SECONDS = 60.0
# No answer is sent for this time, to check that nothing runs meanwhile.
WAITED_SECONDS = 2.0
# A run that asks only about its plan.
PLANNING_ONLY = {"hitlVariant": "planning_only", "maxPlanSteps": 3, "nPlanReviews": 0}
# Options that require a text.
WANT_WORDS = frozenset({"submit", "custom", "revise"})
# Options that end a run without completing it.
NEGATIVE = frozenset({"reject", "abort"})


@dataclass
class Person:
    """Answers a run's questions. Without input, `defaults` are used: checkpoint type → answer."""

    progress: Progress
    defaults: Mapping[str, Answer]
    given: list[Answer] = field(default_factory=list)

    async def answer(self, question: Event) -> Answer:
        """Shows a question and returns the answer."""
        options = question["options"]
        for line in (question["message"], *details(question["context"]), f"options: {', '.join(options)}"):
            self.progress.say(line)
        # The accepting answer to an unexpected question.
        yes = {"resolution": options[0], "feedback": "As you think best."}
        answer = await self.choose(options, self.defaults.get(question["checkpoint_type"], yes))
        self.progress.say(f"answer: {' – '.join(shortened(said) for said in answer.values())}")
        self.given.append(answer)
        return answer

    async def choose(self, options: list[str], default: Answer) -> Answer:
        """An option, typed by its name or a prefix, with the text that it requires."""
        while True:
            word = await typed(f"your answer ({default['resolution']} after {CHOICE_SECONDS:.0f} s)", CHOICE_SECONDS)
            if not word:
                return default
            meant = [option for option in options if option.startswith(word)]
            if len(meant) == 1:
                break
        if meant[0] not in WANT_WORDS:
            return {"resolution": meant[0]}
        words = await typed("in your words", WORDS_SECONDS)
        return {"resolution": meant[0], "feedback": words} if words else default


async def typed(prompt: str, seconds: float) -> str | None:
    """A line from the terminal; None without a terminal, or if nothing is typed in time."""
    if not sys.stdin.isatty():
        return None
    # Discards input typed before the question.
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    print(f"  >>>   {prompt}: ", end="", flush=True)
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, ready.set)
    try:
        await asyncio.wait_for(ready.wait(), seconds)
    except TimeoutError:
        print(flush=True)
        return None
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip()


def details(context: dict[str, Any]) -> list[str]:
    """The information that a person needs to answer."""
    plan = [f"{n}. {step['sub_task']} ({step['sub_task_agent']})" for n, step in enumerate(context.get("plan", []), 1)]
    answer = [context["answer"]] if "answer" in context else []
    return [shortened(line) for line in plan + answer]


async def a_plan_is_approved(client: AsyncClient, checks: Checks, text: str) -> None:
    heading("A person approves the plan (hitl-interactive)")
    task = f"Explain this text to a pupil.\n\n{text}"
    person = Person(Progress("hitl-interactive"), {"during_planning": {"resolution": "approve"}})
    config = PLANNING_ONLY | {"allowPlanModification": False}
    await answered(client, checks, person, task, name="Tides, with a plan to approve", config=config)


async def a_question_comes_back(client: AsyncClient, checks: Checks, text: str) -> None:
    heading("A task says too little; then the turn is over (copilot, conversational)")
    defaults = {
        "clarification": {"resolution": "submit", "feedback": f"Summarise this text.\n\n{text}"},
        "copilot_turn": {"resolution": "done"},
    }
    person = Person(Progress("copilot"), defaults)
    config = {"conversational": True}
    await answered(client, checks, person, "Tides.", name="Tides, in a conversation", config=config)


async def answered(client: AsyncClient, checks: Checks, person: Person, task: str, **run: Any) -> None:
    """A run whose questions are answered at the terminal."""

    async def watch(event: Event) -> None:
        if event["event_type"] != "approval_requested":
            return
        answer = await person.answer(event["data"])
        await expect_waiting(client, checks, event, "until then the run waited, and nothing ran")
        await client.answer(event["session_id"], event["data"]["approval_id"], **answer)

    events = await follow(client, person.progress, task, watch, **run)
    expect_answers(checks, events, person.given)
    ended = person.given and person.given[-1]["resolution"] in NEGATIVE
    await expect_whole(client, checks, events, CANCELLED if ended else COMPLETED)


async def a_plan_is_changed(client: AsyncClient, checks: Checks, text: str) -> None:
    heading("A plan is changed (hitl-interactive)")
    progress = Progress("hitl-interactive")
    given: list[Answer] = []

    async def watch(event: Event) -> None:
        if event["event_type"] != "approval_requested":
            return
        session_id = event["session_id"]
        async for approval in client.approvals(session_id, status="pending"):
            for line in (approval["message"], *details(approval["context"]), f"expires {approval['expires_at']}"):
                progress.say(line)
        await asyncio.sleep(WAITED_SECONDS)
        await expect_waiting(
            client, checks, event, f"{WAITED_SECONDS:.0f} seconds later the run waits, and nothing ran"
        )
        given.append({"resolution": "modify", "modifications": {"plan": event["data"]["context"]["plan"][:1]}})
        answered = await client.answer(session_id, event["data"]["approval_id"], **given[-1])
        progress.say("modify – the first step is plan enough")
        checks.expect("the answer is taken", answered["status"] == "resolved", answered)

    task = f"Explain this text to a pupil.\n\n{text}"
    events = await follow(client, progress, task, watch, name="Tides, with a plan to change", config=PLANNING_ONLY)
    expect_answers(checks, events, given)
    steps = [event for event in events if event["event_type"] == "step_complete"]
    checks.expect("the changed plan was followed", len(steps) == 1, f"{len(steps)} steps")
    await expect_whole(client, checks, events)
