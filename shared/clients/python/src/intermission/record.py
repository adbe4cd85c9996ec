"""The rule of `seq`, without any I/O: every event of a session once, in order, without a gap.

The client applies the event whose `seq` is its last one plus 1, drops lower ones, and asks again
after a gap. `pong` and `replay_end` tell the session's last event, so that a lost one is noticed
although nothing follows it.
"""

from dataclasses import dataclass, field
from typing import Any, cast

from .errors import CursorAhead, of_frame
from .types import AgentMessageDelta, Event

Frame = dict[str, Any]
DELTA = "agent_message_delta"


@dataclass
class Record:
    """How far a client has applied the record of a session."""

    session_id: str
    last: int
    # Where the last gap was; it is asked for once. A pong asks again, should the request be lost.
    asked: int | None = field(default=None)

    def take(self, frame: Frame) -> tuple[Event | AgentMessageDelta | None, Frame | None]:
        """What a frame means: the event to apply and the frame to send; either may be None.

        Raises `CursorAhead`, and the error of an `error` frame.
        """
        kind, seq = frame.get("event_type"), frame.get("seq")
        if kind is None:
            # API Gateway's own frame, such as {"message": "Internal server error", …}.
            return None, None
        data = frame["data"]
        if kind == "pong":
            # A connection that follows nothing has lost its `subscribe`.
            behind = frame["session_id"] != self.session_id or data["last_seq"] > self.last
            return None, self.subscribe() if behind else None
        if kind == "error" and seq is None:
            raise of_frame(data)
        if frame["session_id"] != self.session_id:
            return None, None
        if kind == "replay_end":
            if data.get("cursor_ahead"):
                raise CursorAhead(f"the record ends with {data['last_seq']}, before {self.last}")
            return None, self.ask_once() if data["last_seq"] > self.last else None
        if seq is None:
            return (cast(AgentMessageDelta, frame), None) if kind == DELTA else (None, None)
        if seq > self.last + 1:
            return None, self.ask_once()
        if seq <= self.last:
            return None, None
        self.last = seq
        return cast(Event, frame), None

    def ask_once(self) -> Frame | None:
        """`subscribe`, unless the same gap was asked for."""
        return None if self.asked == self.last else self.subscribe()

    def subscribe(self) -> Frame:
        self.asked = self.last
        return {"type": "subscribe", "session_id": self.session_id, "after": self.last}

    def reconnected(self) -> Frame:
        """The first frame of a new connection. What it misses is asked for again."""
        frame = self.subscribe()
        self.asked = None
        return frame


@dataclass
class LiveText:
    """The text of the message that an agent is writing, from its deltas.

    Deltas may be lost or come twice. A recorded `agent_message` with the same `message_id` replaces
    the text. Offsets count characters.
    """

    message_id: str | None = None
    agent: str = ""
    node_id: str | None = None
    text: str = ""

    def take(self, event: Any) -> bool:
        """Applies an event; whether the text has changed. After a lost delta it stays as it is until
        the message comes.
        """
        data = event["data"]
        if event["event_type"] == "agent_message" and data.get("message_id") is not None:
            return self.begin(data, data["message"])
        if event["event_type"] != DELTA:
            return False
        if data["message_id"] != self.message_id:
            self.begin(data, "")
        offset, end = data["offset"], data["offset"] + len(data["text"])
        if offset > len(self.text) or end <= len(self.text):
            return False
        self.text = self.text[:offset] + data["text"]
        return True

    def begin(self, data: Any, text: str) -> bool:
        self.message_id, self.agent = data["message_id"], data["agent"]
        self.node_id, self.text = data.get("node_id"), text
        return True
