"""The calls of the HTTP API: what is sent, what is repeated, what is raised."""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from . import errors
from .backoff import Backoff
from .calls import Call
from .errors import ApiError, ConnectionLost, NotFound, TooManyRequests, Unauthenticated, Unavailable

# A bearer token, or a function that returns the newest one; it may be asynchronous. It is called for
# each request and each connection.
Token = str | Callable[[], str | None] | Callable[[], Awaitable[str | None]] | None
# Attempts of one call, and the longest `Retry-After` that is waited for. A longer one is raised.
ATTEMPTS = 5
LONGEST_WAIT_SECONDS = 60.0
# Beyond the worst cold start, and above API Gateway's own limit.
TIMEOUT_SECONDS = 35.0
try:
    USER_AGENT = f"intermission-python/{version('intermission')}"
except PackageNotFoundError:
    USER_AGENT = "intermission-python"


class NotConnected(ConnectionLost):
    """The request was not sent, so that any call may be repeated."""


class Http:
    """The HTTP API for one caller."""

    def __init__(self, url: str, token: Token, client: httpx.AsyncClient | None) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._owned = client is None
        self._client = client or httpx.AsyncClient(timeout=TIMEOUT_SECONDS)

    async def close(self) -> None:
        if self._owned:
            await self._client.aclose()

    async def bearer(self) -> str | None:
        given = self._token() if callable(self._token) else self._token
        return await given if inspect.isawaitable(given) else given

    async def do(self, call: Call, attempts: int = ATTEMPTS) -> Any:
        """Sends a call, again where that helps and changes nothing twice."""
        backoff = Backoff()
        while True:
            again = backoff.attempts < attempts - 1
            try:
                return await self._once(call)
            except NotFound:
                if call.method == "DELETE" and backoff.attempts:
                    # An earlier attempt has deleted it, and its reply was lost.
                    return None
                raise
            except Unauthenticated:
                # The token may have ended on its way; its function is asked again, once.
                if not callable(self._token) or backoff.attempts:
                    raise
                wait = 0.0
                backoff.next()
            except (ApiError, ConnectionLost) as error:
                if not again or not may_repeat(call, error):
                    raise
                told = error.retry_after if isinstance(error, ApiError) else None
                if told is not None and told > LONGEST_WAIT_SECONDS:
                    raise
                # Jitter goes on top, so that callers with one `Retry-After` do not return at once.
                wait = (told or 0.0) + backoff.next()
            await asyncio.sleep(wait)

    async def _once(self, call: Call) -> Any:
        headers = {"user-agent": USER_AGENT, "accept": "application/json"}
        if bearer := await self.bearer():
            headers["authorization"] = f"Bearer {bearer}"
        if call.key:
            headers["idempotency-key"] = call.key
        content = None if call.body is None else json.dumps(call.body).encode()
        if content is not None:
            headers["content-type"] = "application/json"
        url = self._url + call.path
        reply = await self.send(call.method, url, params=call.params(), content=content, headers=headers)
        try:
            body = reply.json() if reply.content else None
        except ValueError:
            body = None
        if not reply.is_success:
            raise errors.of_reply(reply.status_code, body, reply.headers)
        return body

    async def send(self, method: str, url: str, **options: Any) -> httpx.Response:
        try:
            return await self._client.request(method, url, **options)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotConnected(f"the server is not reached: {error}") from error
        except httpx.TransportError as error:
            raise ConnectionLost(f"the connection was lost: {error or type(error).__name__}") from error


def may_repeat(call: Call, error: ApiError | ConnectionLost) -> bool:
    """Whether another attempt may succeed, and cannot do a thing twice."""
    if isinstance(error, TooManyRequests | NotConnected):
        return True
    # A 500 without a code is API Gateway's, whose function did not answer.
    passing = not isinstance(error, ApiError) or error.status > 500 or error.code == "http_500"
    return call.repeatable and passing and isinstance(error, ConnectionLost | Unavailable)
