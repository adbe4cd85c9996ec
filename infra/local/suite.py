"""Runs cargo's tests and counts them, or one module of the suite (tests/suite) on a running stack."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from processes import Failed
from settings import ROOT, Settings

SUMMARY = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")
TESTS = ["cargo", "test", "--workspace", "--locked", "--no-fail-fast"]


@dataclass
class Tally:
    """Sums over all test binaries."""

    passed: int = 0
    failed: int = 0
    ignored: int = 0


def run(module: str, settings: Settings, env: Mapping[str, str], *more: str) -> Tally:
    """Runs the tests of a module on the running stack. Raises `Failed` when one fails, or none
    exists.
    """
    environment = {**os.environ, **env, "STACK_DIR": str(settings.state)}
    tally = run_tests(["--test", "suite", "--", "--ignored", f"{module}::", *more], environment)
    if not tally.passed:
        raise Failed(f"the suite has no tests in {module}")
    return tally


def run_tests(more: list[str], environment: Mapping[str, str]) -> Tally:
    """Runs cargo's tests, prints their output, and counts them. Raises `Failed` when one fails."""
    tally = Tally()
    command = [*TESTS, *more]
    with subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        for line in tests.stdout:
            print(line, end="", flush=True)
            if counted := SUMMARY.match(line):
                tally.passed += int(counted[1])
                tally.failed += int(counted[2])
                tally.ignored += int(counted[3])
    if tests.returncode:
        raise Failed(f"{tally.passed} tests passed, {tally.failed} failed")
    return tally
