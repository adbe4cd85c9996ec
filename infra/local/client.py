"""A client of the two APIs, as small as one can be that loses nothing: it keeps the contract's rule of `seq`.

An event is applied when its `seq` is the last one plus one, dropped when it is lower, and a gap is asked for again.
A `ping` now and then brings the session's last `seq`, so that a lost last event is noticed as well.
"""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

Event = dict[str, Any]

# A run ends in one of these; after `workflow_failed` its `error` still comes.
LAST_EVENTS = frozenset({"complete", "error", "workflow_cancelled"})
QUIET_SECONDS = 2.0


class Refused(Exception):
    """The server answered a frame with an error."""


@dataclass
class Follower:
    """The record of one session as far as it has been seen: gap-free from seq 1, each event once."""

    session_id: str | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def last_seq(self) -> int:
        return len(self.events)

    def take(self, frame: Event) -> tuple[Event | None, Event | None]:
        """What a frame means: (the event to apply, the frame to send back), either may be None."""
        if frame["session_id"]:
            self.session_id = frame["session_id"]
        seq = frame["seq"]
        if seq is None:
            behind = frame["event_type"] in ("pong", "replay_end") and frame["data"]["last_seq"] > self.last_seq
            return None, self.subscribe() if behind else None
        if seq > self.last_seq + 1:
            return None, self.subscribe()
        if seq <= self.last_seq:
            return None, None
        self.events.append(frame)
        return frame, None

    def subscribe(self) -> Event:
        return {"type": "subscribe", "session_id": self.session_id, "after": self.last_seq}


def connected(ws_url: str, task_id: str) -> connect:
    """A connection, for `async with`."""
    return connect(f"{ws_url}?task_id={task_id}", open_timeout=60)


async def events(socket: ClientConnection, follower: Follower) -> AsyncIterator[Event]:
    """The events that are new to `follower`, in order, until its run has ended. Raises `Refused`."""
    while True:
        try:
            frame: Event = json.loads(await asyncio.wait_for(socket.recv(), QUIET_SECONDS))
        except TimeoutError:
            await send(socket, {"type": "ping"})
            continue
        if frame["event_type"] == "error" and frame["seq"] is None:
            raise Refused(frame["data"]["message"])
        event, answer = follower.take(frame)
        if answer:
            await send(socket, answer)
        if event:
            yield event
            if event["event_type"] in LAST_EVENTS:
                return


def answers(ws_url: str) -> bool:
    """Whether a connection opens and a frame is answered; by then the three functions behind it have run once."""
    return asyncio.run(pong(ws_url))


async def pong(ws_url: str) -> bool:
    try:
        async with connected(ws_url, "ready") as socket:
            await send(socket, {"type": "ping"})
            frame: Event = json.loads(await asyncio.wait_for(socket.recv(), 60))
            return bool(frame["event_type"] == "pong")
    except (WebSocketException, OSError):
        return False


async def send(socket: ClientConnection, frame: Event) -> None:
    await socket.send(json.dumps(frame))


def rest(base_url: str, method: str, path: str, body: Event | None = None) -> tuple[int, Any]:
    """Status and JSON body of one REST call; an error status is an answer, not an exception."""
    data = json.dumps(body).encode() if body is not None else None
    headers = {"content-type": "application/json"} if data else {}
    request = urllib.request.Request(base_url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
