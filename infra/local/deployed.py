"""The template as it stands, on MiniStack alone: no `OWNER`, every binary natively under its own role, a local issuer.

The other tests run beside DynamoDB Local, which knows no IAM, and under `cargo lambda watch`, which has no roles. Here the
table is MiniStack's and IAM is evaluated (`AUTH=true`): a permission that a function lacks shows in an answer or in its log
before anybody deploys it to AWS.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import counting
import functions
import issuer as issuers
import ministack
import settings as configuration
import stack
import template as templates
from callers import Api, World
from claims import Checks
from issuer import AUDIENCE, Key
from processes import Failed, Processes, ended
from settings import STACK_NAME, Settings

# A dead letter is an error in itself, and one is sent on purpose.
ERROR = re.compile(r"\bERROR\b(?!.*\bdead letter\b)")


@dataclass(frozen=True)
class Deployed:
    """A deployment, and who asks it."""

    world: World
    settings: Settings
    deployment: ministack.Deployment

    def logged(self) -> list[str]:
        """Every line that a function has logged."""
        return ministack.logged(self.settings)

    def errors(self) -> list[str]:
        """What the functions have logged as errors: what is denied beside a request, no answer tells."""
        return [line for line in self.logged() if ERROR.search(line)]


@contextmanager
def deployed(checks: Checks, given: Mapping[str, str]) -> Iterator[Deployed]:
    """The deployment beside an issuer that publishes two keys. `given` are parameters by their names as variables."""
    template = templates.read(configuration.TEMPLATE)
    names = list(templates.functions(template).values())
    with ExitStack() as opened:
        issuer = opened.enter_context(issuers.running([Key(), Key()]))
        callers = {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE}
        environment = {name: value for name, value in os.environ.items() if name != "OWNER"} | callers | given
        settings = configuration.from_environment(templates.parameter_names(template), environment, quick=True)
        stack.check_ports(settings)
        functions.build(names)
        settings = replace(settings, native=frozenset(names))
        shutil.rmtree(ministack.scratch(settings), ignore_errors=True)
        calls = opened.enter_context(counting.counting(settings.aws_port))
        processes = opened.enter_context(ended(Processes(settings.logs)))
        base = stack.client_environment(settings) | {"AWS_ENDPOINT_URL_DYNAMODB": calls.url}
        ministack.start(settings, processes, {**environment, **base, "AUTH": "true"}, [])
        deployment = ministack.deploy(settings, template, functions.native_binaries(settings), base)
        # It refuses plain HTTP, which is all that there is on this machine.
        ministack.client(settings, "s3").delete_bucket_policy(Bucket=deployment.bucket_name)
        api = Api(settings.aws_port, http_api(settings), deployment.ws_url, calls)
        world = World(api, issuer, checks, guarded_routes(template), leading_keys(template))
        yield Deployed(world, settings, deployment)


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


def leading_keys(template: templates.Template) -> dict[str, list[str]]:
    """Route → the partitions that its function may name, where the template limits them."""
    resources = template["Resources"]
    limits = {}
    for route in (r["Properties"] for r in resources.values() if r["Type"] == "AWS::ApiGatewayV2::Route"):
        integration = resources[route["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")]
        found = re.findall(r"(\w+)(?:\.Arn\}|', 'Arn')", str(integration["Properties"]["IntegrationUri"]))
        (function,) = {name for name in found if name in resources}
        statements = [s for p in resources[function]["Properties"].get("Policies", []) for s in p["Statement"]]
        conditions = [statement.get("Condition", {}).get("ForAllValues:StringLike", {}) for statement in statements]
        if allowed := [key for condition in conditions for key in condition.get("dynamodb:LeadingKeys", [])]:
            limits[route["RouteKey"]] = allowed
    return limits
