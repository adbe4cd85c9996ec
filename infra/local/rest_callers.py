"""Who may, over REST: each bad token at each route, a stranger at each session's route, keys and cursors of others."""

import base64
import uuid
from typing import Any

from callers import OWNER, STRANGER, TASK, Ids, World, bad_tokens, calls_of, expect_allowed, missing

# What a route needs to be sent so that its owner gets something; nothing for the others.
BODIES: dict[str, Any] = {
    "POST /api/sessions": {"mode": "one-shot"},
    "POST /api/sessions/{session_id}/runs": {"task": TASK},
    "POST /api/sessions/{session_id}/approvals/{approval_id}": {"resolution": "approve"},
    "POST /api/sessions/{session_id}/uploads": {"name": "a.txt", "content_type": "text/plain", "size": 1},
}


def tokens_over_rest(world: World, theirs: Ids) -> None:
    """Each bad token at each route: 401, and nobody asks the database."""
    for name, token in bad_tokens(world.issuer):
        wrong = []
        for route in world.routes:
            seen = world.api.ask(route, theirs, token, BODIES.get(route))
            if seen.status != 401 or seen.calls or theirs["session_id"] in seen.body:
                wrong.append(f"{route}: {seen}")
        world.checks.expect(f"{name}: 401 at {len(world.routes)} routes", not wrong, wrong)
    other_key = world.issuer.token(OWNER, key=world.issuer.published[1])
    seen = world.api.ask("GET /api/sessions/{session_id}", theirs, other_key)
    world.checks.expect("every key that the issuer publishes is good", seen.status == 200, seen)


def strangers_over_rest(world: World, theirs: Ids, own: Ids) -> None:
    """Somebody else's session, run or approval is as one that was never there."""
    token = world.token(STRANGER)
    for route in [route for route in world.routes if "{session_id}" in route]:
        tries = {"somebody else's session": (theirs, missing())}
        if "run_id" in route or "approval_id" in route:
            tries["somebody else's ids below one's own session"] = (theirs | own, missing() | own)
        for what, (ids, nothing) in tries.items():
            reference = world.api.ask(route, nothing, token, BODIES.get(route))
            seen = world.api.ask(route, ids, token, BODIES.get(route))
            same = seen == reference and seen.status == 404
            claim = f"{what} is not there: {route}, {calls_of(seen)}"
            world.checks.expect(claim, same, f"\n      {seen}\n      {reference}")


def keys_and_cursors(world: World, theirs: Ids) -> None:
    """What one owner has named or was given means nothing for another."""
    api, tokens = world.api, [world.token(OWNER), world.token(STRANGER)]
    create, used, fresh = "POST /api/sessions", str(uuid.uuid4()), str(uuid.uuid4())
    body = {"mode": "one-shot", "name": "a tide"}
    first = api.ask(create, {}, tokens[0], body, **{"idempotency-key": used}).json()["session_id"]
    mine = api.ask(create, {}, tokens[1], body, **{"idempotency-key": used})
    unused = api.ask(create, {}, tokens[1], body, **{"idempotency-key": fresh})
    again = api.ask(create, {}, tokens[1], body, **{"idempotency-key": used})
    made = mine.json()["session_id"]
    world.checks.expect("another owner's idempotency key makes a session of one's own", made != first, mine)
    world.checks.expect("  and costs what a fresh one costs", mine.calls == unused.calls, (mine.calls, unused.calls))
    world.checks.expect("  and is one's own from then on", again.json()["session_id"] == made, again)
    run = "POST /api/sessions/{session_id}/runs"
    api.ask(run, theirs, tokens[0], BODIES[run], **{"idempotency-key": used})
    key = {"idempotency-key": used}
    one, other = (api.ask(run, ids, tokens[1], BODIES[run], **key) for ids in (theirs, missing()))
    world.checks.expect("a key of another owner's runs tells nothing", one == other, (one, other))
    cursor = api.ask("GET /api/sessions?limit=1", {}, tokens[0]).json()["next_cursor"]
    owned = {s["session_id"] for s in api.ask("GET /api/sessions?limit=200", {}, tokens[0]).json()["sessions"]}
    for query in (f"?limit=200&cursor={cursor}", "?limit=200", "?limit=200&status=suspended"):
        seen = api.ask(f"GET /api/sessions{query}", {}, tokens[1])
        shown = {name for name in owned if name in seen.body}
        what = query.replace(str(cursor), "…")
        world.checks.expect(
            f"no list shows another owner's sessions: {what}, {seen.status}", bool(owned) and not shown, seen
        )


def files_of_others(world: World, theirs: Ids) -> None:
    """A link leads into one's own session alone, and a place in another owner's list is none in one's own."""
    upload = "POST /api/sessions/{session_id}/uploads"
    tokens = [world.token(OWNER), world.token(STRANGER)]
    links = [world.api.ask(upload, theirs, token, BODIES[upload]) for token in tokens]
    world.checks.expect("nobody gets a link into another owner's session", [s.status for s in links] == [200, 404], links)
    own = world.made(STRANGER, "POST /api/sessions", {}, {"mode": "ocr"})
    place = base64.urlsafe_b64encode(f"{theirs['session_id']} uploads/a.txt".encode()).decode().rstrip("=")
    seen = world.api.ask(f"GET /api/sessions/{{session_id}}/artifacts?cursor={place}", own, tokens[1])
    world.checks.expect("a place in another owner's list is none in one's own", seen.status == 400, seen)


def owner_over_rest(world: World, theirs: Ids) -> None:
    """Last, because it ends the session: each route does for its owner what it does, or says why not."""
    for route in world.routes:
        mark = world.api.calls.mark()
        seen = world.api.ask(route, theirs, world.token(OWNER), BODIES.get(route))
        expect_allowed(world, route, mark)
        may = seen.status < 500 and seen.status not in (401, 403, 404)
        world.checks.expect(f"its owner may: {route}, {seen.status}", may, seen)
