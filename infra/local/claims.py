"""The claims of the demo about a session, and their checks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from intermission import AsyncClient
from progress import Event

# The last event of a completed run, and the status of its session.
COMPLETED = ("complete", "completed")
CANCELLED = ("workflow_cancelled", "suspended")


@dataclass
class Checks:
    """The checked claims and the failed ones."""

    failed: list[str] = field(default_factory=list)

    def expect(self, claim: str, holds: bool, otherwise: object = "") -> None:
        print(f"  {'✓' if holds else '✗'} {claim}" + ("" if holds else f": {otherwise}"), flush=True)
        if not holds:
            self.failed.append(claim)


async def expect_waiting(client: AsyncClient, checks: Checks, question: Event, claim: str) -> None:
    """Expects that the run waits for its answer and nothing was recorded since the question."""
    session = await client.get(question["session_id"])
    run = await anext(client.runs(question["session_id"]))
    stands = (session["status"], session["suspend_reason"], run["status"], session["version"])
    waits = ("suspended", "approval_required", "waiting_approval", question["seq"])
    checks.expect(claim, stands == waits, f"{stands} instead of {waits}")


async def expect_whole(
    client: AsyncClient, checks: Checks, events: Sequence[Event], ending: tuple[str, str] = COMPLETED
) -> None:
    """Expects that the run completed, and that its record has no gap, no duplicate, and is the same
    in both APIs.
    """
    session_id, begin = events[0]["session_id"], events[0]["seq"]
    kinds = Counter(event["event_type"] for event in events)
    last, status = ending
    session = await client.get(session_id)
    ended = kinds[last] == 1 and session["status"] == status
    checks.expect(f"the run ended with {last}, its session is {status}", ended, f"{session['status']}, {dict(kinds)}")
    seqs = [event["seq"] for event in events]
    whole = seqs == list(range(begin, begin + len(seqs)))
    checks.expect("no event is missing and none came twice", whole, seqs)
    steps = [e["data"]["step_number"] for e in events if e["event_type"] == "step_complete"]
    checks.expect("each step was finished once", len(steps) == len(set(steps)), steps)
    recorded = outline([dict(event) async for event in client.events(session_id, begin - 1)])
    watched = outline(events)
    checks.expect(
        "REST has the same record", recorded == watched, f"{len(recorded)} events, {len(watched)} were watched"
    )
    messages = [message async for message in client.history(session_id)]
    said = [e["seq"] for e in events if e["event_type"] == "agent_message"]
    answered = [m["seq"] for m in reversed(messages) if m["role"] == "assistant"]
    checks.expect("each message stands once in the history", answered == said, f"{answered}, watched were {said}")


def expect_answers(checks: Checks, events: Sequence[Event], given: Sequence[Event]) -> None:
    """Expects that each question has exactly the answer that was given."""
    of = {kind: [e["data"] for e in events if e["event_type"] == kind] for kind in QUESTION_AND_ANSWER}
    asked, answered = ([data["approval_id"] for data in of[kind]] for kind in QUESTION_AND_ANSWER)
    checks.expect("each question has one answer", bool(asked) and asked == answered, f"{asked}, answers {answered}")
    recorded, meant = ([answer["resolution"] for answer in answers] for answers in (of["approval_received"], given))
    checks.expect(f"the record has the answers: {', '.join(meant)}", recorded == meant, recorded)


QUESTION_AND_ANSWER = ("approval_requested", "approval_received")


def outline(events: Sequence[Event]) -> list[tuple[Any, str]]:
    return [(event["seq"], event["event_type"]) for event in events]
