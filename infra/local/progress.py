"""Draws the events of a run: an updated block on a terminal, one line per event elsewhere."""

import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

from intermission import AsyncClient

Event = dict[str, Any]

MARKS = {"pending": "·", "running": "▶", "completed": "✓", "failed": "✗", "skipped": "–"}
COLOURS = {"running": "\x1b[33m", "completed": "\x1b[32m", "failed": "\x1b[31m"}
RESET, DIM = "\x1b[0m", "\x1b[2m"
WIDTH = 100
INDENT = 5


@dataclass
class Progress:
    """The displayed state of one run."""

    title: str
    out: TextIO = sys.stdout
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    phase: str = "queued"
    note: str = ""
    tokens: int = 0
    drawn: int = 0

    @property
    def live(self) -> bool:
        return self.out.isatty()

    def show(self, event: dict[str, Any]) -> None:
        """Applies an event and draws."""
        line = self.apply(event["event_type"], event["data"])
        if self.live:
            self.draw(event["seq"])
        elif line:
            print(f"  {event['seq']:>4}  {line}", file=self.out, flush=True)

    def say(self, text: str) -> None:
        """Prints a remark above the block."""
        if self.live:
            self.out.write(f"\x1b[{self.drawn}A\x1b[J" if self.drawn else "")
            self.drawn = 0
        print(f"  >>>   {text}", file=self.out, flush=True)

    def apply(self, kind: str, data: dict[str, Any]) -> str:
        """Applies an event and returns its line; empty when the event is not shown."""
        match kind:
            case "dag_created" | "dag_updated":
                self.nodes = {node["id"]: node for node in data["nodes"]}
                return f"{kind}: {', '.join(self.nodes)}"
            case "dag_node_status_changed":
                self.nodes.setdefault(data["node_id"], {"id": data["node_id"]})["status"] = data["new_status"]
                return f"{MARKS.get(data['new_status'], '?')} {data['node_id']} {data['new_status']}"
            case "phase_change":
                step = data.get("step_number")
                self.phase = data["phase"] + (f", step {step}" if step else "")
                return f"phase {self.phase}"
            case "agent_message":
                self.note = f"{data['agent']}: {shortened(data['message'])}"
                return self.note
            case "approval_requested":
                self.phase, self.note = "waiting for a person", shortened(data["message"])
                return f"asks: {self.note}"
            case "approval_received":
                self.phase, self.note = "queued", f"answered by {data['resolved_by']}: {data['resolution']}"
                return self.note
            case "cost_update":
                self.tokens += data["tokens"]
                return ""
            case "complete":
                self.phase, self.note = "completed", shortened(data["message"])
                return f"complete: {self.note}"
            case "status" | "output":
                self.note = shortened(data["message"])
                return f"{kind}: {self.note}"
            case "error" | "workflow_failed":
                self.phase = "failed"
                self.note = shortened(data.get("message") or data["error"])
                return f"{kind}: {self.note}"
        return kind

    def draw(self, seq: int) -> None:
        """Draws the block over the last one."""
        lines = [f"{self.title}  {DIM}{self.phase} · {self.tokens} tokens · seq {seq}{RESET}"]
        for node in self.nodes.values():
            status = node.get("status", "pending")
            label = shortened(node.get("goal") or node.get("label") or node["id"])
            lines.append(f"  {COLOURS.get(status, DIM)}{MARKS.get(status, '?')} {label}{RESET}")
        lines.append(f"  {DIM}{self.note}{RESET}")
        up = f"\x1b[{self.drawn}A" if self.drawn else ""
        self.out.write(up + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
        self.out.flush()
        self.drawn = len(lines)


async def follow(
    client: AsyncClient,
    progress: Progress,
    task: str,
    watch: Callable[[Event], Awaitable[None]] | None = None,
    **run: Any,
) -> list[Event]:
    """Runs a task, with the options of the client's `run`, and draws its events until it has ended.
    Returns them.
    """
    events: list[Event] = []
    async for event in client.run(task, mode=progress.title, **run):  # type: ignore[arg-type]
        if event["seq"] is not None:
            events.append(dict(event))
            progress.show(events[-1])
            if watch:
                await watch(events[-1])
    return events


def heading(text: str) -> None:
    print(f"\n{text}\n", flush=True)


def shortened(text: str) -> str:
    """One line that fits the terminal, because a wrapped line would be overwritten only in part."""
    width = min(WIDTH, shutil.get_terminal_size().columns - INDENT)
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"
