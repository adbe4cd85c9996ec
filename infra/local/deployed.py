"""The unchanged template on MiniStack alone: no `OWNER`, every binary running natively with its own
role, and a token issuer.

The other tests use DynamoDB Local, which has no IAM, and `cargo lambda watch`, which has no roles.
Here the table is in MiniStack and IAM is evaluated (`AUTH=true`), so a missing permission appears
in an answer or a log before a deployment to AWS.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import ministack
import settings as configuration
import stack
import template as templates
from processes import Processes, ended
from settings import COUNTED_DYNAMODB_URL, ISSUER, STACK_NAME, Settings

import functions


@contextmanager
def deployed(given: dict[str, str], *, counted: bool = False) -> Iterator[stack.Running]:
    """Deploys the stack. `given` are parameters by their names as variables.

    With `counted` the functions reach the table through the tests' proxy, once the tests run.
    """
    template = templates.read(configuration.TEMPLATE)
    names = list(templates.functions(template).values())
    environment = {name: value for name, value in os.environ.items() if name != "OWNER"} | ISSUER | given
    settings = configuration.from_environment(templates.parameter_names(template), environment, quick=True)
    stack.check_ports(settings)
    functions.build(names)
    settings = replace(settings, native=frozenset(names))
    for leftover in (ministack.scratch(settings), settings.logs):
        shutil.rmtree(leftover, ignore_errors=True)
    base = stack.client_environment(settings) | {"AWS_ENDPOINT_URL_DYNAMODB": settings.aws_url}
    own = base | ({"AWS_ENDPOINT_URL_DYNAMODB": COUNTED_DYNAMODB_URL} if counted else {})
    with ended(Processes(settings.logs)) as processes:
        ministack.start(settings, processes, {**environment, **own, "AUTH": "true"}, [])
        made = ministack.deploy(settings, template, functions.native_binaries(settings), own)
        # The policy refuses plain HTTP, and the local stack has no TLS.
        ministack.client(settings, "s3").delete_bucket_policy(Bucket=made.bucket_name)
        env = {
            "HTTP_URL": http_url(settings),
            **base,
            "TABLE_NAME": made.environment["TABLE_NAME"],
            "COUNTED_DYNAMODB_URL": COUNTED_DYNAMODB_URL,
            "JWT_ISSUER": ISSUER["JWT_ISSUER"],
            **stack.addresses(made),
        }
        with stack.told(settings, env):
            yield stack.Running(settings, processes, env)


def http_url(settings: Settings) -> str:
    """The HTTP API's address in MiniStack."""
    apis = ministack.client(settings, "apigatewayv2").get_apis()["Items"]
    (only,) = [api["ApiId"] for api in apis if api["Name"] == f"{STACK_NAME}-http"]
    return f"{settings.aws_url}/_aws/execute-api/{only}/$default"
