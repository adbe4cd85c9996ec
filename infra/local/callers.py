"""Who asks: an owner, a stranger, and everybody whose token is none; and how each asks over REST and WebSocket."""

import asyncio
import http.client
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from claims import Checks
from client import Event
from counting import Calls
from issuer import Issuer, Key
from processes import Failed

OWNER, STRANGER = "owner", "stranger"
TASK = "Explain why the sea comes twice a day."
# What differs between any two replies, and tells nothing.
OF_ONE_REPLY = {"date", "x-request-id", "apigw-requestid", "x-amzn-requestid", "x-amz-request-id", "x-amzn-trace-id"}
REPLY_SECONDS = 20
# What a function still does after its reply, it has done by then.
SETTLED_SECONDS = 0.1

Ids = dict[str, str]


@dataclass(frozen=True)
class Seen:
    """What a caller sees of a request, and which database calls it has cost."""

    status: int
    headers: Mapping[str, str]
    body: str
    calls: list[str] = field(default_factory=list)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Api:
    """The two APIs as the template deploys them."""

    aws_port: int
    http_api: str
    ws_url: str
    calls: Calls

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.aws_port}/_aws/execute-api/{self.http_api}/$default"

    def ask(self, route: str, ids: Ids, token: str | None, body: Any = None, **headers: str) -> Seen:
        """One REST call. `route` is the template's key, with its parameters and perhaps a query."""
        method, _, path = route.partition(" ")
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.aws_port, timeout=60)
        mark = self.calls.mark()
        try:
            path = f"/_aws/execute-api/{self.http_api}/$default{path.format(**ids)}"
            connection.request(method, path, data, {"content-type": "application/json"} | headers)
            reply = connection.getresponse()
            seen = {name.lower(): value for name, value in reply.getheaders()}
            text = reply.read().decode()
        finally:
            connection.close()
        text = text.replace(seen.get("x-request-id") or "\0", "<request id>")
        kept = {name: value for name, value in seen.items() if name not in OF_ONE_REPLY}
        return Seen(reply.status, kept, text, self.calls.since(mark))

    @asynccontextmanager
    async def connected(
        self, task_id: str, token: str | None, *, in_query: bool = False
    ) -> AsyncIterator[ClientConnection]:
        """A connection with its token in the header or in the query. When the block is left, its end is over too."""
        url = f"{self.ws_url}?task_id={task_id}" + (f"&token={token}" if token and in_query else "")
        headers = {} if in_query or not token else {"Authorization": f"Bearer {token}"}
        async with connect(url, additional_headers=headers, open_timeout=60) as socket:
            yield socket
            mark = self.calls.mark()
        # What `$disconnect` asks the database would be counted with the next request.
        async with asyncio.timeout(REPLY_SECONDS):
            while "DeleteItem" not in self.calls.since(mark):
                await asyncio.sleep(SETTLED_SECONDS)
        await asyncio.sleep(SETTLED_SECONDS)

    async def exchange(self, socket: ClientConnection, frame: Event) -> Seen:
        """One frame and all that comes back until its reply, without the times."""
        mark = self.calls.mark()
        await socket.send(json.dumps(frame))
        frames = [frame async for frame in replies(socket)]
        await asyncio.sleep(SETTLED_SECONDS)
        return Seen(0, {}, json.dumps(frames), self.calls.since(mark))


async def received(socket: ClientConnection) -> Event:
    frame: Event = json.loads(await asyncio.wait_for(socket.recv(), REPLY_SECONDS))
    return frame


async def replies(socket: ClientConnection) -> AsyncIterator[Event]:
    """Frames up to the first one that is the last of an answer, without their times."""
    while True:
        frame = await received(socket)
        frame.pop("timestamp")
        yield frame
        if frame["seq"] is None and frame["event_type"] not in ("status", "workflow_state_changed"):
            return


@dataclass(frozen=True)
class World:
    """All that a check needs."""

    api: Api
    issuer: Issuer
    checks: Checks
    routes: list[str]
    # Which partitions a route's function may name, where the template limits them.
    leading_keys: Mapping[str, list[str]]

    def token(self, subject: str) -> str:
        return self.issuer.token(subject)

    def made(self, subject: str, route: str, ids: Ids, body: Any) -> Any:
        """The body of a call that must succeed. Raises `Failed`."""
        seen = self.api.ask(route, ids, self.token(subject), body)
        if seen.status >= 300:
            raise Failed(f"{route} answered {seen.status}: {seen.body}")
        return seen.json()


def expect_allowed(world: World, route: str, mark: int) -> None:
    """What a limited function asked since then is within its `dynamodb:LeadingKeys`, which MiniStack does not know."""
    if allowed := world.leading_keys.get(route):
        named = world.api.calls.partitions[mark:]
        within = named and all(any(fnmatch(name or "", pattern) for pattern in allowed) for name in named)
        world.checks.expect(f"{route} names {' and '.join(allowed)} alone", within, named)


def calls_of(seen: Seen) -> str:
    return f"{len(seen.calls)} database call{'s' * (len(seen.calls) != 1)}"


def missing() -> Ids:
    """Ids of nothing."""
    return {name: str(uuid.uuid4()) for name in ("session_id", "run_id", "approval_id")}


def bad_tokens(issuer: Issuer) -> Iterator[tuple[str, str | None]]:
    """Everything that must let nobody in; but for its fault each would be the owner's."""
    now = int(time.time())
    yield "no token", None
    yield "what is no JWT", "forged"
    yield "an expired token", issuer.token(OWNER, exp=now - 1)
    yield "a token of tomorrow", issuer.token(OWNER, nbf=now + 86_400)
    yield "a token for another audience", issuer.token(OWNER, aud="another")
    yield "a token of another issuer", issuer.token(OWNER, iss="https://issuer.example")
    yield "a token without a subject", issuer.token(OWNER, sub=None)
    yield "alg none", issuer.forged(OWNER, "none")
    yield "HS256 with the public key", issuer.forged(OWNER, "HS256")
    yield "an unknown kid", issuer.token(OWNER, kid="made-up")
    yield "another key under a known kid", issuer.token(OWNER, key=Key(), kid=issuer.published[0].kid)
