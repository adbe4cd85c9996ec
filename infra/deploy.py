"""`make deploy` and `make destroy`: deploys infra/template.yaml to AWS with CloudFormation.

The packages are built as for the local stack, and CloudFormation expands the template. A package is
named by its digest, so an unchanged one is neither uploaded nor deployed again. A change that would
remove the table, the bucket or a queue is shown and refused. Account, region and credentials are
found as by the AWS SDKs (AWS_PROFILE, AWS_REGION). Some modules come from infra/local, through
PYTHONPATH.
"""

import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import ministack
import template as templates
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from processes import Failed
from settings import TEMPLATE, variable_of

import functions

# Removing or replacing one of these loses sessions or messages.
LASTING = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue")
# A first deployment takes minutes; a new index of a large table takes hours.
PATIENCE = {"Delay": 5, "MaxAttempts": 2000}

# Parameter of the template → its value; None keeps the stack's current value.
Parameters = Mapping[str, str | None]


@dataclass(frozen=True)
class Target:
    """One stack in one account and region. Stacks with different names share nothing."""

    stack: str
    aws: boto3.Session

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def description(self) -> dict[str, Any] | None:
        """CloudFormation's description of the stack; None when there is none."""
        try:
            (found,) = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        # The state after a change set that was never executed.
        return None if found["StackStatus"] == "REVIEW_IN_PROGRESS" else dict(found)


def main() -> int:
    """Returns 1, with the reason printed, when nothing was deployed or destroyed."""
    try:
        target = chosen_target()
        match sys.argv[1:]:
            case ["deploy"]:
                deploy(target, os.environ)
            case ["destroy"]:
                destroy(target, os.environ.get("CONFIRM", ""))
            case _:
                raise Failed("deploy.py deploy | destroy")
    except (Failed, BotoCoreError, ClientError) as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


def chosen_target() -> Target:
    """STACK_NAME, in the region of AWS_REGION, which boto3 is the only SDK to ignore."""
    return Target(
        os.environ.get("STACK_NAME") or "intermission", boto3.Session(region_name=os.environ.get("AWS_REGION"))
    )


def deploy(target: Target, environment: Mapping[str, str], binaries: Mapping[str, Path] | None = None) -> None:
    """Creates or updates the stack. Without `binaries` the functions are built first."""
    template = templates.read(TEMPLATE)
    before = target.description()
    known = {given["ParameterKey"]: given["ParameterValue"] for given in (before or {}).get("Parameters", [])}
    parameters = chosen(template, environment, known)
    if "WebSocketAccessLogs" not in known and not environment.get(variable_of("WebSocketAccessLogs")):
        parameters["WebSocketAccessLogs"] = "true" if can_log_websockets(target) else "false"
    say(f"stack {target.stack}, {target.aws.region_name}: {'an update' if before else 'new'}")
    say("\n".join(shown(template, parameters)))
    if binaries is None:
        architecture = parameters["Architecture"] or known["Architecture"]
        binaries = functions.packages(list(templates.functions(template).values()), architecture)
    url = upload(target, artifact_bucket(target), template, binaries)
    change_set = prepare(target, url, parameters, new=before is None)
    if change_set is None:
        say("nothing has changed")
        return
    execute(target, change_set, allowed=environment.get("ALLOW_REPLACEMENT") == target.stack)
    protect(target, True)
    say("\n".join(f"  {name}={value}" for name, value in outputs(target).items()))


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


def can_log_websockets(target: Target) -> bool:
    """Whether the account has given API Gateway a role to write logs with."""
    try:
        return bool(target.client("apigateway").get_account().get("cloudwatchRoleArn"))
    except ClientError:
        return False


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
    name = f"{target.stack}-artifacts-{account}-{target.aws.region_name}".lower()
    s3 = target.client("s3")
    try:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
        return name
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": target.aws.region_name}}
    s3.create_bucket(Bucket=name, **({} if target.aws.region_name == "us-east-1" else elsewhere))
    blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(blocked, True))
    return name


