"""`make deploy` and `make destroy`: deploys infra/template.yaml to AWS with CloudFormation.

The packages are built as for the local stack, and CloudFormation expands the template. A package is
named by its digest, so an unchanged one is neither uploaded nor deployed again. A change that would
remove the table, the bucket or a queue is shown and refused. A stack is created without protection,
so that a failed creation can be deleted, and then updated to the template. Account, region and
credentials are found as by the AWS SDKs (AWS_PROFILE, AWS_REGION). Some modules come from
infra/local, through PYTHONPATH.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import ministack
import preflight
import template as templates
from botocore.exceptions import BotoCoreError, ClientError
from cloudformation import (
    DELETABLE,
    REVIEW,
    Parameters,
    Target,
    delete,
    execute,
    left_behind,
    outputs,
    prepare,
    protect,
    recover,
    say,
    settled,
)
from processes import Failed
from settings import TEMPLATE, variable_of

import functions


def main() -> int:
    """Returns 1, with the reason printed, when nothing was deployed or destroyed."""
    try:
        target = chosen_target()
        match sys.argv[1:]:
            case ["deploy"]:
                deploy(target, os.environ, templates.read(TEMPLATE))
            case ["destroy"]:
                destroy(target, os.environ.get("CONFIRM", ""))
            case _:
                raise Failed("deploy.py deploy | destroy")
    except (Failed, BotoCoreError, ClientError) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("What CloudFormation has begun goes on; the next command waits for its end.", file=sys.stderr)
        return 130
    return 0


def chosen_target() -> Target:
    """STACK_NAME, in the region of AWS_REGION, which boto3 is the only SDK to ignore."""
    return Target(
        os.environ.get("STACK_NAME") or "intermission", boto3.Session(region_name=os.environ.get("AWS_REGION"))
    )


def deploy(
    target: Target,
    environment: Mapping[str, str],
    template: templates.Template,
    binaries: Mapping[str, Path] | None = None,
) -> None:
    """Creates or updates the stack. Without `binaries` the functions are built first."""
    found = settled(target)
    before = found if found and found["StackStatus"] not in (REVIEW, *DELETABLE) else None
    known = {given["ParameterKey"]: given["ParameterValue"] for given in (before or {}).get("Parameters", [])}
    parameters = chosen(template, environment, known)
    if "WebSocketAccessLogs" not in known and not environment.get(variable_of("WebSocketAccessLogs")):
        parameters["WebSocketAccessLogs"] = "true" if preflight.can_log_websockets(target) else "false"
    values = {name: known[name] if value is None else value for name, value in parameters.items()}
    say(f"stack {target.stack}, {target.aws.region_name}: {'an update' if before else 'new'}")
    say("\n".join(shown(template, parameters)))
    preflight.check(preflight.Plan(target, template, values, known), environment.get("SKIP_CHECKS", ""))
    clear_the_way(target, found, environment)
    if binaries is None:
        binaries = functions.packages(list(templates.functions(template).values()), values["Architecture"])
    bucket = artifact_bucket(target)
    keys = upload(target, bucket, template, binaries)
    packaged = templates.packaged(template, bucket, keys.__getitem__, values)
    if before is None:
        create(target, upload_template(target, bucket, templates.unprotected(packaged)), parameters)
        # From here on the stack's own value, so that both change sets have the same.
        parameters = dict.fromkeys(parameters)
    protect(target, True)
    change_set = prepare(target, upload_template(target, bucket, packaged), parameters, creates=False)
    if change_set:
        execute(target, change_set, allowed=environment.get("ALLOW_REPLACEMENT") == target.stack)
    elif before:
        say("nothing has changed")
    say("\n".join(f"  {name}={value}" for name, value in outputs(target).items()))


def clear_the_way(target: Target, found: dict[str, Any] | None, environment: Mapping[str, str]) -> None:
    """Deletes the rest of a failed creation or deletion, once that is confirmed, and ends a failed
    update.
    """
    if found and found["StackStatus"] in DELETABLE:
        confirm_deletion(target, found, environment)
        delete(target, found)
    elif found:
        recover(target, found)


def confirm_deletion(target: Target, found: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Asks at a terminal. Raises `Failed` without the stack's name as the answer."""
    said = f"stack {target.stack} is {found['StackStatus']}, and CloudFormation can only delete it; what stays:"
    stays = "\n".join([said, *left_behind(target, found["StackId"])])
    if environment.get("DELETE_FAILED_STACK") == target.stack:
        return
    if not sys.stdin.isatty():
        raise Failed(f"{stays}\nDELETE_FAILED_STACK={target.stack} make deploy deletes it and creates a new one")
    say(stays)
    if input("To delete it and create a new one, type the stack's name: ") != target.stack:
        raise Failed("nothing was deleted")


