"""A stack in CloudFormation: its state, its change sets, its deletion.

An operation goes on when the command that began it ends (Ctrl-C, expired credentials): the next
command waits for it first. A stack is waited for by its id, because the name of a deleted stack is
unknown.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from processes import Failed

# Removing or replacing one of these loses sessions or messages.
LASTING = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue")
# Of these, the ones that a deleted stack leaves, with their names for people.
LEFT = {"AWS::DynamoDB::Table": "table", "AWS::S3::Bucket": "bucket"}
# A first deployment takes minutes; a new index of a large table takes hours.
PATIENCE = {"Delay": 5, "MaxAttempts": 24 * 720}
# The state after a change set that was never executed: a stack without resources, which still can
# be created.
REVIEW = "REVIEW_IN_PROGRESS"
# The states that only a deletion ends: the first creation failed, or a deletion did.
DELETABLE = ("CREATE_FAILED", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE", "DELETE_FAILED")

# Parameter of the template → its value; None keeps the stack's current value.
Parameters = Mapping[str, str | None]


@dataclass(frozen=True)
class Target:
    """One stack in one account and region. Stacks with different names share nothing."""

    stack: str
    aws: boto3.Session

    def client(self, service: str) -> Any:
        # The default of five attempts does not outlast a throttled account.
        return self.aws.client(service, config=Config(retries={"mode": "standard", "max_attempts": 10}))

    def artifact_bucket(self, account: str) -> str:
        """The name of the bucket of the packages."""
        return f"{self.stack}-artifacts-{account}-{self.aws.region_name}".lower()

    def description(self, stack_id: str | None = None) -> dict[str, Any] | None:
        """CloudFormation's description of the stack; None when there is none. By the id, also that
        of a deleted stack.
        """
        try:
            (found,) = self.client("cloudformation").describe_stacks(StackName=stack_id or self.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return dict(found)


@dataclass(frozen=True)
class ChangeSet:
    """A change set of a stack that exists, or that it creates."""

    arn: str
    stack_id: str
    creates: bool


def settled(target: Target) -> dict[str, Any] | None:
    """The stack's description once no operation runs; None when there is no stack."""
    told = False
    while (found := target.description()) and is_running(found["StackStatus"]):
        if not told:
            say(f"waiting for the end of an earlier operation: {found['StackStatus']}")
        told = True
        time.sleep(PATIENCE["Delay"])
    return found


def is_running(status: str) -> bool:
    return status.endswith("_IN_PROGRESS") and status != REVIEW


def recover(target: Target, found: dict[str, Any]) -> None:
    """Ends an update that failed and could not go back, which refuses every other one."""
    cloudformation = target.client("cloudformation")
    match found["StackStatus"]:
        case "UPDATE_ROLLBACK_FAILED":
            cloudformation.continue_update_rollback(StackName=found["StackId"])
        case "UPDATE_FAILED":
            cloudformation.rollback_stack(StackName=found["StackId"])
        case _:
            return
    say(f"{found['StackStatus']}: going back to the state before that update")
    wait(target, "rollback", found["StackId"])


