"""`make bench PEERS=1`: the worker beside LangGraph, DBOS and Restate.

Installs the others into `.stack/peers` and `.stack/peers-node`, runs all systems one after another,
and prints their tables. A system that cannot be installed or run is named with the reason, and the
others are compared.
"""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import comparison
import dynamodb
import install
import stack
import template as templates
from comparison import BadLine, System
from measure import ANSWER, AT_ONCE, HISTORIES, STEPS, runs_of
from processes import Failed, Processes, ended
from settings import ROOT, TABLE_NAME, Settings, free_port

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
PYTHON = install.TOOLS / "peers"
NODE = install.TOOLS / "peers-node"
# The least Node, for its HTTP/2 and top-level await.
NODE_VERSION = 20
# A system that takes longer hangs.
SECONDS = 900

Environment = Mapping[str, str]

DIFFERENCES = """
What a step is, what holds when the next one begins, and its round trips:
  This worker   An agent's answer by a model that answers at once in this process: prompt, parsing, schema, the
                engine, and one commit of all its events with the state after it and the start of the next step, in
                one transaction with the session's row in the lists. Written on the condition that no other worker
                wrote first: a result is there once, and two workers cannot fork a session. Every event stays, in
                order, and is pushed to clients beside the next step. Two requests: the step waits for the commit;
                who follows the session is asked beside the next step. A model with a price adds a third, which
                books it on its owner's day. A run beside its steps: lease, plan, review and end, four commits.
  LangGraph     A node that returns the same text. Six puts, one after another: the checkpoint and its content, and
                two writes of the node with theirs. No condition and no transaction: two processes on one thread
                fork it silently. `sync` has the checkpoint stored when the next step begins, as here; `async`, the
                default, not: its times are between steps that are not stored yet, so only its steps a second
                compare. Every checkpoint stays. Nothing is pushed to clients that are elsewhere.
  DBOS          A step that returns the same text. No request to another process with SQLite: a read whether the
                step was done, and a transaction with its result, which is synced to the disk. Results are recorded
                once. One row a step; no lists, no events, no push.
  Restate       `ctx.run` with the same text. One message on an open stream to the server, which appends it to its
                log on the disk and confirms many at a time. Results are recorded once; the journal is kept for a
                time after the run. No lists, no push.
Steps a second are those between the first step's beginning and the last one's end. DynamoDB Local keeps its tables
in memory and syncs nothing, but answers no request in less than a millisecond; on AWS each takes some milliseconds
and is stored in three zones. DBOS and Restate write to the disk of this machine alone. Where the storage's share is
near 100 % of a core, the figures at 50 at once are DynamoDB Local's: it does one write at a time."""


def compare(settings: Settings, template: templates.Template, worker: list[str]) -> None:
    """Runs all systems and prints the tables; `worker` is the command of the benchmark. Raises
    `Failed` when the worker itself cannot be measured.
    """
    skipped: dict[str, str] = {}
    for name, installing in (("LangGraph, DBOS", install_python), ("Restate", install_node)):
        attempt(name, installing, skipped)
    load = os.getloadavg()[0]
    systems: dict[str, System] = {}
    with ended(Processes(settings.logs)) as processes:
        environment = {**os.environ, **stack.client_environment(settings), "TABLE_NAME": TABLE_NAME}
        dynamodb.start(settings, processes, environment)
        dynamodb.create_table(settings, template)
        environment["STORAGE_PID"] = str(processes.running[dynamodb.NAME].pid)
        systems |= measured(settings, "this worker", worker, environment)
        if "LangGraph, DBOS" not in skipped:
            attempt("LangGraph", lambda: systems.update(langgraph(settings, environment)), skipped)
    if "LangGraph, DBOS" not in skipped:
        attempt("DBOS", lambda: systems.update(dbos(settings)), skipped)
    if "Restate" not in skipped:
        attempt("Restate", lambda: systems.update(restate(settings)), skipped)
    for line in comparison.tables(systems):
        print(line)
    print(f"\n{machine(settings.state, load)}")
    print(DIFFERENCES)
    print()
    for line in comparison.verdicts(systems):
        print(line)
    for name, reason in skipped.items():
        print(f"Not measured: {name}: {reason}")


def attempt(name: str, does: Callable[[], None], skipped: dict[str, str]) -> None:
    """Does it, or notes why it cannot be done."""
    try:
        does()
    except (Failed, BadLine, install.Missing, subprocess.CalledProcessError) as reason:
        skipped[name] = str(reason)


