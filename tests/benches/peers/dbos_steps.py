"""Empty steps of DBOS: a workflow whose steps return the answer. Its database is SQLite, which
installs with it; Postgres, its other one, needs a server.

The history of a workflow are its own earlier steps. They are recorded as done, as those of a
workflow that is recovered: DBOS reads each of them, and then goes on. That time is not measured.
"""

import os
import time
from collections.abc import Iterator
from threading import Barrier
from typing import Any
from uuid import uuid4

import sqlalchemy
from dbos import DBOS, SetWorkflowID
from measure import ANSWER, AT_ONCE, HISTORIES, STEPS, WARM_UP_STEPS, Watch, between, emit, runs_of, written_bytes
from sqlalchemy import event

SYSTEM = "dbos"
MOST_AT_ONCE = max(AT_ONCE)
# The workflow whose recorded steps are the history of others.
GROWN = "grown"
# The steps whose cost is counted.
COUNTED_STEPS = 200

statements = {"requests": 0, "commits": 0}


class Race:
    """Workflows that run the same lengths of steps side by side; each length begins for all at the
    same moment.
    """

    def __init__(self, history: int, lengths: list[int], at_once: int) -> None:
        self.history, self.lengths, self.at_once = history, lengths, at_once
        self.watches: list[Watch] = []
        self.times: list[list[float]] = []
        self.gate = Barrier(at_once, self.begin)

    def begin(self) -> None:
        """Called once when all workflows are at a gate: the length before has ended."""
        self.end()
        number = len(self.watches)
        if number < len(self.lengths):
            self.watches.append(Watch(SYSTEM, self.history, self.lengths[number], self.at_once))
            self.times.append([])

    def end(self) -> None:
        if self.watches:
            self.watches[-1].stop()

    def run(self) -> None:
        """What each of the workflows does."""
        for number, length in enumerate(self.lengths):
            self.gate.wait()
            moments = [time.perf_counter()]
            for _ in range(length):
                step()
                moments.append(time.perf_counter())
            self.times[number] += between(moments)
        self.gate.wait()


race: Race | None = None


@DBOS.step()
def step() -> str:
    return ANSWER


@DBOS.workflow()
def run(steps: int) -> None:
    """Runs steps, and then the race, if there is one."""
    for _ in range(steps):
        step()
    if race:
        race.run()


def main() -> None:
    """Prints all measurements."""
    url = f"sqlite:///{os.environ['DBOS_FILE']}"
    DBOS(config={"name": "empty-steps", "system_database_url": url, "log_level": "WARNING"})
    DBOS.launch()
    engine = sqlalchemy.create_engine(url)
    try:
        measure(engine)
    finally:
        DBOS.destroy()


def measure(engine: Any) -> None:
    wait([start(WARM_UP_STEPS // MOST_AT_ONCE) for _ in range(MOST_AT_ONCE)])
    with SetWorkflowID(GROWN):
        run(max(HISTORIES))
    event.listen(sqlalchemy.Engine, "before_cursor_execute", lambda *_: count("requests"))
    event.listen(sqlalchemy.Engine, "commit", lambda *_: count("commits"))
    for history in HISTORIES:
        for steps in STEPS:
            measure_cost(engine, history, steps)
        for at_once in AT_ONCE:
            for lengths in plans(history, at_once):
                measure_times(engine, Race(history, lengths, at_once))


def plans(history: int, at_once: int) -> Iterator[list[int]]:
    """The lengths that each race runs: with a history all in one, because its reading takes long."""
    runs = [[steps] * (runs_of(steps, at_once) // at_once) for steps in STEPS]
    if history:
        yield [length for of_steps in runs for length in of_steps]
    else:
        yield from runs


def measure_times(engine: Any, measured: Race) -> None:
    global race  # noqa: PLW0603 — a workflow takes only what can be stored.
    race = measured
    history = measured.history
    names = [grown(engine, history) for _ in range(measured.at_once)]
    wait([start(history, name) for name in names])
    race = None
    for watch, times in zip(measured.watches, measured.times, strict=True):
        watch.print_times(times)


def measure_cost(engine: Any, history: int, steps: int) -> None:
    """The mean cost of a step: a long run without a run of one, so that DBOS's own polling counts little.
    It is the same at each length of a run.
    """
    sums = []
    for length in (1, 1 + COUNTED_STEPS):
        name = grown(engine, history)
        before = counts()
        wait([start(history + length, name)])
        after = counts()
        sums.append({key: after[key] - before[key] for key in before})
    one, all_steps = sums
    emit(
        "cost",
        system=SYSTEM,
        history=history,
        steps=steps,
        **{key: (all_steps[key] - one[key]) / COUNTED_STEPS for key in one},
    )


def grown(engine: Any, history: int) -> str:
    """The name of a new workflow; with a history, its first steps are recorded as done."""
    name = str(uuid4())
    if history:
        table = sqlalchemy.Table("operation_outputs", sqlalchemy.MetaData(), autoload_with=engine)
        columns = [sqlalchemy.literal(name) if column.name == "workflow_uuid" else column for column in table.c]
        rows = sqlalchemy.select(*columns).where(table.c.workflow_uuid == GROWN)
        with engine.begin() as connection:
            connection.execute(table.insert().from_select([column.name for column in table.c], rows))
    return name


def start(steps: int, name: str | None = None) -> Any:
    with SetWorkflowID(name or str(uuid4())):
        return DBOS.start_workflow(run, steps)


def wait(handles: list[Any]) -> None:
    for handle in handles:
        handle.get_result()


def count(what: str) -> None:
    statements[what] += 1


def counts() -> dict[str, int]:
    return {**statements, "bytes": written_bytes() or 0}


if __name__ == "__main__":
    main()
