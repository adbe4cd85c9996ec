"""The lines of the systems as tables, and where one system is ahead of another."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

from measure import AT_ONCE, HISTORIES, STEPS

# The systems in the order of the tables, and their names there.
WORKER = "worker"
SYSTEMS = {
    WORKER: "this worker",
    "langgraph": "LangGraph, sync",
    "langgraph-async": "LangGraph, async",
    "langgraph-kept": "LangGraph, all answers in the state",
    "dbos": "DBOS, SQLite",
    "restate": "Restate",
}
# Those whose storage is the worker's.
ON_DYNAMODB = ("langgraph", "langgraph-async", "langgraph-kept")
# Its next step begins before the one before is stored, so only what it does in a second compares.
UNSTORED = "langgraph-async"

Row = tuple[int, int, int]
ROWS: list[Row] = [(history, at_once, steps) for history in HISTORIES for at_once in AT_ONCE for steps in STEPS]


class BadLine(Exception):
    """A system printed what is no measurement, or not all of them; the text names it."""


@dataclass
class Times:
    """The measured steps of one row of one system."""

    # From the first step's beginning to the last one's end.
    seconds: float = 0.0
    # With the beginnings and ends of the runs, where a system measures them.
    run_seconds: float | None = None
    own_cpu: float = 0.0
    storage_cpu: float | None = None
    step_ms: list[float] = field(default_factory=list)
    steps: int = 1

    def add(self, line: dict[str, object]) -> None:
        """Adds a line; a row may have several, measured one after another."""
        self.seconds += number(line, "wall_s")
        if "run_s" in line:
            self.run_seconds = (self.run_seconds or 0.0) + number(line, "run_s")
        self.own_cpu += number(line, "own_cpu_s")
        if line.get("storage_cpu_s") is not None:
            self.storage_cpu = (self.storage_cpu or 0.0) + number(line, "storage_cpu_s")
        steps = line.get("step_ms")
        if not isinstance(steps, list) or not steps:
            raise BadLine(f"no times in {line}")
        self.step_ms += steps
        self.steps = int(number(line, "steps"))

    @property
    def p50(self) -> float:
        return percentile(self.step_ms, 0.50)

    @property
    def p99(self) -> float:
        return percentile(self.step_ms, 0.99)

    @property
    def steps_a_second(self) -> float:
        return len(self.step_ms) / self.seconds


@dataclass
class System:
    """The measurements of one system."""

    times: dict[Row, Times] = field(default_factory=dict)
    # By history and steps: the mean of a step.
    costs: dict[tuple[int, int], dict[str, float | None]] = field(default_factory=dict)


def read(output: str) -> dict[str, System]:
    """The measurements in a program's output, by system. Other lines are passed over."""
    systems: dict[str, System] = {}
    for text in output.splitlines():
        if not text.startswith("{"):
            continue
        try:
            line = json.loads(text)
            system = systems.setdefault(line["system"], System())
            history, steps = int(line["history"]), int(line["steps"])
            if line["kind"] == "times":
                system.times.setdefault((history, int(line["at_once"]), steps), Times()).add(line)
            else:
                costs = ("requests", "write_units", "read_units", "bytes")
                system.costs[history, steps] = {name: line.get(name) for name in costs}
        except (ValueError, KeyError, TypeError) as error:
            raise BadLine(f"{text[:100]}: {error!r}") from error
    for name, system in systems.items():
        missing = [row for row in ROWS if system.times and row not in system.times]
        if name not in SYSTEMS or missing:
            raise BadLine(f"{name} lacks {missing or 'a name for the table'}")
    return systems


def number(line: dict[str, object], name: str) -> float:
    value = line[name]
    if not isinstance(value, int | float):
        raise BadLine(f"{name} is no number: {value!r}")
    return float(value)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    return sorted(values)[max(ceil(share * len(values)), 1) - 1]


