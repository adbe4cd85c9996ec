"""The functions: built by cargo, run by `cargo lambda watch`, and stripped for MiniStack."""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import install
from processes import Failed, Processes
from settings import ROOT, Settings, architecture
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

NAME = "functions"
GATEWAY = "gateway"
# The number of instances per function. With one, a slow call would block all others.
INSTANCES = 4


def socket_answers(ws_url: str) -> bool:
    """Whether a connection opens and a frame is answered, which starts the three functions behind
    it.
    """
    try:
        with connect(f"{ws_url}?task_id=ready", open_timeout=60) as socket:
            socket.send('{"type": "ping"}')
            pong: bool = json.loads(socket.recv(60)).get("event_type") == "pong"
            return pong
    except (WebSocketException, OSError):
        return False


def build(names: list[str]) -> None:
    """Builds all functions without optimisation. `cargo lambda watch` would build each at its first
    call.

    PROFILE=release builds packages for this machine instead, as for a deployment.
    """
    missing = [name for name in names if not (ROOT / "functions" / name / "Cargo.toml").is_file()]
    if missing:
        raise Failed(f"the template names functions that have no folder: {', '.join(missing)}")
    if is_packaged():
        packages(names, architecture())
        return
    selected = [argument for name in names for argument in ("--bin", name)]
    if subprocess.run(["cargo", "build", "--locked", *selected], cwd=ROOT, check=False).returncode:
        raise Failed("the functions did not build")


def is_packaged() -> bool:
    return os.environ.get("PROFILE") == "release"


def packages(names: list[str], processor: str) -> dict[str, Path]:
    """Builds all functions as for a deployment: optimised, and by zig for Amazon Linux on any
    machine.
    """
    command = [str(install.VENV / "bin" / "cargo-lambda"), "lambda", "build", "--release", "--locked"]
    command += ["--lambda-dir", str(target() / "lambda"), "--arm64" if processor == "arm64" else "--x86-64"]
    # By package. For the whole workspace cargo would also enable the features of the tests.
    command += [argument for name in names for argument in ("--package", name)]
    # cargo-lambda searches there for the Python with zig.
    environment = {**os.environ, "PATH": f"{install.VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise Failed("the functions did not build")
    return {name: deployable(name) for name in names}


def deployable(name: str) -> Path:
    """The path of an optimised function built by cargo-lambda."""
    return target() / "lambda" / name / "bootstrap"


def native_binaries(settings: Settings) -> dict[str, Path]:
    """The functions for MiniStack without debug symbols, which makes them ten times smaller."""
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
    """The folder of cargo's output."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def watch(settings: Settings, processes: Processes, environment: Mapping[str, str]) -> None:
    """Starts `cargo lambda watch`: the HTTP routes of the manifest's router table, and the invoke
    API for MiniStack. Clients reach it through the gateway.
    """
    command = [str(install.VENV / "bin" / "cargo-lambda"), "lambda", "watch", "--disable-cors"]
    command += [
        "--invoke-address",
        "127.0.0.1",
        "--invoke-port",
        str(settings.watch_port),
        "--concurrency",
        str(INSTANCES),
    ]
    if not settings.hot_reload:
        command.append("--ignore-changes")
    processes.start(NAME, command, {**environment, **instead_of_cargo(settings)}, ROOT)
    gateway = [sys.executable, str(Path(__file__).with_name("gateway.py")), str(settings.http_port)]
    gateway += [str(settings.watch_port), ",".join(settings.browser_origins)]
    processes.start(GATEWAY, gateway, environment, ROOT)
    processes.wait_until(NAME, lambda: answers(settings), 120)


def instead_of_cargo(settings: Settings) -> dict[str, str]:
    """The environment in which `cargo lambda watch` starts functions by cargo-run.sh."""
    return {
        "CARGO": str(Path(__file__).with_name("cargo-run.sh")),
        "BINARIES": str(target() / "debug"),
        "DEATHS": str(deaths(settings)),
        "HOT_RELOAD": str(int(settings.hot_reload)),
    }


def deaths(settings: Settings) -> Path:
    """The file with a line for each function that died and was started again."""
    return settings.logs / "deaths.log"


def answers(settings: Settings) -> bool:
    """Whether the API's own health route answers, through a function."""
    try:
        with urllib.request.urlopen(f"{settings.http_url}/api/health", timeout=30) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
