"""Clients of AWS with scripted answers for the tests: botocore checks every request and every answer
against the service's model, and the order of the calls is a part of the script.
"""

import contextlib
import io
from typing import Any, Self
from unittest import mock

import boto3
from botocore.stub import Stubber
from cloudformation import Target

STACK = "tried"
STACK_ID = f"arn:aws:cloudformation:eu-central-1:111122223333:stack/{STACK}/1"
REGION = "eu-central-1"
# One session, which reads the models of the services once.
SESSION = boto3.Session("none", "none", region_name=REGION)


class Script:
    """The answers of each service, in order. As a context it checks that none is left."""

    def __init__(self, stack: str = STACK) -> None:
        self.clients: dict[str, Any] = {}
        self.stubbers: dict[str, Stubber] = {}
        # Regions and partitions come from botocore's own data.
        session = mock.MagicMock(wraps=SESSION)
        session.region_name = REGION
        session.client.side_effect = lambda service, **_: self.client(service)
        self.target = Target(stack, session)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = SESSION.client(service)
            self.stubbers[service] = Stubber(self.clients[service])
            self.stubbers[service].activate()
        return self.clients[service]

    def answers(self, service: str, method: str, answer: dict[str, Any], **expected: Any) -> None:
        self.client(service)
        self.stubbers[service].add_response(method, answer, expected or None)

    def refuses(self, service: str, method: str, code: str, message: str = "") -> None:
        self.client(service)
        self.stubbers[service].add_client_error(method, code, message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            for stubber in self.stubbers.values():
                stubber.assert_no_pending_responses()


class Stacks(Script):
    """The calls to CloudFormation that belong together."""

    def stands(self, status: str, **further: Any) -> None:
        """One look at the stack."""
        stack = {"StackName": STACK, "StackId": STACK_ID, "StackStatus": status, "CreationTime": "2026-01-01"}
        self.answers("cloudformation", "describe_stacks", {"Stacks": [stack | further]})

    def is_unknown(self) -> None:
        said = f"Stack with id {STACK} does not exist"
        self.refuses("cloudformation", "describe_stacks", "ValidationError", said)

    def makes(self, kind: str, changes: list[dict[str, Any]], **expected: Any) -> None:
        """A change set, and its changes."""
        arn = f"arn:aws:cloudformation:eu-central-1:111122223333:changeSet/{kind}/1"
        wanted = mock.ANY
        keys = ("StackName", "ChangeSetName", "TemplateURL", "Parameters", "Capabilities", "Tags")
        asked = dict.fromkeys(keys, wanted) | {"ChangeSetType": kind} | expected
        self.answers("cloudformation", "create_change_set", {"Id": arn, "StackId": STACK_ID}, **asked)
        self.answers("cloudformation", "describe_change_set", {"Status": "CREATE_COMPLETE"})
        self.answers("cloudformation", "describe_change_set", {"Changes": [{"ResourceChange": c} for c in changes]})

    def executes(self, *statuses: str) -> None:
        """The execution, and what each look at the stack finds."""
        self.answers("cloudformation", "execute_change_set", {})
        for status in statuses:
            self.stands(status)

    def happened(self, *events: tuple[str, str, str]) -> None:
        """Events as (resource, status, reason), the newest first."""
        listed = [
            {
                "StackId": STACK_ID,
                "EventId": str(number),
                "StackName": STACK,
                "LogicalResourceId": resource,
                "PhysicalResourceId": STACK_ID if resource == STACK else resource,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
                "Timestamp": "2026-01-01",
            }
            for number, (resource, status, reason) in enumerate(events)
        ]
        # By the id: a deleted stack has no name.
        answer = {"StackEvents": listed}
        self.answers("cloudformation", "describe_stack_events", answer, StackName=STACK_ID)

    def protects(self, protected: bool) -> None:
        asked = {"StackName": STACK, "EnableTerminationProtection": protected}
        self.answers("cloudformation", "update_termination_protection", {}, **asked)

    def deletes(self, *statuses: str) -> None:
        self.answers("cloudformation", "delete_stack", {}, StackName=STACK_ID)
        for status in statuses:
            self.stands(status)

    def holds(self, *resources: tuple[str, str, str]) -> None:
        """Resources as (type, name, status)."""
        listed = [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": name,
                "ResourceType": kind,
                "ResourceStatus": status,
                "LastUpdatedTimestamp": "2026-01-01",
            }
            for kind, name, status in resources
        ]
        self.answers("cloudformation", "list_stack_resources", {"StackResourceSummaries": listed})


def quiet() -> contextlib.redirect_stdout[io.StringIO]:
    return contextlib.redirect_stdout(io.StringIO())
