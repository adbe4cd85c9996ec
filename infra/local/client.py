"""A small client of both APIs that loses no event: it follows the contract's rule of `seq`.

It applies an event whose `seq` is the last one plus one, drops a lower one, and subscribes again
after a gap. A periodic `ping` returns the session's last `seq`, so that a lost last event is
detected too.
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

# The final events of a run. After `workflow_failed` its `error` still follows.
LAST_EVENTS = frozenset({"complete", "error", "workflow_cancelled"})
QUIET_SECONDS = 2.0


class Refused(Exception):
    """The server answered a frame with an error."""


@dataclass
class Follower:
    """The applied part of a session's record: without gaps from seq 1, each event once."""

    session_id: str | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def last_seq(self) -> int:
        return len(self.events)

    def take(self, frame: Event) -> tuple[Event | None, Event | None]:
        """Interprets a frame: (the event to apply, the frame to send back); either may be None."""
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
        if "seq" not in frame:
            # API Gateway's own, such as {"message": "Internal server error", ...}. The ping asks for what is missing.
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
    """Whether a connection opens and a frame is answered, which starts the three functions behind
    it.
    """
    return asyncio.run(pong(ws_url))


async def pong(ws_url: str) -> bool:
    try:
        async with connected(ws_url, "ready") as socket:
            await send(socket, {"type": "ping"})
            frame: Event = json.loads(await asyncio.wait_for(socket.recv(), 60))
            return frame.get("event_type") == "pong"
    except (WebSocketException, OSError):
        return False


async def send(socket: ClientConnection, frame: Event) -> None:
    await socket.send(json.dumps(frame))


def rest(base_url: str, method: str, path: str, body: Event | None = None) -> tuple[int, Any]:
    """Status and JSON body of one REST call. An error status raises no exception."""
    data = json.dumps(body).encode() if body is not None else None
    headers = {"content-type": "application/json"} if data else {}
    request = urllib.request.Request(base_url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
