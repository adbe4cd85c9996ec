"""What the functions have measured: whether each line is one that CloudWatch takes metrics from, and what they say together.

The rules are those of "Specification: Embedded metric format" in CloudWatch's user guide, with its limits; what is measured,
under which name, is the README's table, which a test holds to the code.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ministack
from client import Event
from processes import Failed
from settings import ROOT, STACK_NAME, Settings

# Of a PutMetricData request, to which the specification refers.
UNITS = {
    *("Seconds", "Microseconds", "Milliseconds", "Count", "Percent", "None"),
    *("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits", "Kilobits", "Megabits", "Gigabits"),
}
ENDS = {"workflow_completed": "completed", "workflow_failed": "failed", "workflow_cancelled": "cancelled"}
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| (\w+) \|", re.MULTILINE)

# A metric's name and the values of its dimensions → what was measured.
Values = dict[tuple[str, ...], list[float]]


@dataclass(frozen=True)
class Metric:
    """As the README has it."""

    dimensions: tuple[str, ...]
    unit: str


def expected() -> dict[str, Metric]:
    """The README's table."""
    readme = (ROOT / "README.md").read_text()
    table = readme.partition("### Metrics")[2].partition("\n### ")[0]
    return {name: Metric(tuple(re.findall(r"`(\w+)`", dimensions)), unit) for name, dimensions, unit in ROW.findall(table)}


def documents(lines: Iterable[str]) -> Iterator[Any]:
    """The lines that are metrics: JSON from the first to the last character, as CloudWatch wants it."""
    for line in lines:
        if '"_aws"' in line:
            try:
                yield json.loads(line)
            except ValueError:
                # Half a line is what a worker leaves that is killed.
                if line.endswith("}") or not line.startswith('{"_aws"'):
                    yield line


def faults(document: Any) -> Iterator[str]:
    """What the specification has against a line."""
    if not isinstance(document, dict):
        yield "it is no JSON object"
        return
    metadata = document["_aws"]
    if type(metadata.get("Timestamp")) is not int:
        yield "its time is no number of milliseconds"
    directives = metadata.get("CloudWatchMetrics")
    if not directives:
        yield "it names no metrics"
    for directive in directives or []:
        if not 0 < len(directive["Namespace"]) <= 1024:
            yield "its namespace is too short or too long"
        for names in directive["Dimensions"] or [None]:
            yield from faulty_dimensions(document, names)
        for definition in directive["Metrics"]:
            yield from faulty_metric(document, definition)


def faulty_dimensions(document: Mapping[str, Any], names: list[str] | None) -> Iterator[str]:
    if names is None or len(names) > 30:
        yield "it has no set of dimensions, or a set of more than 30"
    for name in names or []:
        value = document.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= 1024 or len(name) > 250:
            yield f"the dimension {name} is no text beside its name: {value!r}"


def faulty_metric(document: Mapping[str, Any], definition: Mapping[str, Any]) -> Iterator[str]:
    name, unit = definition["Name"], definition.get("Unit")
    values = document.get(name)
    values = values if isinstance(values, list) else [values]
    if not 0 < len(values) <= 100 or any(type(value) not in (int, float) for value in values):
        yield f"the values of {name} are not 1 to 100 numbers: {values!r}"
    if unit not in UNITS:
        yield f"{name} has the unit {unit!r}"


def values(lines: Iterable[str], namespace: str) -> tuple[Values, list[str]]:
    """All that was measured, and every line that is not as the format or the README wants it."""
    found: Values = {}
    wrong: list[str] = []
    known = expected()
    for document in documents(lines):
        if invalid := list(faults(document)):
            wrong.append(f"{', '.join(invalid)}: {document}")
            continue
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for name, metric in of_directive(directive):
                if directive["Namespace"] != namespace or known.get(name) != metric:
                    wrong.append(f"the README does not know {name} so: {document}")
                told = document[name]
                key = (name, *(document[dimension] for dimension in metric.dimensions))
                found.setdefault(key, []).extend(told if isinstance(told, list) else [told])
    return found, wrong


def of_directive(directive: Mapping[str, Any]) -> Iterator[tuple[str, Metric]]:
    (dimensions,) = directive["Dimensions"]
    for definition in directive["Metrics"]:
        yield definition["Name"], Metric(tuple(dimensions), definition["Unit"])


def recorded(records: Iterable[tuple[str, list[Event]]]) -> Values:
    """What the metrics must say about these records, each with the mode of its session."""
    found: Values = {}
    for mode, events in records:
        for event in events:
            data = event["data"]
            match event["event_type"]:
                case "step_complete":
                    found.setdefault(("StepTime", mode), []).append(data["execution_time"])
                case "cost_update" if data["cost_usd"] is not None:
                    found.setdefault(("CostUsd", mode), []).append(data["cost_usd"])
                case kind if kind in ENDS:
                    found.setdefault(("Runs", mode, ENDS[kind]), []).append(1)
    return found


def look(settings: Settings) -> None:
    """Reads what the workers of a stack have measured. Raises `Failed` when a line is wrong, or something was not measured."""
    told, wrong = values(ministack.logged(settings), STACK_NAME)
    names = {key[0] for key in told}
    # Nobody gives up a message there.
    if missing := expected().keys() - names - {"DeadLetters"}:
        wrong.append(f"nobody has measured {', '.join(sorted(missing))}")
    if wrong:
        raise Failed("\n".join([f"no metrics that CloudWatch takes ({len(wrong)}):", *wrong[:20]]))
    print(f"  {sum(map(len, told.values()))} values of {', '.join(sorted(names))}", flush=True)


def differences(told: Values, recorded: Values) -> list[str]:
    """Where the metrics say something else than the records do about runs, steps and costs. Counts are added up."""

    def comparable(values: Values) -> dict[tuple[str, ...], Any]:
        counted = {key: sum(all_of) for key, all_of in values.items() if key[0] == "Runs"}
        return counted | {key: sorted(values[key]) for key in values if key[0] in ("StepTime", "CostUsd")}

    one, other = comparable(told), comparable(recorded)
    return [
        f"{' '.join(key)}: measured {one.get(key)}, recorded {other.get(key)}"
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    ]
