"""Which web pages may use the local stack, which asks for no token.

A browser sends the requests of any page to this machine, and names the page in `Origin`: without
this check each page could start paid runs. Pages of this machine may, on any port, for development
servers; `BROWSER_ORIGINS` adds others. A name that is no loopback address is never taken for this
machine, whatever `Host` says, because a page chooses where its name points to.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping

LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")
ANY = "*"

Headers = Mapping[str, str]


def parse(given: str) -> tuple[str, ...]:
    """The origins of a comma-separated list. Raises `ValueError` for anything else."""
    listed = tuple(part.strip() for part in given.split(",") if part.strip())
    for origin in listed:
        if origin != ANY and not ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is no origin such as https://app.example")
    return listed


def is_allowed(origins: Iterable[str], origin: str | None) -> bool:
    """Whether a request may pass. A client that is no browser sends no `Origin`."""
    if origin is None or LOOPBACK.fullmatch(origin):
        return True
    return any(allowed in (origin, ANY) for allowed in origins)


def refusal() -> tuple[Headers, bytes]:
    """The headers and the body of the 403 for a foreign page."""
    request_id = str(uuid.uuid4())
    body = {
        "detail": "The local stack refuses the pages of other origins; BROWSER_ORIGINS adds some.",
        "code": "foreign_origin",
        "request_id": request_id,
    }
    return {"content-type": "application/json", "x-request-id": request_id}, json.dumps(body).encode()
