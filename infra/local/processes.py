"""Starts the parts of the stack and ends every process that came of them, whatever way the stack goes down."""

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
    """The stack cannot go on; the text is for the user."""


@dataclass
class Processes:
    """The running parts, each with a log file of its own under `logs`."""

    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, argv: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Starts a part in a session of its own, so that Ctrl-C reaches this process alone and the order is ours."""
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
        """Waits until a part answers; raises `Failed` when it exits or stays silent."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise Failed(f"{name} did not answer within {seconds:.0f} s; {self.log_of(name)}")
            time.sleep(0.1)

    def check(self) -> None:
        """Raises `Failed` when a part has exited by itself."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise Failed(f"{name} ended with code {process.returncode}; {self.log_of(name)}")

    def log_of(self, name: str) -> str:
        """Where to look, and the log's last lines."""
        path = self.logs / f"{name}.log"
        tail = path.read_text(errors="replace").splitlines()[-12:]
        return "\n".join([f"see {path}", *(f"  {line}" for line in tail)])

    def stop(self) -> None:
        """Ends all parts and their descendants, the last started first."""
        for process in reversed(self.running.values()):
            # Some parts put their children into groups of their own, so the tree is read before its root is gone.
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
    """Ends them when the block is left, also by Ctrl-C or SIGTERM; a second Ctrl-C leaves no half of them running."""
    on_interrupt(interrupt)
    try:
        yield processes
    finally:
        on_interrupt(signal.SIG_IGN)
        processes.stop()
        on_interrupt(signal.SIG_DFL)


def on_interrupt(reaction: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """What Ctrl-C and SIGTERM do from now on."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, reaction)


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """One way down for Ctrl-C and SIGTERM, also where a shell has told its background jobs to ignore the former."""
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
    """(pid, parent) of every process: from /proc, or from `ps` where there is none."""
    if not Path("/proc/self/stat").exists():
        table = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        return [(int(pid), int(parent)) for pid, parent in (line.split() for line in table.splitlines())]
    pairs = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The second field is the command in parentheses and may hold anything; the parent is the second after it.
            pairs.append((int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return pairs


def running_from(binary: Path) -> list[int]:
    """The processes that run this very file, for a test or a demo that wants to kill one (Linux only)."""
    found = []
    for exe in Path("/proc").glob("[0-9]*/exe"):
        try:
            if exe.readlink() == binary:
                found.append(int(exe.parent.name))
        except OSError:
            pass
    return found


def port_is_free(port: int) -> bool:
    """Whether nobody listens on the port, on either loopback address."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.settimeout(0.5)
                if probe.connect_ex((address, port)) == 0:
                    return False
        except OSError:
            pass
    return True