def tables(systems: dict[str, System]) -> Iterable[str]:
    """The lines of all tables."""
    ordered = [(SYSTEMS[name], systems[name]) for name in SYSTEMS if name in systems]
    timed = [(name, system) for name, system in ordered if system.times]
    for history in HISTORIES:
        for at_once in AT_ONCE:
            title = f"History {history:,}, {at_once} at once: ms a step p50, p99; steps a second"
            rows = [
                (name, [times_cell(system.times[history, at_once, steps]) for steps in STEPS]) for name, system in timed
            ]
            yield from table(title, [f"{steps} steps" for steps in STEPS], rows)
    yield from table(
        "A run beside its steps, in ms",
        [f"{steps} after {history:,}" for history in HISTORIES for steps in STEPS],
        [
            (name, [beside_cell(system.times[history, 1, steps]) for history in HISTORIES for steps in STEPS])
            for name, system in timed
            if system.times[ROWS[0]].run_seconds is not None
        ],
    )
    for what, title in {
        "requests": "Requests to the storage a step",
        "write_units": "Write units a step",
        "read_units": "Read units a step",
        "bytes": "Bytes written a step",
    }.items():
        columns = [(history, steps) for history in HISTORIES for steps in STEPS]
        heads = [f"{steps} after {history:,}" for history, steps in columns]
        rows = [
            (name, [cost_cell(system.costs.get(column, {}).get(what)) for column in columns])
            for name, system in ordered
        ]
        yield from table(title, heads, [row for row in rows if any(cell != "" for cell in row[1])])
    kept = systems.get("langgraph-kept", System()).costs
    longer = [(steps, costs["write_units"]) for (_, steps), costs in kept.items() if steps not in STEPS]
    if longer:
        shown = ", ".join(f"{cost_cell(units)} at {steps} steps" for steps, units in longer)
        yield f"  {SYSTEMS['langgraph-kept']}: write units {shown}."
    yield from table(
        "CPU of a step in ms: the process, the storage; and the storage's share of one core",
        [f"{at_once} at once" for at_once in AT_ONCE],
        [(name, [cpu_cell(system.times[0, at_once, STEPS[-1]]) for at_once in AT_ONCE]) for name, system in timed],
    )


def times_cell(times: Times) -> str:
    return f"{times.p50:.1f}, {times.p99:.1f}; {times.steps_a_second:,.0f}"


def beside_cell(times: Times) -> str:
    runs = len(times.step_ms) / times.steps
    return f"{1e3 * ((times.run_seconds or 0.0) - times.seconds) / runs:.0f}"


def cost_cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def cpu_cell(times: Times) -> str:
    steps = len(times.step_ms)
    own = f"{1e3 * times.own_cpu / steps:.1f}"
    if times.storage_cpu is None:
        return own
    share = times.storage_cpu / (times.run_seconds or times.seconds)
    return f"{own}, {1e3 * times.storage_cpu / steps:.1f}; {share:.0%}"


def table(title: str, heads: list[str], rows: list[tuple[str, list[str]]]) -> Iterable[str]:
    """A table as text, each column as wide as its widest cell."""
    lines = [[title, *heads], *([name, *cells] for name, cells in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    yield ""
    for number, (first, *rest) in enumerate(lines):
        cells = (f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True))
        yield "   ".join([f"{first:<{widths[0]}}", *cells]).rstrip()
        if number == 0:
            yield "─" * (sum(widths) + 3 * (len(widths) - 1))


def verdicts(systems: dict[str, System]) -> Iterable[str]:
    """For each other system, in how many figures the worker is ahead, and where it is not."""
    worker = systems[WORKER]
    for name, shown in SYSTEMS.items():
        if name == WORKER or name not in systems:
            continue
        other = systems[name]
        figures = [*times_beside(worker, other, name != UNSTORED)]
        if name in ON_DYNAMODB:
            figures += costs_beside(worker, other)
        behind = defaultdict[str, list[float]](list)
        for what, times_worse in figures:
            if times_worse >= 1:
                behind[what].append(times_worse)
        ahead = len(figures) - sum(map(len, behind.values()))
        yield f"Ahead of {shown} in {ahead} of {len(figures)} figures."
        for what, ratios in behind.items():
            least, most = f"{min(ratios):.2f}", f"{max(ratios):.2f}"
            ratio = least if least == most else f"{least} to {most}"
            count = sum(1 for of, _ in figures if of == what)
            yield f"  behind: {what}: {ratio} times theirs, in {len(ratios)} of {count}"


def times_beside(worker: System, other: System, is_stored: bool) -> Iterable[tuple[str, float]]:
    """Each time of a row, and how many times worse the worker's is."""
    for row, theirs in other.times.items():
        ours, at_once = worker.times[row], f"{row[1]} at once"
        if is_stored:
            yield f"p50, {at_once}", ours.p50 / theirs.p50
            yield f"p99, {at_once}", ours.p99 / theirs.p99
        yield f"time for all steps, {at_once}", theirs.steps_a_second / ours.steps_a_second


def costs_beside(worker: System, other: System) -> Iterable[tuple[str, float]]:
    """Each cost of a row, and how many times higher the worker's is."""
    for key, ours in worker.costs.items():
        for what in ("requests", "write_units", "bytes"):
            own, others = ours[what], other.costs.get(key, {}).get(what)
            if own is not None and others:
                yield f"{what.replace('_', ' ')}, {key[1]} steps", own / others
