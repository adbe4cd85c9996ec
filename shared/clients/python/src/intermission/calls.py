"""The calls of the HTTP API as values, so that each is written once for both clients."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

Query = Mapping[str, str | int | None]


@dataclass(frozen=True)
class Call:
    """One request. `repeatable` means that a second one changes nothing more."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Query = field(default_factory=dict)
    key: str | None = None

    @property
    def repeatable(self) -> bool:
        return self.method != "POST" or self.key is not None or "/approvals/" in self.path or "/uploads" in self.path

    def params(self) -> dict[str, str | int]:
        """Without the absent ones."""
        return {name: value for name, value in self.query.items() if value is not None}


def session(session_id: str, rest: str = "") -> str:
    """The path of a session, or of what is below it."""
    return f"/api/sessions/{quote(session_id, safe='')}{rest}"


def create(mode: str, name: str | None, config: Mapping[str, Any] | None, key: str) -> Call:
    return Call("POST", "/api/sessions", present(mode=mode, name=name, config=config), key=key)


def start(session_id: str, task: str, config: Mapping[str, Any] | None, key: str) -> Call:
    return Call("POST", session(session_id, "/runs"), present(task=task, config=config), key=key)


def answer(
    session_id: str, approval_id: str, resolution: str, feedback: str | None, modifications: Mapping[str, Any] | None
) -> Call:
    path = session(session_id, f"/approvals/{quote(approval_id, safe='')}")
    return Call("POST", path, present(resolution=resolution, feedback=feedback, modifications=modifications))


def resume(session_id: str, additional_context: str | None) -> Call:
    return Call("POST", session(session_id, "/resume"), present(additional_context=additional_context))


def cancel(session_id: str, run_id: str) -> Call:
    return Call("POST", session(session_id, f"/runs/{quote(run_id, safe='')}/cancel"))


def upload(session_id: str, name: str, content_type: str, size: int) -> Call:
    return Call("POST", session(session_id, "/uploads"), {"name": name, "content_type": content_type, "size": size})


def present(**fields: Any) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}
