"""The functions themselves: built by cargo, run by `cargo lambda watch`, stripped for those that MiniStack runs."""

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import install
from processes import Failed, Processes
from settings import ROOT, Settings, architecture

NAME = "functions"
# `cargo lambda watch` counts instances per function; with one, a slow call would hold up every other.
INSTANCES = 4


def build(names: list[str]) -> None:
    """Builds all functions, unoptimised; `cargo lambda watch` would do so at the first call of each.

    PROFILE builds packages for this machine instead: `local` what would be deployed, but linked in a tenth of the time,
    or `release` exactly that.
    """
    missing = [name for name in names if not (ROOT / "functions" / name / "Cargo.toml").is_file()]
    if missing:
        raise Failed(f"the template names functions that have no folder: {', '.join(missing)}")
    if is_packaged():
        packages(names, architecture(), os.environ["PROFILE"])
        return
    selected = [argument for name in names for argument in ("--bin", name)]
    if subprocess.run(["cargo", "build", "--locked", *selected], cwd=ROOT, check=False).returncode:
        raise Failed("the functions did not build")


def is_packaged() -> bool:
    return os.environ.get("PROFILE") in ("local", "release")


def packages(names: list[str], processor: str, profile: str = "release") -> dict[str, Path]:
    """Builds all functions as they are deployed: optimised, and by zig for Amazon Linux, whatever this machine is."""
    command = [str(install.VENV / "bin" / "cargo-lambda"), "lambda", "build", "--profile", profile, "--locked"]
    command += ["--lambda-dir", str(target() / "lambda"), "--arm64" if processor == "arm64" else "--x86-64"]
    # By package: over the whole workspace cargo would switch on the features of the tests as well.
    command += [argument for name in names for argument in ("--package", name)]
    # cargo-lambda looks there for the Python that has zig.
    environment = {**os.environ, "PATH": f"{install.VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise Failed("the functions did not build")
    return {name: deployable(name) for name in names}


def deployable(name: str) -> Path:
    """Where cargo-lambda puts an optimised function."""
    return target() / "lambda" / name / "bootstrap"


def native_binaries(settings: Settings) -> dict[str, Path]:
    """The functions for MiniStack, without their debug symbols: a tenth of the size to load and to unpack."""
    if is_packaged():
        return {name: deployable(name) for name in sorted(settings.native)}
    folder = settings.state / "native"
    folder.mkdir(parents=True, exist_ok=True)
    binaries = {}
    for name in sorted(settings.native):
        built, stripped = target() / "debug" / name, folder / name
        if not shutil.which("strip") or subprocess.run(["strip", "-o", stripped, built], check=False).returncode:
            shutil.copy(built, stripped)
        binaries[name] = stripped
    return binaries


def target() -> Path:
    """Where cargo puts what it builds."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def watch(settings: Settings, processes: Processes, environment: Mapping[str, str]) -> None:
    """Starts `cargo lambda watch`: the HTTP routes of the manifest's router table, and the invoke API for MiniStack."""
    command = [str(install.VENV / "bin" / "cargo-lambda"), "lambda", "watch", "--disable-cors"]
    command += [
        "--invoke-address",
        "127.0.0.1",
        "--invoke-port",
        str(settings.http_port),
        "--concurrency",
        str(INSTANCES),
    ]
    if not settings.hot_reload:
        command.append("--ignore-changes")
    processes.start(NAME, command, environment, ROOT)
    processes.wait_until(NAME, lambda: answers(settings), 120)


def answers(settings: Settings) -> bool:
    """Whether the API's own health route answers, through a function."""
    try:
        with urllib.request.urlopen(f"{settings.http_url}/api/health", timeout=30) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
