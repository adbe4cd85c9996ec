"""`make check` and, with `--stack`, `make test`: the quick checks first, then all tests that need
real services.
"""

import argparse
import glob
import os
import subprocess
import sys
from collections.abc import Mapping

import install
import settings as configuration
import stack
import suite
import template as templates
from processes import Failed
from settings import ROOT

PYTHON = ["infra", "tests/benches", "shared/clients"]
PYTHON_CLIENT = "shared/clients/python"
TYPESCRIPT_CLIENT = "shared/clients/typescript"
CONSOLE_TESTS = sorted(glob.glob("functions/console/tests/*.test.js", root_dir=ROOT))
TYPESCRIPT_TESTS = sorted(glob.glob(f"{TYPESCRIPT_CLIENT}/test/*.test.js", root_dir=ROOT))
RUFF = str(install.LINT / "bin" / "ruff")
RUFF_CONFIG = ["--config", "infra/local/ruff.toml", "--no-cache"]
DEPLOYMENT_TESTS = ["-m", "unittest", "discover", "--quiet", "--start-directory", "infra", "--pattern", "*_test.py"]
# Without the stack. `cargo test` prints which tests it ignores, and why.
QUICK_CHECKS = {
    "the template": [str(install.VENV / "bin" / "cfn-lint"), "infra/template.yaml"],
    "the template, as it is deployed": [sys.executable, "infra/local/expanded.py"],
    "the permissions": [sys.executable, "infra/local/policies.py"],
    "the permissions' check": [sys.executable, "infra/local/policies_test.py"],
    "the template's policies": [str(install.CHECKOV / "bin" / "checkov"), "--config-file", "infra/checkov.yaml"],
    "the Python's lints": [RUFF, "check", *RUFF_CONFIG, *PYTHON],
    "the Python's format": [RUFF, "format", "--check", *RUFF_CONFIG, *PYTHON],
    "the Python's types": [str(install.LINT / "bin" / "mypy"), "--config-file", "infra/local/mypy.ini", *PYTHON],
    "the local stack's own tests": [sys.executable, "infra/local/local_test.py"],
    "the deployment's own tests": ["env", "PYTHONPATH=infra/local", sys.executable, *DEPLOYMENT_TESTS],
    "the clients' types": [sys.executable, "shared/clients/generate.py", "--check"],
    "the Python client": [sys.executable, "-m", "unittest", "discover", "-s", f"{PYTHON_CLIENT}/tests"],
    "the TypeScript client's types": [f"{TYPESCRIPT_CLIENT}/node_modules/.bin/tsc", "-p", TYPESCRIPT_CLIENT],
    "the TypeScript client": ["node", "--test", "--test-reporter=dot", *TYPESCRIPT_TESTS],
    "the console": ["node", "--test", "--test-reporter=dot", *CONSOLE_TESTS],
    "the clients' packages": [sys.executable, "shared/clients/build.py"],
    "the benchmark's own tests": [sys.executable, "tests/benches/comparison_test.py"],
    "licences and sources": [sys.executable, "infra/local/supply.py"],
    "format": ["cargo", "fmt", "--all", "--check"],
    "widths and names": [sys.executable, "infra/local/names.py"],
    "docs": ["env", "RUSTDOCFLAGS=-D warnings", "cargo", "doc", "--workspace", "--no-deps", "--locked", "--quiet"],
    "lints": ["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"],
}
# Requests generated from the API document. The configuration lists the exclusions with their
# reasons.
SCHEMATHESIS = [
    str(install.SCHEMATHESIS / "bin" / "schemathesis"),
    "--config-file=infra/local/schemathesis.toml",
    "run",
    "infra/openapi.json",
]
# Modules of the suite that run separately.
APART = ["own_stack::", "afterwards::"]


def main() -> int:
    """Returns 0 when everything passes."""
    parser = argparse.ArgumentParser(description="Checks the project.")
    parser.add_argument("--stack", action="store_true", help="also start the stack and run the tests that need it")
    options = parser.parse_args()
    try:
        for what, command in QUICK_CHECKS.items():
            heading(what)
            run(what, command, os.environ)
        heading("tests with nothing running")
        quick = suite.run_tests([], os.environ)
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
    """Starts the stack, runs the ignored tests, and stops the stack."""
    names = templates.parameter_names(templates.read(configuration.TEMPLATE))
    settings = configuration.for_tests(names)
    heading("the stack")
    with stack.running(settings) as running:
        heading("tests against real services")
        apart = [argument for module in APART for argument in ("--skip", module)]
        environment = {**os.environ, **running.env, "STACK_DIR": str(settings.state)}
        real = suite.run_tests(["--", "--ignored", *apart], environment)
        heading("the console in a browser")
        console = [str(install.PLAYWRIGHT / "bin" / "python"), "infra/local/console_test.py"]
        run("the console", console, environment)
        heading("the HTTP API against its document")
        kept = {"HYPOTHESIS_STORAGE_DIRECTORY": str(settings.state / "hypothesis")}
        run("schemathesis", [*SCHEMATHESIS, f"--url={settings.http_url}"], {**os.environ, **kept})
        heading("what is in the logs, and what is in none")
        suite.run("afterwards", settings, running.env)
    heading("a run that waits while the stack is down")
    run("restart", [sys.executable, "infra/local/restart.py"], os.environ)
    heading("a small load, while workers are killed")
    run("chaos", [sys.executable, "infra/local/chaos.py"], os.environ)
    heading("two stacks side by side")
    run("side by side", ["env", "PYTHONPATH=infra", sys.executable, "infra/local/side_by_side.py"], os.environ)
    heading("who may: every route and every frame")
    run("authorisation", [sys.executable, "infra/local/authorisation.py"], os.environ)
    print(f"\n{real.passed} tests ran against real services and passed: DynamoDB Local, MiniStack, cargo lambda watch")


def run(what: str, command: list[str], environment: Mapping[str, str]) -> None:
    """Runs a command. Raises `Failed` when it fails."""
    if subprocess.run(command, cwd=ROOT, env=dict(environment), check=False).returncode:
        raise Failed(f"failed: {what} ({' '.join(command)})")


def heading(what: str) -> None:
    print(f"\n── {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
