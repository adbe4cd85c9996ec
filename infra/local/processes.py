"""Starts the parts of the stack, and ends all their processes however the stack stops."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

# A part that ignores SIGTERM longer than this is killed.
GRACE_SECONDS = 5.0


class Failed(Exception):
    """The stack cannot continue; the text is for the user."""


@dataclass
class Processes:
    """The running parts, each with its own log file under `logs`."""

    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, argv: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Starts a part in its own session, so that Ctrl-C reaches only this process, which decides
        the order of the shutdown.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                argv,
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Waits until a part answers. Raises `Failed` when it exits or does not answer."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise Failed(f"{name} did not answer within {seconds:.0f} s; {self.log_of(name)}")
            time.sleep(0.1)

    def check(self) -> None:
        """Raises `Failed` when a part has exited on its own."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise Failed(f"{name} ended with code {process.returncode}; {self.log_of(name)}")

    def log_of(self, name: str) -> str:
        """The path of the log and its last lines."""
        path = self.logs / f"{name}.log"
        tail = path.read_text(errors="replace").splitlines()[-12:]
        return "\n".join([f"see {path}", *(f"  {line}" for line in tail)])

    def stop(self) -> None:
        """Ends all parts and their descendants, the last started first."""
        for process in reversed(self.running.values()):
            # Some parts put their children into process groups of their own, so the tree is read
            # before its root exits.
            family = [process.pid, *descendants(process.pid)]
            signal_all(family, signal.SIGTERM)
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            signal_all(family, signal.SIGKILL)
            process.wait()
        self.running.clear()


@contextmanager
def ended(processes: Processes) -> Iterator[Processes]:
    """Ends them when the block is left, also by Ctrl-C or SIGTERM. A second Ctrl-C does not
    interrupt the shutdown.
    """
    on_interrupt(interrupt)
    try:
        yield processes
    finally:
        on_interrupt(signal.SIG_IGN)
        processes.stop()
        on_interrupt(signal.SIG_DFL)


def on_interrupt(reaction: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Sets the handler of Ctrl-C and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, reaction)


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """The same shutdown for Ctrl-C and SIGTERM, also if a shell has set its background jobs to
    ignore Ctrl-C.
    """
    raise KeyboardInterrupt


def signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def descendants(root: int) -> list[int]:
    """Children, grandchildren and so on."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    pending = [root]
    while pending:
        pids = children.get(pending.pop(), [])
        found += pids
        pending += pids
    return found


def parents() -> list[tuple[int, int]]:
    """(pid, parent) of every process: from /proc, or from `ps` if there is none."""
    if not Path("/proc/self/stat").exists():
        table = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        return [(int(pid), int(parent)) for pid, parent in (line.split() for line in table.splitlines())]
    pairs = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The second field is the command in parentheses and may contain any text. The parent is
            # the second field after it.
            pairs.append((int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return pairs


def running_from(binary: Path) -> list[int]:
    """The processes that were started as this file, for a test or a demo that kills one (Linux
    only). A worker hides the link to its executable, and no process hides its command line.
    """
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if line.read_bytes().partition(b"\0")[0] == os.fsencode(binary):
                found.append(int(line.parent.name))
        except OSError:
            pass
    return found


def port_is_free(port: int) -> bool:
    """Whether no process listens on the port, on either loopback address."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.settimeout(0.5)
                if probe.connect_ex((address, port)) == 0:
                    return False
        except OSError:
            pass
    return True