def install_python() -> None:
    install.install_python_tools(PYTHON, str(PEERS / "requirements.txt"), "LangGraph and DBOS")


def install_node() -> None:
    """Restate's server and SDK, without the scripts of packages."""
    found = (
        subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
        if shutil.which("npm")
        else None
    )
    if found is None or int(found.stdout.lstrip("v").split(".")[0]) < NODE_VERSION:
        raise install.Missing(f"Node {NODE_VERSION} or later, with npm")
    lock = PEERS / "package-lock.json"
    stamp = NODE / "installed"
    if install.is_current(stamp, lock):
        return
    install.say("installing Restate into .stack/peers-node")
    shutil.rmtree(NODE, ignore_errors=True)
    NODE.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PEERS / name, NODE)
    subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NODE, check=True)
    stamp.write_text(install.digest(lock))


def langgraph(settings: Settings, environment: Environment) -> dict[str, System]:
    command = [str(PYTHON / "bin" / "python"), str(PEERS / "langgraph_steps.py")]
    return measured(settings, "LangGraph", command, {**environment, "PYTHONPATH": str(HERE)})


def dbos(settings: Settings) -> dict[str, System]:
    """On SQLite in a new file."""
    data = empty(settings.state / "dbos")
    command = [str(PYTHON / "bin" / "python"), str(PEERS / "dbos_steps.py")]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "DBOS_FILE": str(data / "dbos.sqlite")}
    return measured(settings, "DBOS", command, environment)


def restate(settings: Settings) -> dict[str, System]:
    """One server with its data in a new folder, and the handlers in a process of their own."""
    fabric, ingress, admin, handlers = (free_port() for _ in range(4))
    own = {
        "RESTATE_BASE_DIR": str(empty(settings.state / "restate")),
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_BIND_IP": "127.0.0.1",
        "RESTATE_BIND_PORT": str(fabric),
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
    }
    server = next(NODE.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"), None)
    if server is None:
        raise Failed("there is no server for this platform")
    # Node looks for packages beside the script.
    script = Path(shutil.copy(PEERS / "restate_steps.mjs", NODE))
    runs = {f"{steps}x{at_once}": runs_of(steps, at_once) for steps in STEPS for at_once in AT_ONCE}
    plan = {"steps": STEPS, "at_once": AT_ONCE, "histories": HISTORIES, "runs": runs, "answer": ANSWER}
    with ended(Processes(settings.logs)) as processes:
        processes.start("restate", [str(server), "--no-logo"], {**os.environ, **own}, ROOT)
        for url in (f"http://127.0.0.1:{ingress}/restate/health", f"http://127.0.0.1:{admin}/health"):
            processes.wait_until("restate", partial(answers, url), 30)
        environment = {
            **os.environ,
            "STORAGE_PID": str(processes.running["restate"].pid),
            "RESTATE_INGRESS": f"http://127.0.0.1:{ingress}",
            "RESTATE_ADMIN": f"http://127.0.0.1:{admin}",
            "RESTATE_LOGGING": "ERROR",
            "HANDLERS_PORT": str(handlers),
            "MEASURED": json.dumps(plan),
        }
        return measured(settings, "Restate", ["node", str(script)], environment)


def measured(settings: Settings, name: str, command: list[str], environment: Environment) -> dict[str, System]:
    """Runs a program, keeps its measurements beside the logs, and reads them. Raises `Failed` when it
    fails.
    """
    print(f"measuring {name}", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{name} took more than {SECONDS} s") from late
    if done.returncode:
        raise Failed(f"{name} ended with code {done.returncode}:\n{done.stdout[-300:]}\n{done.stderr[-2000:]}")
    (settings.logs / f"{name}.jsonl").write_text(done.stdout)
    return comparison.read(done.stdout)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (OSError, urllib.error.URLError):
        return False


def empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def machine(folder: Path, load: float) -> str:
    """Date, machine, load, and how long the disk takes to keep 4 KB."""
    cpu = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    models = [line.partition(": ")[2] for line in cpu.splitlines() if line.startswith("model name")]
    model = models[0] if models else platform.processor()
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores, {model}; load {load:.1f} before, "
        f"{os.getloadavg()[0]:.1f} after; a synced write of 4 KB takes {sync_ms(folder):.1f} ms (median of 50)"
    )


def sync_ms(folder: Path) -> float:
    times = []
    probe = folder / "sync"
    with probe.open("wb") as file:
        for _ in range(50):
            begun = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    probe.unlink()
    return 1e3 * statistics.median(times)
