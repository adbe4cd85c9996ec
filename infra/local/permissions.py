"""Deploys every built binary with its own role, and lets MiniStack refuse what the template does not allow it.

The other tests run beside DynamoDB Local, which knows no IAM, and under `cargo lambda watch`, which has no roles. Here
all functions run natively, the table is MiniStack's, and IAM is evaluated (`AUTH=true`): a permission that a function
lacks shows in its log before anybody deploys it to AWS.
"""

import asyncio
import json
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidHandshake

import functions
import ministack
import settings as configuration
import stack
import template as templates
from client import Event, Follower, Refused, connected, events, send
from processes import Failed, Processes, ended
from settings import ROOT, Settings

# A dead letter is an error in itself, and one is sent on purpose.
ERROR = re.compile(r"\bERROR\b(?!.*: dead letter )")
# Above 32 KiB, so that it goes through the bucket.
LONG_TASK = "Explain why the sea comes twice a day. " * 1000
RUN_SECONDS = 60
PURGE_SECONDS = 20


class Caller:
    """Invokes the deployed functions with their sample events."""

    def __init__(self, settings: Settings) -> None:
        self._lambda = ministack.client(settings, "lambda")
        # What stands in the samples, and what stands there instead.
        self.ids: dict[str, str] = {}

    def call(self, name: str, body: Event | None = None) -> Any:
        """The body of the function's answer. Raises `Failed` when it is no success."""
        event = sample(name)
        # Without the sample's claims the caller is `OWNER`, as on the socket.
        event.get("requestContext", {}).pop("authorizer", None)
        text = json.dumps(event if body is None else {**event, "body": json.dumps(body)})
        for stands, real in self.ids.items():
            text = text.replace(stands, real)
        reply = self._lambda.invoke(FunctionName=ministack.function_name(name), Payload=text.encode())
        answer = json.loads(reply["Payload"].read() or b"null")
        if "FunctionError" in reply or (answer and answer.get("statusCode", 200) >= 300):
            raise Failed(f"{name} answered {answer}")
        return json.loads(answer["body"]) if answer and "body" in answer else answer

    def follow(self, session_id: str) -> None:
        """Puts this session into the place of the samples' one."""
        self.ids[sample("get-session")["pathParameters"]["session_id"]] = session_id


def sample(name: str) -> Event:
    """The function's sample event."""
    event: Event = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def main() -> int:
    """1 when a function was denied something, or failed."""
    template = templates.read(configuration.TEMPLATE)
    try:
        parameters = templates.parameter_names(template)
        short = {"PURGE_DELAY_SECONDS": "1", "OFFLINE_LATENCY_MS": "300"}
        settings = configuration.from_environment(parameters, {**os.environ, **short}, quick=True)
        names = list(templates.functions(template).values())
        stack.check_ports(settings)
        functions.build(names)
        with deployed(replace(settings, native=frozenset(names)), template) as deployment:
            walk(settings, deployment)
    except (Failed, configuration.Invalid) as reason:
        return stack.failed(reason)
    print(f"  {len(names)} functions did their work with their own roles, and nothing was denied", flush=True)
    return 0


def walk(settings: Settings, deployment: ministack.Deployment) -> None:
    """Uses every function. Raises `Failed` with what was denied, also where a denial was no more than logged."""
    caller = Caller(settings)
    trouble = []
    try:
        use_everything(caller, asyncio.run(over_the_socket(deployment.ws_url, caller)))
        purged(settings, deployment, caller)
    except (Failed, Refused) as reason:
        trouble.append(str(reason))
    trouble += errors_of(settings)
    if trouble:
        raise Failed("\n".join(f"  {line}" for line in trouble))