def upload(target: Target, bucket: str, template: templates.Template, binaries: Mapping[str, Path]) -> str:
    """Uploads missing packages. Returns the URL of a template that refers to them."""
    s3 = target.client("s3")
    keys = {}
    for name in templates.functions(template).values():
        package = ministack.package(binaries.get(name))
        keys[name] = f"{name}/{hashlib.sha256(package).hexdigest()}.zip"
        put_once(s3, bucket, keys[name], package)
    body = json.dumps(templates.packaged(template, bucket, keys.__getitem__)).encode()
    key = f"template/{hashlib.sha256(body).hexdigest()}.json"
    put_once(s3, bucket, key, body)
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def put_once(s3: Any, bucket: str, key: str, body: bytes) -> None:
    """Uploads an object unless one with this digest exists."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def prepare(target: Target, url: str, parameters: Parameters, *, new: bool) -> str | None:
    """Creates a change set and returns its name; None when there is nothing to change."""
    cloudformation = target.client("cloudformation")
    name = f"deploy-{int(time.time())}"
    cloudformation.create_change_set(
        StackName=target.stack,
        ChangeSetName=name,
        ChangeSetType="CREATE" if new else "UPDATE",
        TemplateURL=url,
        Parameters=[
            {"ParameterKey": key, **({"UsePreviousValue": True} if value is None else {"ParameterValue": value})}
            for key, value in parameters.items()
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        # CloudFormation adds the tags to all resources that support them.
        Tags=[{"Key": "project", "Value": "intermission"}, {"Key": "stack", "Value": target.stack}],
        # A failed first attempt is deleted completely, so that the next one is a first attempt
        # again.
        **({"OnStackFailure": "DELETE"} if new else {}),
    )
    try:
        waiter = cloudformation.get_waiter("change_set_create_complete")
        waiter.wait(StackName=target.stack, ChangeSetName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 150})
    except WaiterError as failed:
        reason = cloudformation.describe_change_set(StackName=target.stack, ChangeSetName=name)["StatusReason"]
        cloudformation.delete_change_set(StackName=target.stack, ChangeSetName=name)
        if "didn't contain changes" in reason or "No updates" in reason:
            return None
        raise Failed(f"CloudFormation refuses the change: {reason}") from failed
    return name


def execute(target: Target, change_set: str, *, allowed: bool) -> None:
    """Shows and executes the changes. Raises `Failed` if data would be lost, unless that is
    allowed.
    """
    cloudformation = target.client("cloudformation")
    pages = cloudformation.get_paginator("describe_change_set").paginate(
        StackName=target.stack, ChangeSetName=change_set
    )
    changes = [change["ResourceChange"] for page in pages for change in page["Changes"]]
    say("\n".join(summary(changes)))
    if (lost := endangered(changes)) and not allowed:
        cloudformation.delete_change_set(StackName=target.stack, ChangeSetName=change_set)
        raise Failed(f"{', '.join(lost)} would be lost; ALLOW_REPLACEMENT={target.stack} does it all the same")
    kind = "create" if target.description() is None else "update"
    cloudformation.execute_change_set(StackName=target.stack, ChangeSetName=change_set)
    wait(target, f"stack_{kind}_complete", target.stack)


def summary(changes: list[dict[str, Any]]) -> list[str]:
    """The number of resources per action, and the names of removed ones."""
    actions = Counter(change["Action"] for change in changes)
    lines = [f"  {action}: {count} resources" for action, count in sorted(actions.items())]
    gone = [c for c in changes if c["Action"] == "Remove" or c.get("Replacement") == "True"]
    return lines + [f"  goes: {change['LogicalResourceId']} ({change['ResourceType']})" for change in gone]


def endangered(changes: list[dict[str, Any]]) -> list[str]:
    """The persistent resources that a change set removes or replaces."""
    return [
        change["LogicalResourceId"]
        for change in changes
        if change["ResourceType"] in LASTING
        and (change["Action"] == "Remove" or change.get("Replacement") in ("True", "Conditional"))
    ]


def wait(target: Target, state: str, stack: str) -> None:
    """Waits for a state. Raises `Failed` with CloudFormation's reasons if the stack reaches another
    one.
    """
    cloudformation = target.client("cloudformation")
    started = time.time()
    try:
        cloudformation.get_waiter(state).wait(StackName=stack, WaiterConfig=PATIENCE)
    except WaiterError as failed:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        reasons = [
            f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in reversed(events)
            if "FAILED" in event["ResourceStatus"] and event["Timestamp"].timestamp() >= started - 5
        ]
        raise Failed("\n".join([f"CloudFormation failed on {stack}:", *reasons])) from failed


def destroy(target: Target, confirmed: str) -> None:
    """Deletes the stack except the table and the bucket. Raises `Failed` unless the stack's name is
    given as confirmation.
    """
    found = target.description()
    if found is None:
        raise Failed(f"there is no stack {target.stack} in {target.aws.region_name}")
    kept = outputs(target)
    stays = [f"  table {kept['TableName']}", f"  bucket {kept['BucketName']}", "  the bucket of the packages"]
    if confirmed != target.stack:
        goes = "what waits in the queues, the logs, both URLs and every function"
        asked = f"CONFIRM={target.stack} make destroy deletes {goes} for good; what stays:"
        raise Failed("\n".join([asked, *stays, "  (a new stack does not take these up again)"]))
    protect(target, False)
    target.client("cloudformation").delete_stack(StackName=target.stack)
    # By id, because the name is no longer valid once the stack is deleted.
    wait(target, "stack_delete_complete", found["StackId"])
    say("\n".join([f"stack {target.stack} is deleted; what stays, and costs its storage:", *stays]))


def protect(target: Target, protected: bool) -> None:
    """Sets the stack's termination protection, which also applies in the console."""
    target.client("cloudformation").update_termination_protection(
        StackName=target.stack, EnableTerminationProtection=protected
    )


def outputs(target: Target) -> dict[str, str]:
    found = target.description() or {}
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def say(line: str) -> None:
    if line:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