def prepare(target: Target, url: str, parameters: Parameters, *, creates: bool) -> ChangeSet | None:
    """Makes a change set; None when there is nothing to change."""
    cloudformation = target.client("cloudformation")
    made = cloudformation.create_change_set(
        StackName=target.stack,
        ChangeSetName=f"deploy-{time.time_ns()}",
        ChangeSetType="CREATE" if creates else "UPDATE",
        TemplateURL=url,
        Parameters=[
            {"ParameterKey": key, **({"UsePreviousValue": True} if value is None else {"ParameterValue": value})}
            for key, value in parameters.items()
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        # CloudFormation adds the tags to all resources that support them.
        Tags=[{"Key": "project", "Value": "intermission"}, {"Key": "stack", "Value": target.stack}],
    )
    try:
        waiter = cloudformation.get_waiter("change_set_create_complete")
        waiter.wait(ChangeSetName=made["Id"], WaiterConfig={"Delay": min(2, PATIENCE["Delay"]), "MaxAttempts": 150})
    except WaiterError as failed:
        reason = cloudformation.describe_change_set(ChangeSetName=made["Id"]).get("StatusReason", str(failed))
        cloudformation.delete_change_set(ChangeSetName=made["Id"])
        if "didn't contain changes" in reason or "No updates" in reason:
            return None
        raise Failed(f"CloudFormation refuses the change: {reason}") from failed
    return ChangeSet(made["Id"], made["StackId"], creates)


def execute(target: Target, change_set: ChangeSet, *, allowed: bool) -> None:
    """Shows and executes the changes. Raises `Failed` if data would be lost, unless that is
    allowed.
    """
    cloudformation = target.client("cloudformation")
    pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=change_set.arn)
    changes = [change["ResourceChange"] for page in pages for change in page["Changes"]]
    say("\n".join(summary(changes)))
    if (lost := endangered(changes)) and not allowed:
        cloudformation.delete_change_set(ChangeSetName=change_set.arn)
        raise Failed(f"{', '.join(lost)} would be lost; ALLOW_REPLACEMENT={target.stack} does it all the same")
    cloudformation.execute_change_set(ChangeSetName=change_set.arn)
    wait(target, "create" if change_set.creates else "update", change_set.stack_id)


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


def wait(target: Target, operation: str, stack_id: str) -> None:
    """Waits for the end of a create, update, rollback or delete. Raises `Failed` with
    CloudFormation's reasons if it fails.
    """
    try:
        waiter = target.client("cloudformation").get_waiter(f"stack_{operation}_complete")
        waiter.wait(StackName=stack_id, WaiterConfig=PATIENCE)
    except WaiterError as failed:
        why = reasons(target, operation, stack_id)
        raise Failed("\n".join([f"CloudFormation failed to {operation} {target.stack}:", *why])) from failed


def reasons(target: Target, operation: str, stack_id: str) -> list[str]:
    """What failed since the operation began, the cause first. What was only cancelled is left out."""
    lines: list[str] = []
    pages = target.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
    # The newest events come first.
    for event in (event for page in pages for event in page["StackEvents"]):
        status = event["ResourceStatus"]
        reason = event.get("ResourceStatusReason", status)
        if event.get("PhysicalResourceId") == stack_id and status == f"{operation.upper()}_IN_PROGRESS":
            break
        if "FAILED" in status and "cancelled" not in reason:
            lines.insert(0, f"  {event['LogicalResourceId']}: {reason}")
    return lines


def delete(target: Target, found: dict[str, Any]) -> None:
    """Deletes the stack. Its termination protection is taken off for that, and comes back when the
    deletion fails.
    """
    protected = found.get("EnableTerminationProtection", False)
    if protected:
        protect(target, False)
    try:
        target.client("cloudformation").delete_stack(StackName=found["StackId"])
        wait(target, "delete", found["StackId"])
    except (Failed, BotoCoreError, ClientError) as reason:
        if protected:
            protect_again(target, reason)
        raise


def protect_again(target: Target, reason: Exception) -> None:
    """Raises `Failed` with both reasons when that is not possible."""
    try:
        protect(target, True)
    except (BotoCoreError, ClientError) as second:
        raise Failed(f"{reason}\nand the stack's termination protection stays off: {second}") from second


def protect(target: Target, protected: bool) -> None:
    """Sets the stack's termination protection, which also applies in the console."""
    target.client("cloudformation").update_termination_protection(
        StackName=target.stack, EnableTerminationProtection=protected
    )


def left_behind(target: Target, stack_id: str) -> list[str]:
    """The table and the bucket, which outlive their stack, and the bucket of the packages."""
    pages = target.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_id)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    kept = [
        f"  {LEFT[resource['ResourceType']]} {resource['PhysicalResourceId']}"
        for resource in resources
        if resource["ResourceType"] in LEFT
        and resource.get("PhysicalResourceId")
        and resource["ResourceStatus"] != "DELETE_COMPLETE"
    ]
    return [*kept, "  the bucket of the packages"]


def outputs(target: Target) -> dict[str, str]:
    found = target.description() or {}
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def say(line: str) -> None:
    if line:
        print(line, flush=True)