def errors_of(settings: Settings) -> list[str]:
    """What the functions have logged as errors: what is denied beside a request, no answer tells."""
    logs = ministack.client(settings, "logs")
    errors = []
    for group in logs.describe_log_groups()["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            lines = [line for event in page["events"] for line in event["message"].splitlines()]
            errors += [line for line in lines if ERROR.search(line)]
    return errors


@contextmanager
def deployed(settings: Settings, template: templates.Template) -> Iterator[ministack.Deployment]:
    """MiniStack alone, under IAM, with all functions."""
    shutil.rmtree(ministack.scratch(settings), ignore_errors=True)
    base = stack.client_environment(settings)
    del base["AWS_ENDPOINT_URL_DYNAMODB"]
    with ended(Processes(settings.logs)) as processes:
        ministack.start(settings, processes, {**os.environ, **base, "AUTH": "true", "OWNER": "local"}, [])
        deployment = ministack.deploy(settings, template, functions.native_binaries(settings), base)
        # It refuses plain HTTP, which is all that there is on this machine.
        ministack.client(settings, "s3").delete_bucket_policy(Bucket=deployment.bucket_name)
        yield deployment


async def over_the_socket(ws_url: str, caller: Caller) -> Follower:
    """A run in steps that asks twice about its plan, over the three functions of the WebSocket and the executor."""
    follower = Follower()
    config = {"mode": "hitl-interactive", "hitlVariant": "planning_only"}
    frame = {"task": "Explain why the sea comes twice a day.", "config": config}
    questions = 0
    try:
        async with asyncio.timeout(RUN_SECONDS), connected(ws_url, str(uuid.uuid4())) as socket:
            await send(socket, frame)
            async for event in events(socket, follower):
                if event["event_type"] == "approval_requested":
                    questions += 1
                    await (revise(socket, event) if questions == 1 else approve(caller, event))
    except (TimeoutError, InvalidHandshake) as reason:
        raise Failed(f"the run did not end: {reason!r}") from reason
    seen = [event["event_type"] for event in follower.events]
    if "workflow_completed" not in seen or questions != 2:
        raise Failed(f"the run did not complete after two questions: {seen}")
    return follower


async def revise(socket: ClientConnection, question: Event) -> None:
    """The first answer, over the socket: the question comes back."""
    answer = {"resolution": "revise", "feedback": "In fewer steps."}
    await send(socket, {"type": "approval_response", "approval_id": question["data"]["approval_id"], **answer})


async def approve(caller: Caller, question: Event) -> None:
    """The second answer, by the two HTTP functions of approvals."""
    caller.follow(question["session_id"])
    caller.ids[sample("resolve-approval")["pathParameters"]["approval_id"]] = question["data"]["approval_id"]
    if not caller.call("list-approvals")["approvals"]:
        raise Failed("the open question is not listed")
    caller.call("resolve-approval", {"resolution": "approve"})


def use_everything(caller: Caller, follower: Follower) -> None:
    """Every HTTP function, in an order in which each succeeds."""
    caller.follow(follower.session_id or "")
    for name in ("health", "list-modes", "list-sessions", "get-session", "get-history", "list-events", "list-runs"):
        caller.call(name)
    caller.follow(caller.call("create-session")["session_id"])
    caller.call("create-session")
    for name in ("suspend-session", "resume-session"):
        caller.call(name)
    run = caller.call("start-run", {"task": LONG_TASK})
    caller.ids[sample("cancel-run")["pathParameters"]["run_id"]] = run["id"]
    for name in ("cancel-run", "get-run-costs", "dead-letters"):
        caller.call(name)


def purged(settings: Settings, deployment: ministack.Deployment, caller: Caller) -> None:
    """Deletes the session and waits until the sweeper and the executor have purged it."""
    caller.call("delete-session")
    table = ministack.client(settings, "dynamodb")
    (session_id, *_) = caller.ids.values()
    for _ in range(PURGE_SECONDS):
        time.sleep(1)
        caller.call("sweeper")
        left = table.query(
            TableName=deployment.environment["TABLE_NAME"],
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": {"S": f"SESSION#{session_id}"}},
        )["Count"]
        # The entry that says `deleted` stays.
        if left == 1:
            return
    raise Failed(f"{left} items of a deleted session were not purged")


if __name__ == "__main__":
    sys.exit(main())
