"""Who may: every route of the template and every frame, as owner, as stranger, and with every token that is none.

The stranger must see exactly what a session looks like that was never there: status, headers, body, and the database calls
that it cost.

Where MiniStack's own JWT authorizer is not AWS's, this test says nothing about AWS:
- It takes every signature for RS256 whatever `alg` says, so `none` and HS256 fail there for another reason than on AWS.
- It accepts a token without `exp`. AWS refuses it, and so does ours for the WebSocket.
- It accepts a token without the word Bearer, and an issuer without TLS.
- Like AWS it keeps the issuer's keys for two hours. So a new key is tried over REST only if it was published from the
  beginning, and what becomes of a withdrawn one is tried over the WebSocket alone.
A refused handshake is a 403 in both: a Lambda authorizer can only say 401 by failing, which MiniStack takes for a 500.
"""

import asyncio
import sys
import time

from websockets.exceptions import WebSocketException

import settings as configuration
import stack
from callers import OWNER, STRANGER, TASK, Ids, World
from claims import Checks
from deployed import Deployed, deployed
from processes import Failed
from rest_callers import files_of_others, keys_and_cursors, owner_over_rest, strangers_over_rest, tokens_over_rest
from socket_callers import KEYS_TTL_SECONDS, over_the_socket

RUN_SECONDS = 60
# The sweeper's own calls would be counted with a request's.
GIVEN = {
    "JWKS_TTL_SECONDS": str(KEYS_TTL_SECONDS),
    "SWEEP_SCHEDULE": "rate(1 day)",
    "MODEL_PROVIDER": "offline",
    "OFFLINE_LATENCY_MS": "0",
}
ASKS = {"mode": "hitl-interactive", "config": {"hitlVariant": "planning_only", "nPlanReviews": 0}}


def main() -> int:
    """1 when somebody may what they may not, or an owner may not what they may."""
    checks = Checks()
    try:
        with deployed(checks, GIVEN) as made:
            started = time.monotonic()
            everything(made.world)
            what_was_logged(checks, made)
            print(f"  all of it took {time.monotonic() - started:.0f} s", flush=True)
    except (Failed, WebSocketException, configuration.Invalid) as reason:
        return stack.failed(reason)
    return 1 if checks.failed else 0


def everything(world: World) -> None:
    """The owner's session asks its owner something, and nothing runs, while everybody else tries."""
    theirs = waiting_session(world)
    own = {"session_id": world.made(STRANGER, "POST /api/sessions", {}, {"mode": "one-shot"})["session_id"]}
    record = "GET /api/sessions/{session_id}/events?limit=500"
    before = world.made(OWNER, record, theirs, None)
    tokens_over_rest(world, theirs)
    strangers_over_rest(world, theirs, own)
    keys_and_cursors(world, theirs)
    files_of_others(world, theirs)
    asyncio.run(over_the_socket(world, theirs, own))
    world.checks.expect("nothing of it has changed the session", world.made(OWNER, record, theirs, None) == before)
    owner_over_rest(world, theirs)


def waiting_session(world: World) -> Ids:
    """A session of the owner whose run waits for an answer: the ids of all three."""
    session = {"session_id": world.made(OWNER, "POST /api/sessions", {}, ASKS)["session_id"]}
    run = world.made(OWNER, "POST /api/sessions/{session_id}/runs", session, {"task": TASK})["id"]
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        asked = world.made(OWNER, "GET /api/sessions/{session_id}/approvals", session, None)["approvals"]
        if asked:
            time.sleep(1)
            return {**session, "run_id": run, "approval_id": asked[0]["approval_id"]}
        time.sleep(0.2)
    raise Failed("the run did not ask its owner anything")


def what_was_logged(checks: Checks, made: Deployed) -> None:
    """Each denial with its reason, and no token, whole or in part: every JWT begins with the same three letters."""
    lines, errors = made.logged(), made.errors()
    checks.expect("no function has logged an error", not errors, errors)
    checks.expect("denials are logged", any("connection denied" in line for line in lines), lines[-3:])
    tokens = [line for line in lines if "eyJ" in line]
    checks.expect("no log has a token", not tokens, len(tokens))


if __name__ == "__main__":
    sys.exit(main())
