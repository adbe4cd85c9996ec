"""The asynchronous client. The synchronous one runs it."""

import asyncio
import mimetypes
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Self, cast

import httpx

from . import calls, errors
from .backoff import Backoff
from .calls import Call, Query
from .errors import ConnectionLost, NotFound, TooManyRequests, Unauthenticated, Unavailable
from .http import ATTEMPTS, Http, Token
from .socket import Socket
from .types import (
    AgentMessageDelta,
    Approval,
    ApprovalStatus,
    Artifact,
    Detail,
    Event,
    Message,
    Mode,
    Run,
    SessionStatus,
    Summary,
)

# A socket that is quiet this long is asked for the session's last event.
PING_SECONDS = 10.0
# How long `follow` tries to reach the server before it raises `ConnectionLost`.
PATIENCE_SECONDS = 300.0
LAST_EVENTS = frozenset({"complete", "error", "workflow_cancelled"})


class AsyncClient:
    """A client of both APIs. `async with AsyncClient(http_url, ws_url, token) as client: …`"""

    def __init__(
        self,
        http_url: str,
        ws_url: str,
        token: Token = None,
        *,
        ping_seconds: float = PING_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        on_connection: Callable[[bool], None] | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """`on_connection` hears when a followed session's socket opens (True) and is lost (False).
        `http` is a client with a proxy or certificates of its own.
        """
        if not http_url.startswith(("http://", "https://")) or not ws_url.startswith(("ws://", "wss://")):
            raise ValueError(f"an address of each API is needed, http(s) and ws(s), not {http_url!r} and {ws_url!r}")
        self._http = Http(http_url, token, http)
        self._ws_url = ws_url
        self._ping_seconds = ping_seconds
        self._patience = patience_seconds
        self._on_connection = on_connection or (lambda _: None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections. A run goes on without its client."""
        await self._http.close()

    async def create(
        self,
        mode: Mode,
        *,
        name: str | None = None,
        config: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Summary:
        """Creates a session. The same key and arguments give the first session again, for 24 hours."""
        return cast(Summary, await self._http.do(calls.create(mode, name, config, idempotency_key or new_key())))

    def list(
        self, *, status: SessionStatus | None = None, mode: Mode | None = None, limit: int | None = None
    ) -> AsyncGenerator[Summary, None]:
        """All sessions, newest first, page by page; `limit` is the size of a page."""
        return self._pages("/api/sessions", "sessions", {"status": status, "mode": mode, "limit": limit})

    async def get(self, session_id: str) -> Detail:
        """The state of a session and its newest messages."""
        return cast(Detail, await self.request("GET", calls.session(session_id)))

    async def run(
        self,
        task: str,
        *,
        mode: Mode = "one-shot",
        session_id: str | None = None,
        name: str | None = None,
        config: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> AsyncGenerator[Event | AgentMessageDelta, None]:
        """Starts a run and follows it to its end, in a new session or, with `session_id`, in that one.

        The events end with `complete`, `error` or `workflow_cancelled`. While the run waits for an
        answer or is paused, the iterator waits too. The same key and arguments follow the first run
        again, from its first event. Leaving the iterator stops nothing.
        """
        key = idempotency_key or new_key()
        after = 0
        if session_id is None:
            session_id = (await self.create(mode, name=name, config=config, idempotency_key=key))["session_id"]
            run = await self.start(session_id, task, idempotency_key=key)
        else:
            run = await self.start(session_id, task, config=config, idempotency_key=key)
            after = await self._before(run["id"])
        async with aclosing(self.follow(session_id, after)) as events:
            async for event in events:
                yield event
                if event["run_id"] == run["id"] and event["seq"] and event["event_type"] in LAST_EVENTS:
                    return

    async def start(
        self,
        session_id: str,
        task: str,
        *,
        config: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        """Starts a run without following it. The same key and arguments give the first run again."""
        return cast(Run, await self._http.do(calls.start(session_id, task, config, idempotency_key or new_key())))

    async def follow(self, session_id: str, after: int = 0) -> AsyncGenerator[Event | AgentMessageDelta, None]:
        """The events of a session behind `after`, each once and in order, as they happen, for ever.

        Lost connections are opened again. Raises `NotFound` when the session is deleted, `CursorAhead`
        when its record ends before `after`, `ConnectionLost` when the server stays away.
        """
        socket = Socket(session_id, after, self._ping_seconds)
        backoff = Backoff()
        while True:
            try:
                frames = socket.events(self._ws_url, await self._http.bearer(), self._on_connection)
                async with aclosing(frames) as events:
                    async for event in events:
                        backoff.reset()
                        yield event
            except (Unauthenticated, Unavailable, TooManyRequests, ConnectionLost) as error:
                lost = error
            await self._expect(session_id)
            if socket.silent_seconds() > self._patience:
                raise ConnectionLost(f"no connection for {self._patience:.0f} seconds: {lost}") from lost
            await asyncio.sleep(backoff.next())

    async def answer(
        self,
        session_id: str,
        approval_id: str,
        resolution: str,
        *,
        feedback: str | None = None,
        modifications: Mapping[str, Any] | None = None,
    ) -> Approval:
        """Answers a question of a run. The same answer again changes nothing, another one raises
        `Conflict`.
        """
        return cast(
            Approval, await self._http.do(calls.answer(session_id, approval_id, resolution, feedback, modifications))
        )

    def approvals(self, session_id: str, *, status: ApprovalStatus | None = None) -> AsyncGenerator[Approval, None]:
        """The questions of a session."""
        return self._pages(calls.session(session_id, "/approvals"), "approvals", {"status": status})

    def runs(self, session_id: str) -> AsyncGenerator[Run, None]:
        """The runs of a session, newest first."""
        return self._pages(calls.session(session_id, "/runs"), "runs", {})

    async def events(self, session_id: str, after: int = 0) -> AsyncGenerator[Event, None]:
        """The recorded events behind `after`, up to the last one that there is now."""
        at: int | None = after
        while at is not None:
            query = {"after": at, "limit": 500}
            page = await self.request("GET", calls.session(session_id, "/events"), query=query)
            if page.get("cursor_ahead"):
                raise errors.CursorAhead(f"the record ends with {page['last_seq']}, before {at}")
            for event in page["events"]:
                yield event
            at = page["next_after"]

    async def history(self, session_id: str) -> AsyncGenerator[Message, None]:
        """The messages of a session, newest first."""
        before: int | None = None
        while True:
            page = await self.request("GET", calls.session(session_id, "/history"), query={"before": before})
            for message in reversed(page["messages"]):
                yield message
            before = page["next_before"]
            if before is None:
                return

    async def suspend(self, session_id: str) -> None:
        """Pauses a session; its run finishes and keeps the step that it is in."""
        await self.request("POST", calls.session(session_id, "/suspend"))

    async def resume(self, session_id: str, *, additional_context: str | None = None) -> None:
        """Continues a suspended session from its last saved step."""
        await self._http.do(calls.resume(session_id, additional_context))

    async def cancel(self, session_id: str, run_id: str | None = None) -> None:
        """Ends a run; without `run_id` the one that has not ended."""
        if run_id is None:
            run_id = (await self.get(session_id))["active_run"]
            if run_id is None:
                raise errors.Conflict(409, "run_ended", "the session has no unfinished run")
        await self._http.do(calls.cancel(session_id, run_id))

    async def rename(self, session_id: str, name: str) -> Summary:
        return cast(Summary, await self.request("PATCH", calls.session(session_id), {"name": name}))

    async def upload(
        self, session_id: str, file: Path | str | bytes, *, name: str | None = None, content_type: str | None = None
    ) -> str:
        """Uploads a file, by its path or its content, and returns its name among the artifacts. A file
        of the same name is replaced.
        """
        content = file if isinstance(file, bytes) else await asyncio.to_thread(Path(file).read_bytes)
        name = name or (None if isinstance(file, bytes) else Path(file).name)
        if name is None:
            raise ValueError("a file that is given by its content needs a name")
        media = content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        for attempt in range(ATTEMPTS):
            # A link is for one upload; 412 means that another one of this name was faster.
            link = await self._http.do(calls.upload(session_id, name, media, len(content)))
            reply = await self._http.send(link["method"], link["url"], content=content, headers=link["headers"])
            if reply.is_success:
                break
            if reply.status_code not in (412, 500, 503) or attempt == ATTEMPTS - 1:
                raise errors.of_reply(reply.status_code, None, reply.headers)
            await asyncio.sleep(Backoff(attempts=attempt).next())
        return str(link["artifact"])

    def artifacts(self, session_id: str) -> AsyncGenerator[Artifact, None]:
        """The files of a session, each with a link for 15 minutes."""
        return self._pages(calls.session(session_id, "/artifacts"), "artifacts", {})

    async def download(self, session_id: str, name: str, *, run_id: str | None = None) -> bytes:
        """The content of a file. Without `run_id` it is the upload of this name, or else the newest
        run's file.
        """
        found: Artifact | None = None
        async for artifact in self.artifacts(session_id):
            if artifact["name"] == name and run_id in (None, artifact["run_id"]):
                found = artifact
        if found is None:
            raise NotFound(404, "file_not_found", f"the session has no file {name}")
        # The link is the right; a token beside it would be refused.
        reply = await self._http.send("GET", found["url"], follow_redirects=True)
        if not reply.is_success:
            raise errors.of_reply(reply.status_code, None, reply.headers)
        return reply.content

    async def delete(self, session_id: str) -> None:
        """Deletes a session, its files and its run."""
        await self._http.do(Call("DELETE", calls.session(session_id)))

    async def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, query: Query | None = None
    ) -> Any:
        """Any other route of infra/API.md: the JSON of its reply."""
        return await self._http.do(Call(method, path, body, query or {}))

    async def _pages(self, path: str, items: str, query: Query) -> AsyncGenerator[Any, None]:
        cursor: str | None = None
        while True:
            page = await self.request("GET", path, query={**query, "cursor": cursor})
            for item in page[items]:
                yield item
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def _before(self, run_id: str) -> int:
        """The seq before the run's first event."""
        page = await self.request("GET", f"/api/runs/{run_id}/history", query={"limit": 1})
        return int(page["events"][0]["id"]) - 1

    async def _expect(self, session_id: str) -> None:
        """Asks by HTTP why a socket does not open, because a refused handshake has no reason."""
        try:
            await self._http.do(Call("GET", calls.session(session_id)), attempts=2)
        except (ConnectionLost, Unavailable, TooManyRequests):
            pass
        except NotFound as gone:
            # A gateway that starts, or that lost its routes, has a 404 of its own.
            if gone.code == "session_not_found":
                raise


def new_key() -> str:
    return str(uuid.uuid4())
