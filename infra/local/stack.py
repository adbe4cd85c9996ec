"""The whole stack: the order in which its parts start, its addresses for clients, and its shutdown."""

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dynamodb
import ministack
import template as templates
from processes import Failed, Processes, ended, port_is_free
from settings import REGION, TABLE_NAME, TEMPLATE, Settings

import functions

# The content of `.stack/env`.
Env = Mapping[str, str]


@dataclass(frozen=True)
class Running:
    """A running stack."""

    settings: Settings
    processes: Processes
    env: Env


@contextmanager
def running(settings: Settings) -> Iterator[Running]:
    """Starts the stack, and stops it when the block is left in any way. Raises `Failed` when it
    cannot start.
    """
    check_ports(settings)
    template = templates.read(TEMPLATE)
    names = list(templates.functions(template).values())
    functions.build(names)
    # MiniStack updates stacks unreliably, so each start begins without state.
    for leftover in (ministack.scratch(settings), settings.logs):
        shutil.rmtree(leftover, ignore_errors=True)
    with ended(Processes(settings.logs)) as processes:
        env = bring_up(settings, processes, template, names)
        with told(settings, env):
            yield Running(settings, processes, env)


@contextmanager
def told(settings: Settings, env: Env) -> Iterator[None]:
    """Keeps `.stack/env` for the clients until the block is left."""
    env_file = settings.state / "env"
    env_file.write_text("".join(f"{key}={value}\n" for key, value in env.items()))
    try:
        yield
    finally:
        env_file.unlink(missing_ok=True)


def bring_up(
    settings: Settings, processes: Processes, template: templates.Template, names: list[str]
) -> dict[str, str]:
    """Starts the parts in the order of their dependencies, prints a line for each, and returns the
    addresses for clients.
    """
    base = client_environment(settings)
    with step(f"table: DynamoDB Local, port {settings.dynamodb_port}, {settings.data or 'in memory'}"):
        dynamodb.start(settings, processes, {**os.environ, **base})
        dynamodb.create_table(settings, template)
    with step(f"AWS: MiniStack, port {settings.aws_port}"):
        ministack.start(settings, processes, {**os.environ, **base}, names, guarded=True)
    native = functions.native_binaries(settings)
    with step(f"template: {len(names)} functions, two APIs, queues, bucket and schedule deployed"):
        deployed = ministack.deploy(settings, template, native, base | {"OWNER": "local", "TABLE_NAME": TABLE_NAME})
    with step(f"functions: the gateway before cargo lambda watch, port {settings.http_port}" + native_note(settings)):
        functions.watch(settings, processes, {**os.environ, **deployed.environment})
        # API Gateway refuses a handshake if the first start of its function is slow, so the
        # functions are started first.
        processes.wait_until(functions.NAME, lambda: functions.socket_answers(deployed.ws_url), 180)
    env = {
        "HTTP_URL": settings.http_url,
        **base,
        "TABLE_NAME": TABLE_NAME,
        **addresses(deployed),
    }
    for name, binary in native.items():
        # A test finds the process to kill by its command line.
        env[f"{name.upper().replace('-', '_')}_PATH"] = str(ministack.path_of_running(settings, binary))
    return env


def addresses(deployed: ministack.Deployment) -> dict[str, str]:
    """The addresses in the outputs of the deployment."""
    return {
        "WS_URL": deployed.ws_url,
        **deployed.queue_urls,
        "BUCKET_NAME": deployed.bucket_name,
        "FUNCTION_PREFIX": ministack.function_name(""),
    }


def client_environment(settings: Settings) -> dict[str, str]:
    """The environment that connects an AWS SDK with the stack. The keys are dummies."""
    return {
        "AWS_ENDPOINT_URL": settings.aws_url,
        "AWS_ENDPOINT_URL_DYNAMODB": settings.dynamodb_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def native_note(settings: Settings) -> str:
    return f"; {', '.join(sorted(settings.native))} natively in MiniStack" if settings.native else ""


def check_ports(settings: Settings) -> None:
    """Raises `Failed` with every port in use and the variable that changes it."""
    wanted = {
        "HTTP_PORT": settings.http_port,
        "DYNAMODB_PORT": settings.dynamodb_port,
        "AWS_PORT": settings.aws_port,
    }
    taken = [
        f"  port {port} is in use; {variable}=<other> moves it"
        for variable, port in wanted.items()
        if not port_is_free(port)
    ]
    if taken:
        raise Failed("\n".join([*taken, "  (another stack may be up: a second one also needs STACK_DIR)"]))


@contextmanager
def step(what: str) -> Iterator[None]:
    """Prints a part when it is ready, with its start time."""
    started = time.monotonic()
    yield
    print(f"  {what} ({time.monotonic() - started:.1f} s)", flush=True)


def failed(reason: Failed | Exception) -> int:
    """Prints the reason and returns the exit code."""
    print(f"The stack cannot run:\n{reason}", file=sys.stderr, flush=True)
    return 1


def relative(path: Path) -> str:
    """A path as a user would type it."""
    return os.path.relpath(path)
