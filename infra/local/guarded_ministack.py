"""MiniStack behind the check of `Origin` (origins.py): its WebSocket API asks for no token here, and
it permits every page to call its other services.
"""

import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

import origins

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def guarded(application: Application, allowed: tuple[str, ...]) -> Application:
    """The ASGI application, for the pages of these origins alone."""

    async def guard(scope: Message, receive: Receive, send: Send) -> None:
        named = [value.decode("latin-1") for name, value in scope.get("headers", []) if name.lower() == b"origin"]
        if origins.is_allowed(allowed, ", ".join(named) if named else None) or is_redirected_to_link(scope, named):
            await application(scope, receive, send)
        elif scope["type"] == "websocket":
            # Before the handshake is accepted this is a 403.
            await receive()
            await send({"type": "websocket.close"})
        else:
            headers, body = origins.refusal()
            encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": 403, "headers": encoded})
            await send({"type": "http.response.body", "body": body})

    return guard


def is_redirected_to_link(scope: Message, named: list[str]) -> bool:
    """Whether a page follows a redirect of the REST API to a link of an object. The browser then
    sends the origin `null`. The object's key in the link is the page's right."""
    is_object = scope.get("path", "").strip("/").count("/") >= 2
    return (
        named == ["null"]
        and scope.get("method") == "GET"
        and is_object
        and b"X-Amz-Signature=" in scope["query_string"]
    )


def main() -> None:
    allowed = origins.parse(sys.argv.pop())
    # This folder has a module of the same name.
    sys.path.pop(0)
    program: Any = import_module("ministack.app")
    program.app = guarded(program.app, allowed)
    program.main()


if __name__ == "__main__":
    main()
