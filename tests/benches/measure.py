"""What each system measures, and the lines that it prints: one JSON object for each measurement.

Only the standard library, because each system runs in an environment of its own.
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

# The lengths of a run, the runs at the same time, and the steps or events that a session has before.
STEPS = (3, 9, 50)
AT_ONCE = (1, 50)
HISTORIES = (0, 1_000)
# The least number of measured steps, so that a 99th percentile is not the slowest step.
MEASURED_STEPS = 500
# Steps before the first measurement.
WARM_UP_STEPS = 500

# What each step returns.
ANSWER = (Path(__file__).parent / "peers" / "answer.txt").read_text()


def runs_of(steps: int, at_once: int) -> int:
    """The number of measured runs: enough steps, and a multiple of those at the same time."""
    runs = -(-MEASURED_STEPS // steps)
    return -(-runs // at_once) * at_once


@dataclass(frozen=True)
class CpuSeconds:
    """CPU time of this process and of the storage, if that is a process of its own."""

    own: float
    storage: float | None

    @staticmethod
    def now() -> "CpuSeconds":
        pid = os.environ.get("STORAGE_PID")
        return CpuSeconds(sum(os.times()[:2]), cpu_seconds(pid) if pid else None)


def cpu_seconds(pid: str) -> float | None:
    """From Linux's process table, whose clock has 100 ticks a second (proc(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / 100


def written_bytes(pid: str = "self") -> int | None:
    """The bytes that a process gave to the disk: whole pages, from Linux's process table."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return None
    fields = dict(line.split(": ") for line in lines)
    return int(fields["write_bytes"])


class Watch:
    """Measures from its creation to `stop`, or else to `print_times`."""

    def __init__(self, system: str, history: int, steps: int, at_once: int) -> None:
        self.row = {"system": system, "history": history, "steps": steps, "at_once": at_once}
        self.cpu, self.begun = CpuSeconds.now(), time.perf_counter()
        self.times: dict[str, float | None] = {}

    def stop(self) -> None:
        """Ends the measurement."""
        wall, cpu = time.perf_counter() - self.begun, CpuSeconds.now()
        storage = None
        if cpu.storage is not None and self.cpu.storage is not None:
            storage = cpu.storage - self.cpu.storage
        self.times = {"wall_s": wall, "own_cpu_s": cpu.own - self.cpu.own, "storage_cpu_s": storage}

    def print_times(self, step_seconds: Iterable[float], in_steps: float | None = None) -> None:
        """Prints the line; `step_seconds` are the times of all steps. Where the measurement holds the
        beginnings and ends of runs too, `in_steps` are the seconds between the first step's beginning
        and the last one's end.
        """
        if not self.times:
            self.stop()
        if in_steps is not None:
            self.times |= {"run_s": self.times["wall_s"], "wall_s": in_steps}
        emit("times", **self.row, **self.times, step_ms=[1e3 * seconds for seconds in step_seconds])


def between(moments: Sequence[float]) -> list[float]:
    """The times from each moment to the next."""
    return [after - before for before, after in pairwise(moments)]


def emit(kind: str, **values: object) -> None:
    """Prints a line."""
    print(json.dumps({"kind": kind, **values}), flush=True)
