"""The settings of one local stack: ports, folders, the runtime of the workers, and the template's
parameters.

Everything comes from the environment, so that `make` needs no options and two stacks can run side
by side (`HTTP_PORT`, `DYNAMODB_PORT`, `AWS_PORT` and `STACK_DIR`).
"""

import os
import platform
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import origins

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra" / "template.yaml"

REGION = "us-east-1"
STACK_NAME = "intermission"
# The name is constant, so that DynamoDB Local finds the table of `--data` after a restart.
TABLE_NAME = "intermission"

# Functions that a message or a schedule starts. `cargo lambda watch` does not restart a killed
# function; MiniStack does.
WORKERS = ("executor", "document-executor", "sweeper", "dead-letters")

# Short times for the demo and the tests. A killed executor's message returns after seconds instead
# of 18 minutes.
QUICK = {
    "FunctionTimeoutSeconds": "8",
    "ModelTimeoutSeconds": "3",
    "StepMarginSeconds": "1",
    "VisibilityTimeoutSeconds": "9",
    "RequeueSeconds": "2",
    "PurgeDelaySeconds": "15",
    # All tests have one owner.
    "MaxLiveRunsPerOwner": "1000",
}

# The prefix of all canary words that the tests plant and no log may print (tests/src/canary.rs).
PLANTED = "kanarienvogel"

# The model of the tests, a server that they start, with the provider's wire format.
SCRIPTED_MODEL = {
    "MODEL_PROVIDER": "openai",
    "MODEL_ID": "scripted",
    "OPENAI_BASE_URL": "http://127.0.0.1:8077/v1",
    "OPENAI_API_KEY": f"{PLANTED}-key",
}

# The arXiv of the tests, a server that they start. It accepts more frequent requests than arXiv.
SCRIPTED_ARXIV = {
    "ARXIV_API_URL": "http://127.0.0.1:8078/api/query",
    "ARXIV_PDF_URL": "http://127.0.0.1:8078/pdf",
    "ARXIV_INTERVAL_MS": "1000",
}

# A page of another machine that may use the stack of the tests.
BROWSER_ORIGINS = {"BROWSER_ORIGINS": "https://app.example"}

# The tests' token issuer for a stack with authentication, and a proxy to its table that counts
# calls.
ISSUER = {"JWT_ISSUER": "http://127.0.0.1:8079", "JWT_AUDIENCE": "the-audience"}
COUNTED_DYNAMODB_URL = "http://127.0.0.1:8076"


class Invalid(Exception):
    """An environment variable that cannot be used; the text names it."""


def free_port() -> int:
    """A port on which no process listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bound: int = probe.getsockname()[1]
        return bound


@dataclass(frozen=True)
class Settings:
    """One stack. Ports are on the loopback address."""

    state: Path
    http_port: int
    dynamodb_port: int
    aws_port: int
    # Functions that run as binaries in MiniStack instead of under `cargo lambda watch`.
    native: frozenset[str]
    # The folder of DynamoDB Local's file; None keeps all data in memory.
    data: Path | None
    # Template parameters with another value than the default.
    parameters: Mapping[str, str] = field(default_factory=dict)
    hot_reload: bool = True
    # The web pages of other machines that may use the stack.
    browser_origins: tuple[str, ...] = ()
    # `cargo lambda watch`, whose invoke API checks no `Origin`: another port at each start, so that
    # no page knows it.
    watch_port: int = field(default_factory=free_port)

    @property
    def http_url(self) -> str:
        """The address for REST clients: the gateway in front of `cargo lambda watch`, so that the
        path needs no stage.
        """
        return f"http://localhost:{self.http_port}"

    @property
    def aws_url(self) -> str:
        """A numeric address, so that the SDKs put a bucket into the path and not into the host
        name.
        """
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def dynamodb_url(self) -> str:
        return f"http://127.0.0.1:{self.dynamodb_port}"

    @property
    def logs(self) -> Path:
        return self.state / "logs"


def from_environment(
    parameter_names: list[str],
    environment: Mapping[str, str] = os.environ,
    *,
    quick: bool = False,
    native: bool = False,
    hot_reload: bool = True,
) -> Settings:
    """The settings of this process's environment.

    `quick` sets the short times, `native` runs the workers in MiniStack. A variable in the
    environment overrides both. Raises `Invalid`.
    """
    parameters = {"Architecture": architecture(), "DeletionProtection": "false"}
    # The HTTP API's authorizer is deployed unchanged. No client of the local stack uses it.
    parameters |= {"JwtIssuer": "https://issuer.example", "JwtAudience": "local"}
    # Textract exists only in AWS. A page without a text layer is read on the local machine.
    parameters |= {"OcrEngine": "tesseract"}
    parameters |= QUICK if quick else {}
    for name in parameter_names:
        if value := environment.get(variable_of(name)):
            parameters[name] = value
    data = environment.get("DATA")
    return Settings(
        state=ROOT / environment.get("STACK_DIR", ".stack"),
        http_port=port("HTTP_PORT", 8000, environment),
        dynamodb_port=port("DYNAMODB_PORT", 8001, environment),
        aws_port=port("AWS_PORT", 4566, environment),
        native=native_functions(environment.get("EXECUTOR", "native" if native else "watch")),
        data=Path(data).absolute() if data else None,
        parameters=parameters,
        hot_reload=hot_reload,
        browser_origins=browser_origins(environment),
    )


def for_tests(parameter_names: list[str]) -> Settings:
    """The stack of the tests, without keys and providers of the user's environment."""
    environment = {**os.environ, **SCRIPTED_MODEL, **SCRIPTED_ARXIV, **BROWSER_ORIGINS}
    return from_environment(parameter_names, environment, quick=True, native=True, hot_reload=False)


def native_functions(executor: str) -> frozenset[str]:
    """The functions that `EXECUTOR` takes out of `cargo lambda watch`."""
    match executor:
        case "watch":
            return frozenset()
        case "native":
            return frozenset(WORKERS)
    raise Invalid(f"EXECUTOR is watch or native, not {executor!r}")


def browser_origins(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The origins in `BROWSER_ORIGINS`, which is also the template's parameter."""
    try:
        return origins.parse(environment.get("BROWSER_ORIGINS", ""))
    except ValueError as reason:
        raise Invalid(f"BROWSER_ORIGINS is a list of origins with commas: {reason}") from reason


def variable_of(parameter: str) -> str:
    """`ModelTimeoutSeconds` → `MODEL_TIMEOUT_SECONDS`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


def architecture() -> str:
    """This machine's architecture in Lambda's terms; MiniStack runs the binaries on it."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def port(variable: str, default: int, environment: Mapping[str, str]) -> int:
    value = environment.get(variable, str(default))
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise Invalid(f"{variable} is a port from 1 to 65535, not {value!r}")
    return int(value)
