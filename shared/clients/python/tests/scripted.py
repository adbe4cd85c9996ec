"""A server that says what a test has scripted: the HTTP API in the process, the WebSocket API on a
port.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from intermission import AsyncClient
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

SESSION = "0198c0de-0000-7000-8000-000000000001"
RUN = "0198c0de-0000-7000-8000-000000000002"
Frame = dict[str, Any]
# What happens on one connection.
Script = Callable[["Connection"], Awaitable[None]]
Reply = Callable[[httpx.Request], httpx.Response]


def frame(seq: int | None, kind: str = "output", session: str | None = SESSION, **data: Any) -> Frame:
    return {"event_type": kind, "session_id": session, "run_id": RUN, "seq": seq, "timestamp": "", "data": data}


def replay_end(last: int, **more: Any) -> Frame:
    return frame(None, "replay_end", last_seq=last, next_after=None, more=False, **more)


@dataclass
class Connection:
    """The server's side of one connection."""

    socket: ServerConnection

    @property
    def token(self) -> str | None:
        assert self.socket.request
        return self.socket.request.headers.get("authorization")

    async def receive(self) -> Frame:
        received: Frame = json.loads(await self.socket.recv())
        return received

    async def send(self, *frames: Frame) -> None:
        for one in frames:
            await self.socket.send(json.dumps(one))

    async def replay(self, last: int) -> int:
        """Answers a `subscribe` with the events up to `last`; returns its `after`."""
        asked = await self.receive()
        assert (asked["type"], asked["session_id"]) == ("subscribe", SESSION), asked
        after: int = asked["after"]
        await self.send(*(frame(seq) for seq in range(after + 1, last + 1)), replay_end(last))
        return after

    async def refuse(self) -> None:
        """The connection breaks at once."""
        self.kill()

    def kill(self) -> None:
        """The connection breaks, without a closing handshake."""
        self.socket.transport.abort()


@dataclass
class Server:
    """The scripts of the connections to come, and the replies of the HTTP API."""

    scripts: list[Script]
    reply: Reply = lambda _: httpx.Response(200, json={"session_id": SESSION, "active_run": RUN})
    port: int = 0
    requests: list[httpx.Request] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    states: list[bool] = field(default_factory=list)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """The WebSocket API, on the same port each time."""
        async with serve(self.connected, "127.0.0.1", self.port) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield

    async def connected(self, socket: ServerConnection) -> None:
        if not self.scripts:
            socket.transport.abort()
            return
        try:
            await self.scripts.pop(0)(Connection(socket))
        except ConnectionClosed:
            pass
        except BaseException as fault:
            self.faults.append(fault)
            raise

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.reply(request)

    def client(self, **options: Any) -> AsyncClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        url = f"ws://127.0.0.1:{self.port or 9}"
        return AsyncClient("http://api", url, http=http, on_connection=self.states.append, **options)


async def first(count: int, items: AsyncIterator[Any]) -> list[Any]:
    """That many items."""
    found = []
    async for item in items:
        found.append(item)
        if len(found) == count:
            break
    return found
