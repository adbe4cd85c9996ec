"""Who may: every route of the template and every frame, as owner, as stranger, and with every token that is none.

The template is deployed as it stands: no `OWNER`, all functions natively with their own roles, a local issuer. The
stranger must see exactly what a session looks like that was never there: status, headers, body, and the database calls
that it cost.

Where MiniStack's own JWT authorizer is not AWS's, this test says nothing about AWS:
- It takes every signature for RS256 whatever `alg` says, so `none` and HS256 fail there for another reason than on AWS.
- It accepts a token without `exp`. AWS refuses it, and so does ours for the WebSocket.
- It accepts a token without the word Bearer, and an issuer without TLS.
- Like AWS it keeps the issuer's keys for two hours. So a new key is tried over REST only if it was published from the
  beginning, and what becomes of a withdrawn one is tried over the WebSocket alone.
A refused handshake is a 403 in both: a Lambda authorizer can only say 401 by failing, which MiniStack takes for a 500.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from websockets.exceptions import WebSocketException

import counting
import functions
import issuer as issuers
import ministack
import settings as configuration
import stack
import template as templates
from callers import OWNER, STRANGER, TASK, Api, Ids, World
from claims import Checks
from issuer import AUDIENCE, Key
from permissions import errors_of
from processes import Failed, Processes, ended
from rest_callers import keys_and_cursors, owner_over_rest, strangers_over_rest, tokens_over_rest
from settings import STACK_NAME, Settings
from socket_callers import KEYS_TTL_SECONDS, over_the_socket

RUN_SECONDS = 60
ASKS = {"mode": "hitl-interactive", "config": {"hitlVariant": "planning_only", "nPlanReviews": 0}}


def main() -> int:
    """1 when somebody may what they may not, or an owner may not what they may."""
    checks = Checks()
    try:
        with world(checks) as (made, settings):
            started = time.monotonic()
            everything(made)
            what_was_logged(checks, settings)
            print(f"  all of it took {time.monotonic() - started:.0f} s", flush=True)
    except (Failed, WebSocketException, configuration.Invalid) as reason:
        return stack.failed(reason)
    return 1 if checks.failed else 0


@contextmanager
def world(checks: Checks) -> Iterator[tuple[World, Settings]]:
    """The deployed template beside an issuer that publishes two keys."""
    template = templates.read(configuration.TEMPLATE)
    names = list(templates.functions(template).values())
    with ExitStack() as opened:
        issuer = opened.enter_context(issuers.running([Key(), Key()]))
        given = {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE, "JWKS_TTL_SECONDS": str(KEYS_TTL_SECONDS)}
        # The sweeper's own calls would be counted with a request's.
        given |= {"SWEEP_SCHEDULE": "rate(1 day)", "MODEL_PROVIDER": "offline", "OFFLINE_LATENCY_MS": "0"}
        environment = {name: value for name, value in os.environ.items() if name != "OWNER"} | given
        settings = configuration.from_environment(templates.parameter_names(template), environment, quick=True)
        stack.check_ports(settings)
        functions.build(names)
        settings = replace(settings, native=frozenset(names))
        calls = opened.enter_context(counting.counting(settings.aws_port))
        processes = opened.enter_context(ended(Processes(settings.logs)))
        base = stack.client_environment(settings) | {"AWS_ENDPOINT_URL_DYNAMODB": calls.url}
        ministack.start(settings, processes, {**environment, **base, "AUTH": "true"}, [])
        deployment = ministack.deploy(settings, template, functions.native_binaries(settings), base)
        ministack.client(settings, "s3").delete_bucket_policy(Bucket=deployment.bucket_name)
        api = Api(settings.aws_port, http_api(settings), deployment.ws_url, calls)
        yield World(api, issuer, checks, guarded_routes(template)), settings


def http_api(settings: Settings) -> str:
    apis = ministack.client(settings, "apigatewayv2").get_apis()["Items"]
    (only,) = [api["ApiId"] for api in apis if api["Name"] == f"{STACK_NAME}-http"]
    return str(only)


def guarded_routes(template: templates.Template) -> list[str]:
    """Every HTTP route, the reads first and deletes last. Raises `Failed` when one of any API has no authorizer."""
    routes = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::ApiGatewayV2::Route"]
    expected = {"$connect": "CUSTOM", "$disconnect": "NONE", "$default": "NONE"}
    for route in routes:
        if route["AuthorizationType"] != expected.get(route["RouteKey"], "JWT") or (
            route["AuthorizationType"] != "NONE" and "AuthorizerId" not in route
        ):
            raise Failed(f"{route['RouteKey']} has the authorization {route['AuthorizationType']}")
    order = ["GET", "POST", "DELETE"]
    keys = [route["RouteKey"] for route in routes if not route["RouteKey"].startswith("$")]
    return sorted(keys, key=lambda key: order.index(key.split()[0]))


def everything(world: World) -> None:
    """The owner's session asks its owner something, and nothing runs, while everybody else tries."""
    theirs = waiting_session(world)
    own = {"session_id": world.made(STRANGER, "POST /api/sessions", {}, {"mode": "one-shot"})["session_id"]}
    record = "GET /api/sessions/{session_id}/events?limit=500"
    before = world.made(OWNER, record, theirs, None)
    tokens_over_rest(world, theirs)
    strangers_over_rest(world, theirs, own)
    keys_and_cursors(world, theirs)
    asyncio.run(over_the_socket(world, theirs, own))
    world.checks.expect("nothing of it has changed the session", world.made(OWNER, record, theirs, None) == before)
    owner_over_rest(world, theirs)


def waiting_session(world: World) -> Ids:
    """A session of the owner whose run waits for an answer: the ids of all three."""
    session = {"session_id": world.made(OWNER, "POST /api/sessions", {}, ASKS)["session_id"]}
    run = world.made(OWNER, "POST /api/sessions/{session_id}/runs", session, {"task": TASK})["id"]
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        asked = world.made(OWNER, "GET /api/sessions/{session_id}/approvals", session, None)["approvals"]
        if asked:
            time.sleep(1)
            return {**session, "run_id": run, "approval_id": asked[0]["approval_id"]}
        time.sleep(0.2)
    raise Failed("the run did not ask its owner anything")


def what_was_logged(checks: Checks, settings: Settings) -> None:
    """Each denial with its reason, and no token, whole or in part: every JWT begins with the same three letters."""
    lines, errors = logged(settings), errors_of(settings)
    checks.expect("no function has logged an error", not errors, errors)
    checks.expect("denials are logged", any("connection denied" in line for line in lines), lines[-3:])
    tokens = [line for line in lines if "eyJ" in line]
    checks.expect("no log has a token", not tokens, len(tokens))


def logged(settings: Settings) -> list[str]:
    """All that the functions have logged."""
    logs = ministack.client(settings, "logs")
    return [
        event["message"]
        for group in logs.describe_log_groups()["logGroups"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in page["events"]
    ]


if __name__ == "__main__":
    sys.exit(main())
