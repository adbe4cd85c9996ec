"""The synchronous client: the asynchronous one, on a thread of its own.

So both do the same, it works below a running event loop too (a notebook), and a followed session's
pings go on while the caller is busy.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from .aio import PATIENCE_SECONDS, PING_SECONDS, AsyncClient
from .calls import Query
from .http import Token
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

T = TypeVar("T")


class Client:
    """`with Client(http_url, ws_url, token) as client: …`. The methods are `AsyncClient`'s."""

    def __init__(
        self,
        http_url: str,
        ws_url: str,
        token: Token = None,
        *,
        ping_seconds: float = PING_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        on_connection: Callable[[bool], None] | None = None,
    ) -> None:
        self._client = AsyncClient(
            http_url,
            ws_url,
            token,
            ping_seconds=ping_seconds,
            patience_seconds=patience_seconds,
            on_connection=on_connection,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="intermission", daemon=True)
        self._thread.start()
        self._open: set[AsyncGenerator[Any, None]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. A run goes on without its client."""
        if self._thread.is_alive():
            self._wait(self._shut_down())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _shut_down(self) -> None:
        """Ends what other threads wait for, then the iterators that were left open."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for items in self._open:
            await items.aclose()
        self._open.clear()
        await self._client.close()

    def create(
        self,
        mode: Mode,
        *,
        name: str | None = None,
        config: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Summary:
        return self._wait(self._client.create(mode, name=name, config=config, idempotency_key=idempotency_key))

    def list(
        self, *, status: SessionStatus | None = None, mode: Mode | None = None, limit: int | None = None
    ) -> Iterator[Summary]:
        return self._each(self._client.list(status=status, mode=mode, limit=limit))

    def get(self, session_id: str) -> Detail:
        return self._wait(self._client.get(session_id))

    def run(
        self,
        task: str,
        *,
        mode: Mode = "one-shot",
        session_id: str | None = None,
        name: str | None = None,
        config: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Iterator[Event | AgentMessageDelta]:
        return self._each(
            self._client.run(
                task, mode=mode, session_id=session_id, name=name, config=config, idempotency_key=idempotency_key
            )
        )

    def start(
        self,
        session_id: str,
        task: str,
        *,
        config: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        return self._wait(self._client.start(session_id, task, config=config, idempotency_key=idempotency_key))

    def follow(self, session_id: str, after: int = 0) -> Iterator[Event | AgentMessageDelta]:
        return self._each(self._client.follow(session_id, after))

    def answer(
        self,
        session_id: str,
        approval_id: str,
        resolution: str,
        *,
        feedback: str | None = None,
        modifications: Mapping[str, Any] | None = None,
    ) -> Approval:
        return self._wait(
            self._client.answer(session_id, approval_id, resolution, feedback=feedback, modifications=modifications)
        )

    def approvals(self, session_id: str, *, status: ApprovalStatus | None = None) -> Iterator[Approval]:
        return self._each(self._client.approvals(session_id, status=status))

    def runs(self, session_id: str) -> Iterator[Run]:
        return self._each(self._client.runs(session_id))

    def events(self, session_id: str, after: int = 0) -> Iterator[Event]:
        return self._each(self._client.events(session_id, after))

    def history(self, session_id: str) -> Iterator[Message]:
        return self._each(self._client.history(session_id))

    def suspend(self, session_id: str) -> None:
        self._wait(self._client.suspend(session_id))

    def resume(self, session_id: str, *, additional_context: str | None = None) -> None:
        self._wait(self._client.resume(session_id, additional_context=additional_context))

    def cancel(self, session_id: str, run_id: str | None = None) -> None:
        self._wait(self._client.cancel(session_id, run_id))

    def rename(self, session_id: str, name: str) -> Summary:
        return self._wait(self._client.rename(session_id, name))

    def upload(
        self, session_id: str, file: Path | str | bytes, *, name: str | None = None, content_type: str | None = None
    ) -> str:
        return self._wait(self._client.upload(session_id, file, name=name, content_type=content_type))

    def artifacts(self, session_id: str) -> Iterator[Artifact]:
        return self._each(self._client.artifacts(session_id))

    def download(self, session_id: str, name: str, *, run_id: str | None = None) -> bytes:
        return self._wait(self._client.download(session_id, name, run_id=run_id))

    def delete(self, session_id: str) -> None:
        self._wait(self._client.delete(session_id))

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, query: Query | None = None
    ) -> Any:
        return self._wait(self._client.request(method, path, body, query=query))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            # Ctrl-C while waiting ends the work too.
            future.cancel()
            raise

    def _each(self, items: AsyncGenerator[T, None]) -> Iterator[T]:
        async def following() -> T:
            return await anext(items)

        self._open.add(items)
        try:
            while True:
                try:
                    item = self._wait(following())
                except StopAsyncIteration:
                    return
                yield item
        finally:
            if items in self._open:
                self._open.discard(items)
                self._wait(items.aclose())
