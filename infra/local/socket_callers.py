"""Who may, over the WebSocket: each bad token at `$connect`, each frame of a stranger, the end of a token, new keys."""

import asyncio
import json
import re
import time
import uuid
from typing import Any

from websockets.exceptions import InvalidStatus

from callers import OWNER, STRANGER, TASK, Ids, World, bad_tokens, calls_of, expect_allowed, missing, received
from client import Event
from issuer import Key
from settings import ROOT

# The authorizer keeps the issuer's keys for so long here.
KEYS_TTL_SECONDS = 2
# By its type; a task has none. What stands in braces is an id.
FRAMES: dict[str, list[Event]] = {
    "task": [
        {"task": TASK, "config": {"session_id": "{session_id}"}},
        {"task": TASK, "config": {"copilotSessionId": "{session_id}"}},
    ],
    "ping": [{"type": "ping"}],
    "subscribe": [{"type": "subscribe", "session_id": "{session_id}"}],
    "request_state": [{"type": "request_state"}],
    "approval_response": [{"type": "approval_response", "approval_id": "{approval_id}", "approved": True}],
    "resolve_approval": [{"type": "resolve_approval", "approval_id": "{approval_id}", "resolution": "approve"}],
    "pause": [{"type": "pause", "run_id": "{run_id}"}],
    "resume": [{"type": "resume", "run_id": "{run_id}"}],
    "cancel": [{"type": "cancel", "run_id": "{run_id}"}],
}
NOT_FOUND = re.compile('"code": "(session|run|approval)_not_found"|unauthenticated|no_session_followed')


async def over_the_socket(world: World, theirs: Ids, own: Ids) -> None:
    """The same for `$connect` and every frame."""
    await tokens_at_connect(world)
    await strangers_frames(world, theirs, own)
    await owners_frames(world, theirs)
    await task_ids(world)
    await the_end_of_a_token(world)
    await rotation(world)


async def status_of_connect(world: World, token: str | None, *, in_query: bool = False) -> int:
    """101, or what the handshake was refused with."""
    try:
        async with world.api.connected(str(uuid.uuid4()), token, in_query=in_query):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def tokens_at_connect(world: World) -> None:
    for where, in_query in (("header", False), ("query", True)):
        for name, token in bad_tokens(world.issuer):
            mark = world.api.calls.mark()
            status = await status_of_connect(world, token, in_query=in_query)
            refused = status == 403 and not world.api.calls.since(mark)
            world.checks.expect(f"{name} in the {where} opens no connection", refused, status)
        mark = world.api.calls.mark()
        async with world.api.connected(str(uuid.uuid4()), world.token(OWNER), in_query=in_query):
            expect_allowed(world, "$connect", mark)
        good = await status_of_connect(world, world.token(OWNER), in_query=in_query)
        world.checks.expect(f"a good token in the {where} opens one", good == 101, good)


def filled(frame: Event, ids: Ids) -> Event:
    """A frame with its ids."""

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: fill(inner) for name, inner in value.items()}
        return value.format(**ids) if isinstance(value, str) else value

    return {name: fill(value) for name, value in frame.items()}


def known_frames() -> set[str]:
    """What `Frame::parse` knows."""
    source = (ROOT / "functions" / "ws-message" / "src" / "frame.rs").read_text()
    arms = re.findall(r"^ +Some\((\"[a-z_\" |]+)\) =>", source, re.MULTILINE)
    return {"task"} | set(re.findall(r"[a-z_]+", " ".join(arms)))


