"""Somebody with a token, who uses a deployment and remembers what they have done, and how they wait for what comes of it."""

import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ministack
from callers import OWNER, TASK, Ids
from claims import Checks, record
from client import Event
from deployed import Deployed
from processes import Failed

WAIT_SECONDS = 30
SESSION, RUNS = "/api/sessions/{session_id}", "/api/sessions/{session_id}/runs"


@dataclass
class User:
    """The owner of some sessions."""

    made: Deployed
    routes: set[str] = field(default_factory=set)
    # The mode of each session; of a deleted one also what its record was.
    modes: dict[str, str] = field(default_factory=dict)
    deleted: dict[str, list[Event]] = field(default_factory=dict)

    @property
    def checks(self) -> Checks:
        return self.made.world.checks

    @property
    def token(self) -> str:
        return self.made.world.token(OWNER)

    def does(self, route: str, ids: Ids | None = None, body: Any = None) -> Any:
        """The answer of a route. Raises `Failed` when it is no success."""
        self.routes.add(route.partition("?")[0])
        return self.made.world.made(OWNER, route, ids or {}, body)

    def creates(self, config: dict[str, Any]) -> Ids:
        session = self.does("POST /api/sessions", body={"mode": config["mode"], "config": config})
        self.modes[session["session_id"]] = config["mode"]
        return {"session_id": session["session_id"]}

    def starts(self, session: Ids, task: str = TASK) -> Ids:
        return {**session, "run_id": self.does(f"POST {RUNS}", session, {"task": task})["id"]}

    def record(self, session_id: str) -> list[Event]:
        return record(self.made.world.api.http_url, session_id, self.token)

    def aws(self, service: str) -> Any:
        return ministack.client(self.made.settings, service)


def waits_for(user: User, run: Ids) -> str:
    """The id of the open question of a run, once it asks."""
    route = f"GET {SESSION}/approvals?status=pending"
    return str(until(lambda: user.does(route, run)["approvals"], "the run asks")[0]["approval_id"])


def ends(user: User, run: Ids, how: str) -> None:
    def status() -> str:
        return str(user.does(f"GET {RUNS}?limit=1", run)["runs"][0]["status"])

    until(lambda: status() in ("completed", "failed", "cancelled"), "the run ends")
    user.checks.expect(f"a run of {user.modes[run['session_id']]} was {how}", status() == how, status())


def a_file(user: User) -> None:
    """Sent and fetched by links, which may no more than the role that has signed them."""
    session, content = user.creates({"mode": "ocr"}), b"The sea comes twice a day."
    sends(user, session, content)
    (file,) = user.does(f"GET {SESSION}/artifacts", session)["artifacts"]
    fetched = by_link("GET", file["url"])
    user.checks.expect("a file was sent and fetched by links", fetched == content and file["size"] == len(content), file)


def sends(user: User, session: Ids, content: bytes) -> None:
    promised = {"name": "tides.txt", "content_type": "text/plain", "size": len(content)}
    link = user.does(f"POST {SESSION}/uploads", session, promised)
    by_link(link["method"], link["url"], content, link["headers"])


def sends(user: User, session: Ids, content: bytes) -> None:
    """Puts a file into the bucket, by the link that the session gives."""
    promised = {"name": "tides.txt", "content_type": "text/plain", "size": len(content)}
    link = user.does(f"POST {SESSION}/uploads", session, promised)
    by_link(link["method"], link["url"], content, link["headers"])


def by_link(method: str, url: str, content: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """The content behind a link. Raises `Failed` when the link leads nowhere."""
    request = urllib.request.Request(url, content, dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as reply:
            return bytes(reply.read())
    except OSError as reason:
        raise Failed(f"{method} by a link: {reason}") from reason


def until(holds: Callable[[], Any], what: str) -> Any:
    """What `holds` gives, once it gives something. Raises `Failed`."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if value := holds():
            return value
        time.sleep(0.2)
    raise Failed(f"after {WAIT_SECONDS} s this was still to come: {what}")
