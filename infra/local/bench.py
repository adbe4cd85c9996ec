"""`make bench`: the figures of the README, from a release build against DynamoDB Local. Prints, and judges nothing.

What the storage costs is counted by the Rust benchmark of `tests`; sizes, cold starts, memory and the time of a handler
beside its table are measured here, with the functions' own binaries behind a Runtime API.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import dynamodb
import functions
import settings as configuration
import stack
import template as templates
from processes import Failed, Processes
from runtime_api import Event, Function, Wire, environment_for
from settings import ROOT, TABLE_NAME

COLD_STARTS = 15
REQUESTS = 1000
# An empty `lambda_http` function that makes the same DynamoDB client: what cold starts are compared with.
EMPTY = "empty"


def main() -> int:
    """1 when something could not be measured."""
    parser = argparse.ArgumentParser(description="Prints the project's figures.")
    parser.add_argument("--profile", default="release", help="another build profile, to try the benchmark itself")
    options = parser.parse_args()
    try:
        template = templates.read(configuration.TEMPLATE)
        settings = configuration.from_environment(templates.parameter_names(template))
        http = [name for name in templates.functions(template).values() if is_http(name)]
        folder = build(list(templates.functions(template).values()), options.profile)
        processes = Processes(settings.logs)
        try:
            dynamodb.start(settings, processes, os.environ)
            dynamodb.create_table(settings, template)
            print_sizes(folder, list(templates.functions(template).values()))
            print_cold_starts(folder, http, settings.dynamodb_port)
            print_warm(folder, settings.dynamodb_port)
            print_storage(settings)
        finally:
            processes.stop()
    except (Failed, configuration.Invalid) as reason:
        return stack.failed(reason)
    except KeyboardInterrupt:
        return 130
    return 0


def build(names: list[str], profile: str) -> Path:
    """Builds the functions and the empty one, and returns their folder."""
    command = ["cargo", "build", "--locked", "--profile", profile]
    chosen = [argument for name in names for argument in ("--bin", name)]
    example = ["-p", "tests", "--example", EMPTY]
    for what in (chosen, example):
        if subprocess.run([*command, *what], cwd=ROOT, check=False).returncode:
            raise Failed("the functions did not build")
    folder = functions.target() / ("debug" if profile == "dev" else profile)
    shutil.copy(folder / "examples" / EMPTY, folder / EMPTY)
    return folder


def print_sizes(folder: Path, names: list[str]) -> None:
    heading("Binaries", "MB")
    for name in [EMPTY, *names]:
        row(name, f"{(folder / name).stat().st_size / 1e6:.1f}")


def print_cold_starts(folder: Path, names: list[str], port: int) -> None:
    """Process start to the first `next`, the middle of some, beside the empty function."""
    heading("Cold start", "ms", "× empty")
    empty = cold_start(folder / EMPTY, port)
    row(EMPTY, f"{empty:.1f}", "1.00")
    for name in names:
        milliseconds = cold_start(folder / name, port)
        row(name, f"{milliseconds:.1f}", f"{milliseconds / empty:.2f}")


def cold_start(binary: Path, port: int) -> float:
    times: list[float] = []
    for _ in range(COLD_STARTS):
        function = Function(binary, environment_for(TABLE_NAME, port))
        times.append(function.cold_start_seconds * 1000)
        function.stop()
    return statistics.median(times)


def print_warm(folder: Path, port: int) -> None:
    """A thousand requests of each read: the handler's own time, the table's, its calls, and the memory at its peak."""
    heading("Warm", "above p50 ms", "table p50 ms", "calls", "peak MB")
    session_id = create_session(folder, port)
    for name in ("health", "get-session", "get-history", "list-events", "list-runs", "list-sessions"):
        wire = Wire(port)
        function = Function(folder / name, environment_for(TABLE_NAME, wire.port))
        event = sample(name, session_id)
        above, table, calls = [], [], 0
        for _ in range(REQUESTS):
            wire.reset()
            answer, seconds = function.invoke(event)
            expect_success(name, answer)
            above.append((seconds - wire.busy_seconds()) * 1000)
            table.append(wire.busy_seconds() * 1000)
            calls = wire.calls()
        figures = (statistics.median(above), statistics.median(table))
        row(name, *(f"{figure:.2f}" for figure in figures), str(calls), f"{function.peak_memory_kib() / 1024:.1f}")
        function.stop()


def print_storage(settings: configuration.Settings) -> None:
    """Write and read units, and the calls of a step: counted in Rust, where the requests are made."""
    environment = {**os.environ, **stack.client_environment(settings)}
    command = ["cargo", "bench", "--locked", "-p", "tests", "--bench", "units"]
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise Failed("the storage's figures could not be counted")


def create_session(folder: Path, port: int) -> str:
    function = Function(folder / "create-session", environment_for(TABLE_NAME, port))
    answer, _ = function.invoke(sample("create-session", ""))
    function.stop()
    expect_success("create-session", answer)
    session_id: str = json.loads(answer["body"])["session_id"]
    return session_id


def sample(name: str, session_id: str) -> Event:
    """The function's sample event, for this session."""
    event: Event = json.loads((ROOT / "events" / f"{name}.json").read_text())
    # Several benchmarks against one table would else get each other's answer.
    event["headers"].pop("idempotency-key", None)
    if old := event.get("pathParameters", {}).get("session_id"):
        event = json.loads(json.dumps(event).replace(old, session_id))
    return event


def is_http(name: str) -> bool:
    return "rawPath" in json.loads((ROOT / "events" / f"{name}.json").read_text())


def expect_success(name: str, answer: Any) -> None:
    if answer.get("statusCode") != 200:
        raise Failed(f"{name} answered {answer}")


def heading(*columns: str) -> None:
    print(f"\n{columns[0]:<18}" + "".join(f"{column:>14}" for column in columns[1:]), flush=True)


def row(*cells: str) -> None:
    print(f"{cells[0]:<18}" + "".join(f"{cell:>14}" for cell in cells[1:]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
