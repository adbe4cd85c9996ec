"""`make check` and, with `--stack`, `make test`: the cheap checks first, then every test that needs real services."""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import canaries
import install
import measured
import settings as configuration
import stack
import template as templates
from processes import Failed
from settings import ROOT

SUMMARY = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")

# Without the stack. `cargo test` says itself which tests it leaves out, and why.
QUICK_CHECKS = {
    "the template": [str(install.VENV / "bin" / "cfn-lint"), "infra/template.yaml"],
    "the template's policies": [str(install.CHECKOV / "bin" / "checkov"), "--config-file", "infra/checkov.yaml"],
    "the local stack's own tests": [sys.executable, "infra/local/local_test.py"],
    "the deployment's own tests": ["env", "PYTHONPATH=infra/local", sys.executable, "infra/deploy_test.py"],
    "licences and sources": [sys.executable, "infra/local/supply.py"],
    "format": ["cargo", "fmt", "--all", "--check"],
    "docs": ["env", "RUSTDOCFLAGS=-D warnings", "cargo", "doc", "--workspace", "--no-deps", "--locked", "--quiet"],
    "lints": ["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"],
}
# Requests made up from the document; what is left out, and why, is in the configuration.
SCHEMATHESIS = [
    str(install.SCHEMATHESIS / "bin" / "schemathesis"),
    "--config-file=infra/local/schemathesis.toml",
    "run",
    "infra/openapi.json",
]
TESTS = ["cargo", "test", "--workspace", "--locked", "--no-fail-fast"]


@dataclass
class Tally:
    """Sums over all test binaries."""

    passed: int = 0
    failed: int = 0
    ignored: int = 0


def main() -> int:
    """0 when everything that ran is green."""
    parser = argparse.ArgumentParser(description="Checks the project.")
    parser.add_argument("--stack", action="store_true", help="also start the stack and run the tests that need it")
    options = parser.parse_args()
    try:
        for what, command in QUICK_CHECKS.items():
            heading(what)
            run(what, command, os.environ)
        heading("tests with nothing running")
        quick = run_tests([], os.environ)
        print(f"\n{quick.passed} tests passed, {quick.ignored} need services{'' if options.stack else ': make test'}")
        if options.stack:
            through_the_stack()
    except (Failed, configuration.Invalid) as reason:
        print(f"\n{reason}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def through_the_stack() -> None:
    """Starts the stack, runs the tests that were left out before, and takes it down."""
    names = templates.parameter_names(templates.read(configuration.TEMPLATE))
    settings = configuration.for_tests(names)
    heading("the stack")
    with stack.running(settings) as running:
        heading("tests against real services")
        real = run_tests(["--", "--ignored"], {**os.environ, **running.env, "STACK_DIR": str(settings.state)})
        heading("the HTTP API against its document")
        kept = {"HYPOTHESIS_STORAGE_DIRECTORY": str(settings.state / "hypothesis")}
        run("schemathesis", [*SCHEMATHESIS, f"--url={settings.http_url}"], {**os.environ, **kept})
        heading("no content, token or key in any log")
        canaries.look(settings)
        heading("what the workers have measured")
        measured.look(settings)
    heading("a run that waits while the stack is down")
    run("restart", [sys.executable, "infra/local/restart.py"], os.environ)
    heading("two stacks side by side")
    run("side by side", ["env", "PYTHONPATH=infra", sys.executable, "infra/local/side_by_side.py"], os.environ)
    heading("who may: every route and every frame")
    run("authorisation", [sys.executable, "infra/local/authorisation.py"], os.environ)
    print(f"\n{real.passed} tests ran against real services and passed: DynamoDB Local, MiniStack, cargo lambda watch")


def run(what: str, command: list[str], environment: Mapping[str, str]) -> None:
    """Raises `Failed` when the command does."""
    if subprocess.run(command, cwd=ROOT, env=dict(environment), check=False).returncode:
        raise Failed(f"failed: {what} ({' '.join(command)})")


def run_tests(more: list[str], environment: Mapping[str, str]) -> Tally:
    """Runs cargo's tests, shows what they print, and counts. Raises `Failed` when one fails."""
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


def heading(what: str) -> None:
    print(f"\n── {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
