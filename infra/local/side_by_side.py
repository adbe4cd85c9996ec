"""Deploys the template twice under two names into one account, by what `make deploy` itself runs, and destroys both.

The account is MiniStack's and the functions are empty: what is tried is the deployment. That a stack's functions do
their work is permissions.py's to show. deploy.py comes from infra, by PYTHONPATH.
"""

import os
import sys
from collections.abc import Callable, Mapping

import boto3

import deploy
import ministack
import settings as configuration
import stack
import template as templates
from processes import Failed, Processes, ended
from settings import REGION, Settings

NAMES = ("intermission-a", "intermission-b")
CALLERS = {"JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "local"}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# Their names are the stages' own, below APIs that differ.
ALIKE = {"HttpStage", "WebSocketStage"}


def main() -> int:
    """1 when two stacks get into each other's way, or something is done that should be refused."""
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


def targets(settings: Settings) -> list[deploy.Target]:
    os.environ |= {"AWS_ENDPOINT_URL": settings.aws_url, **CREDENTIALS}
    return [deploy.Target(name, boto3.Session(region_name=REGION)) for name in NAMES]


def try_out(both: list[deploy.Target]) -> None:
    """Deploys both, one of them again, and destroys both."""
    refused("a stack without an issuer", lambda: deploy.deploy(both[0], {}, {}))
    for target in both:
        deploy.deploy(target, CALLERS, {})
    one, other = (ids(target) for target in both)
    if shared := {name for name in one if one[name] == other.get(name)} - ALIKE:
        raise Failed(f"both stacks have the same {', '.join(sorted(shared))}")
    # What was given before need not be given again.
    deploy.deploy(both[0], {"LOG_RETENTION_DAYS": "7"}, {})
    if ids(both[0])["Table"] != one["Table"]:
        raise Failed("an update has replaced the table")
    refused("an unconfirmed destroy", lambda: deploy.destroy(both[0], both[1].stack))
    for target in both:
        deploy.destroy(target, target.stack)
    tables = both[0].client("dynamodb").list_tables()["TableNames"]
    if not {one["Table"], other["Table"]} <= set(tables):
        raise Failed(f"a table went with its stack; left: {tables}")


def ids(target: deploy.Target) -> Mapping[str, str]:
    """Logical → physical id of each resource."""
    pages = target.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=target.stack)
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for page in pages for r in page["StackResourceSummaries"]}


def refused(what: str, attempt: Callable[[], None]) -> None:
    try:
        attempt()
    except Failed:
        return
    raise Failed(f"{what} was not refused")


if __name__ == "__main__":
    sys.exit(main())
