"""The front of the local HTTP API, in place of API Gateway: it refuses foreign pages, answers
preflights as the template's `CorsConfiguration` does, and passes all else to `cargo lambda watch`.

Each connection carries one request, so that no body has to be parsed: the heads of request and
response are read, and the rest is copied.
"""

import asyncio
import sys
from contextlib import suppress
from functools import partial
from http import HTTPStatus

import origins

HEAD_END = b"\r\n\r\n"
# The largest head that is read. `cargo lambda watch` refuses smaller ones.
MAX_HEAD = 1024 * 1024
# How long a client may keep a connection without a request.
IDLE_SECONDS = 60
# How long the rest of a request is read after its response, so that closing does not reset it.
LINGER_SECONDS = 1

# As in the template (`HttpApi`).
ALLOWED = {
    "access-control-allow-methods": "GET,POST,PATCH,DELETE",
    "access-control-allow-headers": "authorization,content-type,idempotency-key",
    "access-control-max-age": "3600",
}
EXPOSED = {"access-control-expose-headers": "x-request-id,retry-after"}

# A connection that its client has closed is an OSError of several kinds.
BROKEN = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError)


class Head:
    """The first line and the header lines of a request or response."""

    def __init__(self, head: bytes) -> None:
        self.first, *self.lines = head.removesuffix(HEAD_END).split(b"\r\n")

    def values(self, name: str) -> list[str]:
        """The values of a header."""
        pairs = (line.decode("latin-1").partition(":") for line in self.lines)
        return [value.strip() for key, _, value in pairs if key.strip().lower() == name]

    def last_of_connection(self, added: origins.Headers) -> bytes:
        """The head with these headers, for a connection that ends with its message."""
        kept = [line for line in self.lines if not line.lower().startswith((b"connection:", b"keep-alive:"))]
        new = [f"{name}: {value}".encode("latin-1") for name, value in {**added, "connection": "close"}.items()]
        return b"\r\n".join([self.first, *kept, *new]) + HEAD_END


async def main(port: int, upstream: int, allowed: tuple[str, ...]) -> None:
    """Serves until the process ends."""
    handle = partial(answer, upstream, allowed)
    server = await asyncio.start_server(handle, "127.0.0.1", port, limit=MAX_HEAD)
    await server.serve_forever()


async def answer(
    upstream: int, allowed: tuple[str, ...], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answers one request."""
    try:
        head = Head(await asyncio.wait_for(reader.readuntil(HEAD_END), IDLE_SECONDS))
        named = head.values("origin")
        # Browsers send one. Several are one text that no list has.
        origin = ", ".join(named) if named else None
        if not origins.is_allowed(allowed, origin):
            headers, body = origins.refusal()
            writer.write(response(HTTPStatus.FORBIDDEN, headers, body))
        elif origin and head.first.startswith(b"OPTIONS ") and head.values("access-control-request-method"):
            writer.write(response(HTTPStatus.NO_CONTENT, {**permission(origin), **ALLOWED}))
        else:
            cors = {**permission(origin), **EXPOSED} if origin else {}
            await passed_on(upstream, head, cors, reader, writer)
        writer.write_eof()
        await asyncio.wait_for(dropped(reader), LINGER_SECONDS)
    except BROKEN:
        pass
    finally:
        writer.close()


async def passed_on(
    upstream: int, head: Head, cors: origins.Headers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Sends the request on, and its response back with the headers for the page."""
    try:
        from_function, to_function = await asyncio.open_connection("127.0.0.1", upstream, limit=MAX_HEAD)
    except ConnectionError:
        writer.write(response(HTTPStatus.BAD_GATEWAY, {}))
        return
    to_function.write(head.last_of_connection({}))
    sending = asyncio.create_task(copied(reader, to_function))
    try:
        reply = Head(await from_function.readuntil(HEAD_END))
        while reply.first.startswith(b"HTTP/1.1 1"):
            writer.write(b"\r\n".join([reply.first, *reply.lines]) + HEAD_END)
            reply = Head(await from_function.readuntil(HEAD_END))
        writer.write(reply.last_of_connection(cors))
        await copied(from_function, writer)
    finally:
        sending.cancel()
        # Another task may not read while this one does.
        await asyncio.gather(sending, return_exceptions=True)
        to_function.close()


def permission(origin: str) -> dict[str, str]:
    """That the page of this origin may read the response."""
    return {"access-control-allow-origin": origin, "vary": "Origin"}


def response(status: HTTPStatus, headers: origins.Headers, body: bytes = b"") -> bytes:
    """A response of the front itself."""
    head = Head(f"HTTP/1.1 {status.value} {status.phrase}".encode())
    length = {} if status is HTTPStatus.NO_CONTENT else {"content-length": str(len(body))}
    return head.last_of_connection({**headers, **length}) + body


async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies until the sender is done or the receiver is gone."""
    with suppress(ConnectionError):
        while part := await reader.read(64 * 1024):
            writer.write(part)
            await writer.drain()


async def dropped(reader: asyncio.StreamReader) -> None:
    """Reads to the end and keeps nothing."""
    while await reader.read(64 * 1024):
        pass


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), origins.parse(sys.argv[3])))
