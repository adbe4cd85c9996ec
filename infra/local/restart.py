"""A run waits for a person, the whole stack goes down and comes up again, and the run goes on with the answer.

What `DATA=<folder>` keeps is all that is left: the table and the bucket. Queue, connections, APIs and every process are
new. The task is long enough to stand in the bucket, so that going on needs both.
"""

import asyncio
import os
import sys
import tempfile
import time
import uuid
from typing import Any

from websockets.exceptions import WebSocketException

import settings as configuration
import stack
import template as templates
from claims import Checks, expect_waiting, expect_whole, record
from client import Event, Follower, Refused, connected, events, rest, send
from processes import Failed

# Above 32 KiB, so that it goes through the bucket.
LONG_TASK = "Explain why the sea comes twice a day. The Moon pulls at the near side more than at the centre. " * 400
CONFIG = {"mode": "hitl-interactive", "hitlVariant": "planning_only", "maxPlanSteps": 2, "nPlanReviews": 0}
RUN_SECONDS = 60


def main() -> int:
    """1 when something of the session did not survive."""
    checks = Checks()
    try:
        with tempfile.TemporaryDirectory() as data:
            settings = settings_with(data)
            with stack.running(settings) as running:
                asked = until_it_asks(running.env["HTTP_URL"])
            print("  the stack is down, with a run that waits; now another one on the same data", flush=True)
            with stack.running(settings) as running:
                asyncio.run(goes_on(running.env, checks, asked))
    except (Failed, Refused, WebSocketException, configuration.Invalid) as reason:
        return stack.failed(reason)
    return 1 if checks.failed else 0


def settings_with(data: str) -> configuration.Settings:
    """A stack as `make up` starts it, with its data in this folder; no key and no provider of the user reaches it."""
    names = templates.parameter_names(templates.read(configuration.TEMPLATE))
    environment = {**os.environ, "DATA": data, "MODEL_PROVIDER": "offline", "OFFLINE_LATENCY_MS": "0"}
    return configuration.from_environment(names, environment, quick=True, hot_reload=False)


def until_it_asks(url: str) -> list[Event]:
    """Starts a run and returns its record once it waits for an answer. Raises `Failed`."""
    session = succeeded(rest(url, "POST", "/api/sessions", {"mode": CONFIG["mode"], "config": CONFIG}))
    path = f"/api/sessions/{session['session_id']}"
    succeeded(rest(url, "POST", f"{path}/runs", {"task": LONG_TASK}))
    deadline = time.monotonic() + RUN_SECONDS
    while succeeded(rest(url, "GET", f"{path}/runs"))["runs"][0]["status"] != "waiting_approval":
        if time.monotonic() > deadline:
            raise Failed(f"the run did not ask: {record(url, session['session_id'])[-1]}")
        time.sleep(0.1)
    return record(url, session["session_id"])


async def goes_on(env: stack.Env, checks: Checks, asked: list[Event]) -> None:
    """The session stands where it stood; a client that knows it up to there sees the rest."""
    url, question = env["HTTP_URL"], asked[-1]
    session_id, approval_id = question["session_id"], question["data"]["approval_id"]
    approvals = f"/api/sessions/{session_id}/approvals"
    expect_waiting(url, checks, question, "the session waits as it did before")
    checks.expect("its record is the same", record(url, session_id) == asked)
    pending = succeeded(rest(url, "GET", f"{approvals}?status=pending"))["approvals"]
    ids = [approval["approval_id"] for approval in pending]
    checks.expect("its question is open", ids == [approval_id], ids)
    follower = Follower(session_id, list(asked))
    try:
        async with asyncio.timeout(RUN_SECONDS), connected(env["WS_URL"], str(uuid.uuid4())) as socket:
            await send(socket, follower.subscribe())
            succeeded(rest(url, "POST", f"{approvals}/{approval_id}", {"resolution": "approve"}))
            async for _ in events(socket, follower):
                pass
    except TimeoutError as reason:
        raise Failed(f"the run did not end: {record(url, session_id)[-1]}") from reason
    expect_whole(url, checks, follower)


def succeeded(reply: tuple[int, Any]) -> Any:
    """The body of a reply. Raises `Failed` when it is no success."""
    status, body = reply
    if status >= 300:
        raise Failed(f"{status}: {body}")
    return body


if __name__ == "__main__":
    sys.exit(main())