def create(target: Target, url: str, parameters: Parameters) -> None:
    """Creates the stack. Of a failed attempt nothing is left, so that the next one is a first one
    again.
    """
    change_set = prepare(target, url, parameters, creates=True)
    if change_set is None:
        raise Failed("CloudFormation sees nothing to create")
    try:
        execute(target, change_set, allowed=False)
    except Failed as failed:
        left = target.description(change_set.stack_id)
        if left and left["StackStatus"] == "ROLLBACK_COMPLETE":
            delete(target, left)
            raise Failed(f"{failed}\nWhat was created is deleted again; mend the cause, then make deploy") from failed
        raise


def chosen(
    template: templates.Template, environment: Mapping[str, str], known: Mapping[str, str]
) -> dict[str, str | None]:
    """The value of each parameter: the variable with its name in upper snake case, else the stack's
    current value, else the template's default.

    An empty variable resets a parameter to the default. Raises `Failed` with every missing
    parameter.
    """
    parameters: dict[str, str | None] = {}
    missing = []
    for name, definition in template["Parameters"].items():
        value = environment.get(variable_of(name))
        if value:
            parameters[name] = value
        elif value is None and name in known:
            parameters[name] = None
        elif "Default" in definition:
            parameters[name] = str(definition["Default"])
        else:
            missing.append(f"  {variable_of(name)}: {definition['Description']}")
    if missing:
        raise Failed("\n".join(["these variables are needed:", *missing]))
    return parameters


def shown(template: templates.Template, parameters: Parameters) -> list[str]:
    """The parameters that differ from their defaults, with secret values hidden."""
    lines = []
    for name, value in parameters.items():
        definition = template["Parameters"][name]
        if value is not None and value != str(definition.get("Default")):
            lines.append(f"  {variable_of(name)}={'…' if definition.get('NoEcho') else value}")
    return lines


def artifact_bucket(target: Target) -> str:
    """The bucket of the packages, created at the first deployment. It is private and encrypted."""
    account = target.client("sts").get_caller_identity()["Account"]
    name = target.artifact_bucket(account)
    s3 = target.client("s3")
    try:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": target.aws.region_name}}
        s3.create_bucket(Bucket=name, **({} if target.aws.region_name == "us-east-1" else elsewhere))
    # Each time, because an earlier deployment may have ended before it.
    blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(blocked, True))
    return name


def upload(target: Target, bucket: str, template: templates.Template, binaries: Mapping[str, Path]) -> dict[str, str]:
    """Uploads missing packages. Returns the key of each function's."""
    s3 = target.client("s3")
    keys = {}
    for name in templates.functions(template).values():
        package = ministack.package(binaries.get(name))
        keys[name] = f"{name}/{hashlib.sha256(package).hexdigest()}.zip"
        put_once(s3, bucket, keys[name], package)
    return keys


def upload_template(target: Target, bucket: str, template: templates.Template) -> str:
    """Returns the URL of the template."""
    s3 = target.client("s3")
    body = json.dumps(template).encode()
    key = f"template/{hashlib.sha256(body).hexdigest()}.json"
    put_once(s3, bucket, key, body)
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def put_once(s3: Any, bucket: str, key: str, body: bytes) -> None:
    """Uploads an object unless one with this digest exists."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def destroy(target: Target, confirmed: str) -> None:
    """Deletes the stack except the table and the bucket, in whichever state it is. Raises `Failed`
    unless the stack's name is given as confirmation.
    """
    found = settled(target)
    if found is None:
        raise Failed(f"there is no stack {target.stack} in {target.aws.region_name}")
    stays = left_behind(target, found["StackId"])
    if confirmed != target.stack:
        goes = "what waits in the queues, the logs, both URLs and every function"
        asked = f"CONFIRM={target.stack} make destroy deletes {goes} for good; what stays:"
        raise Failed("\n".join([asked, *stays, "  (a new stack does not take these up again)"]))
    delete(target, found)
    say("\n".join([f"stack {target.stack} is deleted; what stays, and costs its storage:", *stays]))


if __name__ == "__main__":
    sys.exit(main())
