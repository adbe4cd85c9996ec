"""`make bench`: builds the functions and the benchmark, starts DynamoDB Local beside any stack, and
prints the figures.

The benchmark is `figures` beside this file. It needs only the template's table and the binaries.
Some modules come from infra/local, through PYTHONPATH. PROFILE is cargo's; with `dev` the times
have no meaning. PART=planned measures planned sessions alone. With PEERS=1 it compares empty steps
with other systems instead, see `beside.py`.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

import beside
import dynamodb
import settings as configuration
import stack
import template as templates
from comparison import BadLine
from processes import Failed, Processes
from settings import ROOT, TABLE_NAME

# The benchmark, its argument for empty steps alone, and the baseline of cold starts.
BENCHMARK = ["--package", "tests", "--bench", "figures"]
EMPTY_STEPS = "empty-steps"
EMPTY = ["--package", "tests", "--example", "empty"]


def main() -> int:
    """Returns 1 when a measurement failed."""
    profile = os.environ.get("PROFILE") or "release"
    part = os.environ.get("PART")
    try:
        template = templates.read(configuration.TEMPLATE)
        settings = configuration.from_environment(templates.parameter_names(template))
        settings = replace(settings, state=settings.state / "bench", dynamodb_port=configuration.free_port(), data=None)
        common = ["--locked", "--profile", profile]
        if os.environ.get("PEERS"):
            figures = ["cargo", "bench", *common, *BENCHMARK]
            run([*figures, "--no-run"], os.environ)
            beside.compare(settings, template, [*figures, "--", EMPTY_STEPS])
            return 0
        # Built as for deployment: without `--package`, and so without the features that only tests
        # enable.
        functions = ["executor"] if part else list(templates.functions(template).values())
        names = [word for name in functions for word in ("--bin", name)]
        run(["cargo", "build", *common, *names], os.environ)
        if not part:
            run(["cargo", "build", *common, *EMPTY], os.environ)
        arguments = ["--", part] if part else []
        measure(settings, template, ["cargo", "bench", *common, *BENCHMARK, *arguments])
    except (Failed, BadLine, configuration.Invalid) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def measure(settings: configuration.Settings, template: templates.Template, command: list[str]) -> None:
    """Runs the benchmark with a table of its own."""
    processes = Processes(settings.logs)
    environment = {**os.environ, **stack.client_environment(settings), "TABLE_NAME": TABLE_NAME}
    try:
        dynamodb.start(settings, processes, environment)
        dynamodb.create_table(settings, template)
        run(command, environment)
    finally:
        processes.stop()


def run(command: list[str], environment: Mapping[str, str]) -> None:
    if subprocess.run(command, cwd=ROOT, env=dict(environment), check=False).returncode:
        raise Failed(f"failed: {' '.join(command[:2])}")


if __name__ == "__main__":
    sys.exit(main())
