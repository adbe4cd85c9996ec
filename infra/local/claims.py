"""The claims of the demo about a session, and their checks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from client import Event, Follower, rest

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


def expect_waiting(url: str, checks: Checks, question: Event, claim: str) -> None:
    """Expects that the run waits for its answer and nothing was recorded since the question."""
    path = f"/api/sessions/{question['session_id']}"
    _, session = rest(url, "GET", path)
    _, listed = rest(url, "GET", f"{path}/runs?limit=1")
    stands = (session["status"], session["suspend_reason"], listed["runs"][0]["status"], session["version"])
    waits = ("suspended", "approval_required", "waiting_approval", question["seq"])
    checks.expect(claim, stands == waits, f"{stands} instead of {waits}")


def expect_whole(url: str, checks: Checks, follower: Follower, ending: tuple[str, str] = COMPLETED) -> None:
    """Expects that the run completed, and that its record has no gap, no duplicate, and is the same
    in both APIs.
    """
    kinds = Counter(event["event_type"] for event in follower.events)
    last, status = ending
    _, session = rest(url, "GET", f"/api/sessions/{follower.session_id}")
    ended = kinds[last] == 1 and session["status"] == status
    checks.expect(f"the run ended with {last}, its session is {status}", ended, f"{session['status']}, {dict(kinds)}")
    seqs = [event["seq"] for event in follower.events]
    checks.expect("no event is missing and none came twice", seqs == list(range(1, len(seqs) + 1)), seqs)
    steps = [e["data"]["step_number"] for e in follower.events if e["event_type"] == "step_complete"]
    checks.expect("each step was finished once", len(steps) == len(set(steps)), steps)
    recorded, watched = outline(record(url, follower.session_id)), outline(follower.events)
    checks.expect(
        "REST has the same record", recorded == watched, f"{len(recorded)} events, {len(watched)} were watched"
    )
    _, history = rest(url, "GET", f"/api/sessions/{follower.session_id}/history?limit=1000")
    said = [e["seq"] for e in follower.events if e["event_type"] == "agent_message"]
    answered = [m["seq"] for m in history["messages"] if m["role"] == "assistant"]
    checks.expect("each message stands once in the history", answered == said, f"{answered}, watched were {said}")


def expect_answers(checks: Checks, follower: Follower, given: Sequence[Event]) -> None:
    """Expects that each question has exactly the answer that was given."""
    of = {kind: [e["data"] for e in follower.events if e["event_type"] == kind] for kind in QUESTION_AND_ANSWER}
    asked, answered = ([data["approval_id"] for data in of[kind]] for kind in QUESTION_AND_ANSWER)
    checks.expect("each question has one answer", bool(asked) and asked == answered, f"{asked}, answers {answered}")
    recorded, meant = ([answer["resolution"] for answer in answers] for answers in (of["approval_received"], given))
    checks.expect(f"the record has the answers: {', '.join(meant)}", recorded == meant, recorded)


QUESTION_AND_ANSWER = ("approval_requested", "approval_received")


def record(url: str, session_id: str | None) -> list[Event]:
    """All events of a session, page by page."""
    events: list[Event] = []
    after: int | None = 0
    while after is not None:
        _, page = rest(url, "GET", f"/api/sessions/{session_id}/events?after={after}&limit=500")
        events += page["events"]
        after = page["next_after"]
    return events


def outline(events: Sequence[Event]) -> list[tuple[Any, str]]:
    return [(event["seq"], event["event_type"]) for event in events]