async def strangers_frames(world: World, theirs: Ids, own: Ids) -> None:
    """Each frame with somebody else's ids and with ids of nothing, while following nothing and one's own session."""
    world.checks.expect("every frame is tried", known_frames() == set(FRAMES), known_frames() ^ set(FRAMES))
    for follows in (False, True):
        async with world.api.connected(str(uuid.uuid4()), world.token(STRANGER)) as socket:
            if follows:
                await world.api.exchange(socket, filled(FRAMES["subscribe"][0], own))
            for kind, frames in FRAMES.items():
                for frame in frames:
                    reference = await world.api.exchange(socket, filled(frame, missing()))
                    seen = await world.api.exchange(socket, filled(frame, theirs))
                    claim = f"frame {kind}, {'following a session' if follows else 'following none'}"
                    claim = f"{claim}: {calls_of(seen)}, nothing to see"
                    world.checks.expect(claim, seen == reference, f"\n      {seen}\n      {reference}")


async def owners_frames(world: World, theirs: Ids) -> None:
    """The frames that leave the session as it is; REST does the others for its owner."""
    async with world.api.connected(str(uuid.uuid4()), world.token(OWNER)) as socket:
        for kind in ("subscribe", "request_state", "ping"):
            seen = await world.api.exchange(socket, filled(FRAMES[kind][0], theirs))
            world.checks.expect(f"frame {kind} works for the owner", not NOT_FOUND.search(seen.body), seen)


async def task_ids(world: World) -> None:
    """The same task id of two owners is two tasks, and neither hears of the other's."""
    task_id, sessions = str(uuid.uuid4()), []
    for subject, task in ((OWNER, TASK), (STRANGER, TASK), ("third", "Something else.")):
        async with world.api.connected(task_id, world.token(subject)) as socket:
            await socket.send(json.dumps({"task": task}))
            frame = await received(socket)
            sessions.append(frame["session_id"] if frame["event_type"] == "status" else frame)
    distinct = len({str(session) for session in sessions}) == 3 and all(isinstance(s, str) for s in sessions)
    world.checks.expect("the same task id of three owners makes three sessions", distinct, sessions)


async def the_end_of_a_token(world: World) -> None:
    """A connection that is open when its token ends is told so, and hears nothing of its session any more."""
    session = {"session_id": world.made(OWNER, "POST /api/sessions", {}, {"mode": "one-shot"})["session_id"]}
    end = int(time.time()) + 4
    async with world.api.connected(str(uuid.uuid4()), world.issuer.token(OWNER, exp=end)) as socket:
        seen = await world.api.exchange(socket, filled(FRAMES["subscribe"][0], session))
        world.checks.expect("until its end a token's connection follows", "replay_end" in seen.body, seen)
        await asyncio.sleep(max(0.0, end + 0.2 - time.time()))
        suspend = "POST /api/sessions/{session_id}/suspend"
        await asyncio.to_thread(world.made, OWNER, suspend, session, None)
        for kind, (frame, *_) in FRAMES.items():
            seen = await world.api.exchange(socket, filled(frame, session | missing()))
            told = len(seen.json()) == 1 and seen.json()[0]["data"].get("code") == "unauthenticated"
            world.checks.expect(f"after it frame {kind} is refused, and no event came", told, seen)


async def rotation(world: World) -> None:
    """A key that was published a moment ago is good; one that was withdrawn is not, once the kept keys are too old."""
    old, new = world.issuer.published[0], Key()
    world.issuer.published = [new, old]
    await asyncio.sleep(KEYS_TTL_SECONDS)
    for name, key in (("new", new), ("old", old)):
        status = await status_of_connect(world, world.issuer.token(OWNER, key=key))
        world.checks.expect(f"while both are published the {name} key is good", status == 101, status)
    world.issuer.published = [new]
    await asyncio.sleep(KEYS_TTL_SECONDS)
    for name, key, expected in (("new", new, 101), ("withdrawn", old, 403)):
        status = await status_of_connect(world, world.issuer.token(OWNER, key=key))
        world.checks.expect(f"the {name} key: {expected}", status == expected, status)
    # The HTTP API keeps the first two for two hours, and the rest of this test is signed with one of them.
    world.issuer.published = [old, new]
    await asyncio.sleep(KEYS_TTL_SECONDS)
