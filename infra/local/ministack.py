"""MiniStack: API Gateway's WebSocket, SQS with event source mappings, S3, schedules and
CloudFormation; and the deployment.

infra/template.yaml is deployed. Functions under `cargo lambda watch` get a package without a
program, and MiniStack forwards their invocations.
"""

import hashlib
import io
import json
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import install
import template as templates
from botocore.exceptions import WaiterError
from processes import Failed, Processes
from settings import REGION, ROOT, STACK_NAME, Settings

NAME = "ministack"
CODE_BUCKET = "function-packages"
# The template's bucket gets a new name at each start. Kept data needs a constant one.
KEPT_BUCKET = "intermission-kept"
# The variable in `.stack/env` → the output of the template.
QUEUES = {
    "QUEUE_URL": "QueueUrl",
    "DOCUMENT_QUEUE_URL": "DocumentQueueUrl",
    "PURGE_QUEUE_URL": "PurgeQueueUrl",
    "DLQ_URL": "DeadLetterQueueUrl",
    "DOCUMENT_DLQ_URL": "DocumentDeadLetterQueueUrl",
}


@dataclass(frozen=True)
class Deployment:
    """The outputs of the deployed stack."""

    ws_url: str
    callback_url: str
    # By their names in `.stack/env`.
    queue_urls: Mapping[str, str]
    bucket_name: str
    # The union of the functions' environments in the template, with the local values.
    environment: Mapping[str, str]


def function_name(name: str) -> str:
    """The name that the template composes."""
    return f"{STACK_NAME}-{name}"


def start(
    settings: Settings,
    processes: Processes,
    environment: Mapping[str, str],
    names: list[str],
    *,
    guarded: bool = False,
) -> None:
    """Starts it without state, except the objects that `settings.data` keeps.

    `environment` is also passed to the functions that it runs natively. With `guarded` it refuses
    foreign pages; a stack with tokens needs no guard.
    """
    temporary = scratch(settings)
    temporary.mkdir(parents=True, exist_ok=True)
    invocations = f"http://127.0.0.1:{settings.watch_port}/2015-03-31/functions"
    handed_on = {
        f"MINISTACK_LAMBDA_PROXY_{function_name(name)}": f"{invocations}/{name}/invocations"
        for name in names
        if name not in settings.native
    }
    own = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(settings.aws_port),
        "MINISTACK_REGION": REGION,
        # Programs are unpacked below TMPDIR, and a test finds the process to kill by its path.
        "TMPDIR": str(temporary),
    }
    if settings.data:
        own |= {"S3_PERSIST": "1", "S3_DATA_DIR": str(settings.data / "objects")}
    program = [str(install.VENV / "bin" / "ministack")]
    if guarded:
        guard = str(Path(__file__).with_name("guarded_ministack.py"))
        program = [sys.executable, guard, ",".join(settings.browser_origins)]
    processes.start(NAME, program, {**environment, **handed_on, **own}, ROOT)
    processes.wait_until(NAME, lambda: answers(settings), 60)


def scratch(settings: Settings) -> Path:
    return settings.state / "tmp"


def answers(settings: Settings) -> bool:
    try:
        with urllib.request.urlopen(f"{settings.aws_url}/_ministack/health", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def deploy(
    settings: Settings, template: templates.Template, binaries: Mapping[str, Path], local: Mapping[str, str]
) -> Deployment:
    """Uploads the packages and creates the stack. Raises `Failed` with CloudFormation's reasons.

    `local` are variables that override those of the template.
    """
    s3 = client(settings, "s3")
    create_bucket(s3, CODE_BUCKET)
    for name in templates.functions(template).values():
        s3.put_object(Bucket=CODE_BUCKET, Key=f"{name}.zip", Body=package(binaries.get(name)))
    known = templates.for_ministack(template)
    to_deploy = templates.packaged(known, CODE_BUCKET, lambda name: f"{name}.zip", settings.parameters)
    s3.put_object(Bucket=CODE_BUCKET, Key="template.json", Body=json.dumps(to_deploy).encode())
    outputs = create_stack(settings)
    if settings.data:
        create_bucket(s3, KEPT_BUCKET)
        outputs["BucketName"] = KEPT_BUCKET
    path = f"127.0.0.1:{settings.aws_port}/_aws/execute-api/{outputs['WebSocketApiId']}/{outputs['WebSocketStageName']}"
    differing = {"WS_CALLBACK_URL": f"http://{path}", "BUCKET_NAME": outputs["BucketName"], **local}
    # As links to files have it here.
    differing["FILES_ORIGIN"] = settings.aws_url
    return Deployment(
        ws_url=f"ws://{path}",
        callback_url=f"http://{path}",
        queue_urls={variable: outputs[output] for variable, output in QUEUES.items()},
        bucket_name=outputs["BucketName"],
        environment=set_environment(settings, list(templates.functions(template).values()), differing),
    )


def create_bucket(s3: Any, name: str) -> None:
    """Creates a bucket unless kept data already contains it."""
    try:
        s3.create_bucket(Bucket=name)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        pass


def create_stack(settings: Settings) -> dict[str, str]:
    """Creates the stack and returns its outputs."""
    cloudformation = client(settings, "cloudformation")
    cloudformation.create_stack(
        StackName=STACK_NAME,
        TemplateURL=f"{settings.aws_url}/{CODE_BUCKET}/template.json",
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in settings.parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName=STACK_NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    except WaiterError as failed:
        events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
        reasons = [
            f"  {e['LogicalResourceId']}: {e.get('ResourceStatusReason')}"
            for e in events
            if "FAILED" in e["ResourceStatus"]
        ]
        raise Failed("\n".join(["the template could not be deployed:", *reasons])) from failed
    (stack,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def set_environment(settings: Settings, names: list[str], differing: Mapping[str, str]) -> dict[str, str]:
    """Gives every function the local values of its variables, and returns the union of all.

    A native function reads its own configuration. Those under `cargo lambda watch` share one
    environment, so all of them must have the same value for a variable.
    """
    functions = client(settings, "lambda")
    union: dict[str, str] = {}
    for name in names:
        configured = functions.get_function_configuration(FunctionName=function_name(name))
        own: dict[str, str] = configured.get("Environment", {}).get("Variables", {})
        own |= {key: value for key, value in differing.items() if key in own}
        for key, value in own.items():
            if union.setdefault(key, value) != value:
                raise Failed(f"{name} has {key}={value} in the template, another function {union[key]}")
        if name in settings.native:
            functions.update_function_configuration(FunctionName=function_name(name), Environment={"Variables": own})
    return {**union, **differing}


def package(binary: Path | None) -> bytes:
    """A Lambda package with the binary as `bootstrap`, or with a note if invocations are forwarded."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if binary:
            # A fixed time, so that the same binary gives the same package.
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, binary.read_bytes(), zipfile.ZIP_DEFLATED, 1)
        else:
            archive.writestr("README", "The invocations of this function are handed on to cargo lambda watch.\n")
    return buffer.getvalue()


def path_of_running(settings: Settings, binary: Path) -> Path:
    """The path at which MiniStack unpacks a native function's program, by the digest of its
    package.
    """
    digest = hashlib.sha256(package(binary)).hexdigest()
    return scratch(settings) / f"ministack-provided-code-{settings.aws_port}" / digest / "bootstrap"


def client(settings: Settings, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=settings.aws_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
