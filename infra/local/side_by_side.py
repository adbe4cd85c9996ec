"""Deploys the template twice under two names into one account with the code of `make deploy`, and
destroys both.

The account is MiniStack's and the functions are empty, because only the deployment is tested.
smoke.py and authorisation.py test the functions. cloudformation.py, deploy.py and restore.py come
from infra, through PYTHONPATH.
"""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import deploy
import ministack
import restore
import settings as configuration
import stack
import template as templates
from cloudformation import Target
from processes import Failed, Processes, ended
from settings import REGION, Settings

NAMES = ("intermission-a", "intermission-b")
# Nobody answers for this issuer, so its document cannot be checked.
CALLERS = {"JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "local", "SKIP_CHECKS": "issuer"}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# Stages have constant names; their APIs differ.
ALIKE = {"HttpStage", "WebSocketStage"}


def main() -> int:
    """Returns 1 when two stacks affect each other, or a forbidden change is executed."""
    try:
        settings = configuration.from_environment(templates.parameter_names(templates.read(configuration.TEMPLATE)))
        stack.check_ports(settings)
        with ended(Processes(settings.logs)) as processes:
            ministack.start(settings, processes, {**os.environ, **CREDENTIALS}, [])
            try_out(targets(settings))
    except (Failed, configuration.Invalid) as reason:
        return stack.failed(reason)
    print(f"  {' and '.join(NAMES)} stood side by side, and their tables are still there", flush=True)
    return 0


def targets(settings: Settings) -> list[Target]:
    os.environ |= {"AWS_ENDPOINT_URL": settings.aws_url, **CREDENTIALS}
    return [Target(name, boto3.Session(region_name=REGION)) for name in NAMES]


def try_out(both: list[Target]) -> None:
    """Deploys both, one of them twice, and destroys both."""
    template = templates.for_ministack(templates.read(configuration.TEMPLATE))
    refused("a stack without an issuer", lambda: deploy.deploy(both[0], {}, template, {}))
    for target in both:
        deploy.deploy(target, CALLERS, template, {})
    one, other = (ids(target) for target in both)
    if shared := {name for name in one if one[name] == other.get(name)} - ALIKE:
        raise Failed(f"both stacks have the same {', '.join(sorted(shared))}")
    # Parameters of the previous deployment need not be given again.
    changed = {"LOG_RETENTION_DAYS": "7", "EXECUTOR_CONCURRENCY": "2", "SKIP_CHECKS": "issuer"}
    deploy.deploy(both[0], changed, template, {})
    if ids(both[0])["Table"] != one["Table"]:
        raise Failed("an update has replaced the table")
    mapping = both[0].client("lambda").get_event_source_mapping(UUID=ids(both[0])["ExecutorWork"])
    if mapping["ScalingConfig"] != {"MaximumConcurrency": 2}:
        raise Failed(f"an update has not limited the executor: {mapping}")
    protected(both[0])
    take_back(both[0].aws.resource("dynamodb"), one["Table"], other["Table"])
    refused("an unconfirmed destroy", lambda: deploy.destroy(both[0], both[1].stack))
    for target in both:
        deploy.destroy(target, target.stack)
    tables = both[0].client("dynamodb").list_tables()["TableNames"]
    if not {one["Table"], other["Table"]} <= set(tables):
        raise Failed(f"a table went with its stack; left: {tables}")


def protected(target: Target) -> None:
    """The table is protected, which it was not when it was created."""
    table = target.client("dynamodb").describe_table(TableName=ids(target)["Table"])["Table"]
    if not table["DeletionProtectionEnabled"]:
        raise Failed("the table is not protected from its deletion")
    if not (target.description() or {}).get("EnableTerminationProtection"):
        raise Failed("the stack is not protected from its deletion")


def take_back(tables: Any, copy: str, into: str) -> None:
    """Restores a session from one table into the other, which has other items under its id."""
    was, now = tables.Table(copy), tables.Table(into)
    kept = [{"PK": "SESSION#s", "SK": f"LOG#{seq:012}", "events": "[]"} for seq in range(1, 40)]
    kept.append({"PK": "SESSION#s", "SK": "RUN#1"})
    for item in [*kept, {"PK": "SESSION#s", "SK": "CONNECTION#c"}, {"PK": "SESSION#t", "SK": "SUMMARY"}]:
        was.put_item(Item=item)
    for sort in ("LOG#000000000001", "LOG#000000000099", "RUN#2"):
        now.put_item(Item={"PK": "SESSION#s", "SK": sort, "events": "[deleted]"})
    now.put_item(Item={"PK": "RUN#2", "SK": "META", "session_id": "s"})
    restore.restore(was, now, "s")
    wanted = [{"PK": "RUN#1", "SK": "META", "session_id": "s"}, *kept]
    found = sorted(now.scan()["Items"], key=lambda item: (item["PK"], item["SK"]))
    if found != wanted:
        raise Failed(f"a restored session is not as it was: {found}")
    refused("the restore of a session that never was", lambda: restore.restore(was, now, "u"))


def ids(target: Target) -> Mapping[str, str]:
    """Logical → physical id of each resource."""
    pages = target.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=target.stack)
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for page in pages for r in page["StackResourceSummaries"]}


def refused(what: str, attempt: Callable[[], object]) -> None:
    try:
        attempt()
    except Failed:
        return
    raise Failed(f"{what} was not refused")


if __name__ == "__main__":
    sys.exit(main())
