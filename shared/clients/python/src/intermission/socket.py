"""One connection after another that follows a session."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from .errors import ConnectionLost
from .record import Frame, Record
from .types import AgentMessageDelta, Event

# The worst cold start of the functions behind a handshake or a frame.
ANSWER_SECONDS = 30.0
# A push has at most 128 KB; the rest is for other servers.
MAX_FRAME_BYTES = 1024 * 1024


class Socket:
    """What outlives a connection: the applied record, and when something was heard."""

    def __init__(self, session_id: str, after: int, ping_seconds: float) -> None:
        self.record = Record(session_id, after)
        self.heard = time.monotonic()
        self.ping_seconds = ping_seconds

    async def events(
        self, ws_url: str, token: str | None, on_connection: Callable[[bool], None]
    ) -> AsyncGenerator[Event | AgentMessageDelta, None]:
        """The new events of one connection. Raises `ConnectionLost` when it ends, and the error that
        the server sends.
        """
        headers = {"authorization": f"Bearer {token}"} if token else {}
        url = f"{ws_url}?{urlencode({'task_id': str(uuid.uuid4())})}"
        opened = False
        try:
            # Our own pings have answers that say something.
            async with connect(
                url,
                additional_headers=headers,
                open_timeout=ANSWER_SECONDS,
                close_timeout=1,
                ping_interval=None,
                max_size=MAX_FRAME_BYTES,
            ) as socket:
                await send(socket, self.record.reconnected())
                opened = True
                on_connection(True)
                while True:
                    event, answer = self.record.take(await self.next_frame(socket))
                    if answer:
                        await send(socket, answer)
                    if event:
                        yield event
        except (OSError, WebSocketException, json.JSONDecodeError) as error:
            raise ConnectionLost(str(error) or type(error).__name__) from error
        finally:
            if opened:
                on_connection(False)

    def silent_seconds(self) -> float:
        """Since the server was heard, on any connection."""
        return time.monotonic() - self.heard

    async def next_frame(self, socket: ClientConnection) -> Frame:
        """The next frame; a quiet connection is asked whether it lives."""
        try:
            text = await asyncio.wait_for(socket.recv(), self.ping_seconds)
        except TimeoutError:
            await send(socket, {"type": "ping"})
            text = await asyncio.wait_for(socket.recv(), ANSWER_SECONDS)
        self.heard = time.monotonic()
        frame: Frame = json.loads(text)
        return frame


async def send(socket: ClientConnection, frame: Frame) -> None:
    await socket.send(json.dumps(frame))
