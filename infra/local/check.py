"""`make check` and, with `--stack`, `make test`: the quick checks first, then all tests that need
real services.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import install
import settings as configuration
import stack
import suite
import template as templates
from processes import Failed, Processes
from settings import ROOT

PYTHON = ["infra", "tests/benches/run.py"]
RUFF = str(install.LINT / "bin" / "ruff")
RUFF_CONFIG = ["--config", "infra/local/ruff.toml", "--no-cache"]
# Without the stack. `cargo test` prints which tests it ignores, and why.
QUICK_CHECKS = {
    "the template": [str(install.VENV / "bin" / "cfn-lint"), "infra/template.yaml"],
    "the template's policies": [str(install.CHECKOV / "bin" / "checkov"), "--config-file", "infra/checkov.yaml"],
    "the Python's lints": [RUFF, "check", *RUFF_CONFIG, *PYTHON],
    "the Python's format": [RUFF, "format", "--check", *RUFF_CONFIG, *PYTHON],
    "the Python's types": [str(install.LINT / "bin" / "mypy"), "--config-file", "infra/local/mypy.ini", *PYTHON],
    "the local stack's own tests": [sys.executable, "infra/local/local_test.py"],
    "the deployment's own tests": ["env", "PYTHONPATH=infra/local", sys.executable, "infra/deploy_test.py"],
    "licences and sources": [sys.executable, "infra/local/supply.py"],
    "format": ["cargo", "fmt", "--all", "--check"],
    "widths and names": [sys.executable, "infra/local/names.py"],
}
# They compile all dependencies once more, for checking only, so they get a folder of their own and
# do not wait for the tests' builds.
WORKSPACE = ["--workspace", "--target-dir", "target/checks", "--locked", "--quiet"]
COMPILED_CHECKS = {
    "lints": ["cargo", "clippy", "--all-targets", *WORKSPACE, "--", "-D", "warnings"],
    "docs": ["env", "RUSTDOCFLAGS=-D warnings", "cargo", "doc", "--no-deps", *WORKSPACE],
}
# Requests generated from the API document. The configuration lists the exclusions with their
# reasons.
SCHEMATHESIS = [
    str(install.SCHEMATHESIS / "bin" / "schemathesis"),
    "--config-file=infra/local/schemathesis.toml",
    "run",
    "infra/openapi.json",
]
# The crates' tests that need DynamoDB Local or Tesseract. They load the processors, so nothing else
# runs beside them.
SERVICE_TESTS = ["--test", "dynamodb", "--test", "reader"]
# Modules of the suite that run separately.
APART = ["own_stack::", "afterwards::"]


def main() -> int:
    """Returns 0 when everything passes."""
    parser = argparse.ArgumentParser(description="Checks the project.")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--stack", action="store_true", help="also start the stack and run the tests that need it")
    group.add_argument("--compiled", action="store_true", help="run lints and docs alone")
    options = parser.parse_args()
    try:
        if options.compiled:
            run_all(COMPILED_CHECKS)
            return 0
        run_all(QUICK_CHECKS)
        if options.stack:
            with compiled_checks_beside():
                without_the_stack()
                through_the_stack()
        else:
            run_all(COMPILED_CHECKS)
            without_the_stack()
            print("the ignored tests need services: make test")
    except (Failed, configuration.Invalid) as reason:
        print(f"\n{reason}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextmanager
def compiled_checks_beside() -> Iterator[None]:
    """Runs lints and docs at the lowest priority while the block runs: its tests mostly wait.
    Raises `Failed` when one of them fails.
    """
    name = "lints and docs"
    beside = Processes(ROOT / "target" / "checks")
    beside.start(name, ["nice", "-n", "19", sys.executable, __file__, "--compiled"], os.environ, ROOT)
    try:
        yield
        heading(f"{name}, which ran beside the tests")
        if beside.running[name].wait():
            raise Failed(f"failed: {beside.log_of(name, None)}")
    finally:
        beside.stop()


def without_the_stack() -> None:
    heading("tests with nothing running")
    quick = suite.run_tests([], os.environ)
    print(f"\n{quick.passed} tests passed, {quick.ignored} need services")


def through_the_stack() -> None:
    """Starts the stack, runs the ignored tests, and stops the stack."""
    names = templates.parameter_names(templates.read(configuration.TEMPLATE))
    settings = configuration.for_tests(names)
    with ExitStack() as beside:
        heading("the stack")
        with stack.running(settings) as running:
            environment = {**os.environ, **running.env, "STACK_DIR": str(settings.state)}
            heading("the crates' tests against real services")
            crates = suite.run_tests([*SERVICE_TESTS, "--", "--ignored"], environment)
            beside.enter_context(compiled_checks_beside())
            heading("tests through the stack")
            apart = [argument for module in APART for argument in ("--skip", module)]
            system = suite.run_tests(["--test", "suite", "--", "--ignored", *apart], environment)
            heading("the HTTP API against its document")
            kept = {"HYPOTHESIS_STORAGE_DIRECTORY": str(settings.state / "hypothesis")}
            run("schemathesis", [*SCHEMATHESIS, f"--url={settings.http_url}"], {**os.environ, **kept})
            heading("what is in the logs, and what is in none")
            suite.run("afterwards", settings, running.env)
        heading("a run that waits while the stack is down")
        run("restart", [sys.executable, "infra/local/restart.py"], os.environ)
        heading("two stacks side by side")
        run("side by side", ["env", "PYTHONPATH=infra", sys.executable, "infra/local/side_by_side.py"], os.environ)
        heading("who may: every route and every frame")
        run("authorisation", [sys.executable, "infra/local/authorisation.py"], os.environ)
    print(f"\n{crates.passed + system.passed} tests against DynamoDB Local, MiniStack and cargo lambda watch passed")


def run_all(checks: Mapping[str, list[str]]) -> None:
    for what, command in checks.items():
        heading(what)
        run(what, command, os.environ)


def run(what: str, command: list[str], environment: Mapping[str, str]) -> None:
    """Runs a command. Raises `Failed` when it fails."""
    if subprocess.run(command, cwd=ROOT, env=dict(environment), check=False).returncode:
        raise Failed(f"failed: {what} ({' '.join(command)})")


def heading(what: str) -> None:
    print(f"\n── {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
