"""What `make deploy` checks before it builds or changes anything: what CloudFormation would only find
after minutes, or what would only be seen once the first client calls.

Every problem is a sentence that says what to do, and all are told at once.
"""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import template as templates
from botocore.exceptions import BotoCoreError, ClientError
from cloudformation import Target
from processes import Failed
from settings import variable_of

# CloudFormation's pattern and limit of a stack's name, and the limits of names that contain it.
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
FUNCTION_NAME = 64
BUCKET_NAME = 63
# An account keeps this much concurrency without reservations.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
UNRESERVED = 100
# The sweeper, the function of dead letters, the authorizer and one request.
LEAST_REST = 4
QUOTA = "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384"
# The addresses of the vendors themselves, which demand a key.
VENDORS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
DISCOVERY_SECONDS = 10
DISCOVERY_BYTES = 256 * 1024


@dataclass(frozen=True)
class Plan:
    """A deployment: the value of each parameter, and those of the stack that it updates."""

    target: Target
    template: templates.Template
    values: Mapping[str, str]
    deployed: Mapping[str, str]

    def value(self, parameter: str) -> str:
        """Empty for a parameter that the template does not have."""
        return self.values.get(parameter, "")


def check(plan: Plan, skipped: str) -> None:
    """Raises `Failed` with all problems. `skipped` are names of checks, separated by commas."""
    left_out = {name for name in skipped.split(",") if name}
    if unknown := left_out - CHECKS.keys():
        raise Failed(f"SKIP_CHECKS: no check is called {', '.join(sorted(unknown))}; there are {', '.join(CHECKS)}")
    problems = [
        f"  {name}: {problem}"
        for name, find in CHECKS.items()
        if name not in left_out
        for problem in found_by(find, plan)
    ]
    if problems:
        told = ["nothing was built or changed, because the deployment would not work:", *problems]
        raise Failed("\n".join([*told, "SKIP_CHECKS=<name>,<name> make deploy leaves these checks out"]))


def found_by(find: Callable[[Plan], Iterator[str]], plan: Plan) -> list[str]:
    try:
        return list(find(plan))
    except (BotoCoreError, ClientError) as error:
        return [f"could not be checked: {error}"]


def name(plan: Plan) -> Iterator[str]:
    stack = plan.target.stack
    if not STACK_NAME.fullmatch(stack):
        yield f"STACK_NAME={stack} is not a letter and up to 127 letters, digits and hyphens"
    functions = [
        resource["Properties"]["FunctionName"]["Fn::Sub"].replace("${AWS::StackName}", stack)
        for resource in plan.template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    longest = max(functions, key=len)
    bucket = plan.target.artifact_bucket("0" * 12)
    for what, made, limit in (("function", longest, FUNCTION_NAME), ("bucket", bucket, BUCKET_NAME)):
        if len(made) > limit:
            fits = len(stack) - (len(made) - limit)
            told = f"would name a {what} with {len(made)} characters ({made}), of {limit}"
            yield f"STACK_NAME={stack} {told}; at most {fits} fit"


def issuer(plan: Plan) -> Iterator[str]:
    given = plan.value("JwtIssuer")
    if not given.startswith("https://"):
        yield f"JWT_ISSUER={given} is no https URL, which API Gateway demands"
        return
    if problem := discovery_problem(given):
        yield problem


def discovery_problem(given: str) -> str | None:
    """What API Gateway and the authorizer of the WebSocket API would not accept, or None."""
    url = f"{given.rstrip('/')}/.well-known/openid-configuration"
    try:
        # The scheme was checked, or is a test's.
        with urllib.request.urlopen(url, timeout=DISCOVERY_SECONDS) as answer:
            document = json.loads(answer.read(DISCOVERY_BYTES))
    except (urllib.error.URLError, OSError, ValueError) as error:
        return f"JWT_ISSUER={given} has no discovery document: {url}: {error}"
    if not isinstance(document, dict) or not document.get("jwks_uri"):
        return f"JWT_ISSUER={given}: {url} names no jwks_uri"
    said = document.get("issuer")
    if said != given:
        return f"JWT_ISSUER={given}, but {url} says {said!r}; the tokens' iss is that, so set JWT_ISSUER={said}"
    return None


def concurrency(plan: Plan) -> Iterator[str]:
    limits = plan.target.client("lambda").get_account_settings()["AccountLimit"]
    total, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    workers = templates.maximum_concurrency(plan.template, plan.values)
    frames = int(plan.value("FrameConcurrency") or 0)
    rest = max(LEAST_REST, total // 10)
    variables = [variable_of(parameter) for parameter in templates.concurrency_parameters(plan.template)]
    smaller = " ".join([*(f"{variable}=2" for variable in variables), "FRAME_CONCURRENCY=0"])
    do = f"raise the account's quota ({QUOTA} --desired-value 1000), or {smaller} make deploy"
    taken = sum(workers.values()) + frames
    if total < taken + rest:
        said = f"workers may take {sum(workers.values())}, frames {frames}, and {rest} are for the rest"
        yield f"the account runs {total} functions at the same time; {said}: {do}"
    # What the stack itself has reserved is free for it again.
    left = unreserved + int(plan.deployed.get("FrameConcurrency") or 0) - frames
    if frames and left < UNRESERVED:
        yield f"FRAME_CONCURRENCY={frames} would leave {left} unreserved, and Lambda demands {UNRESERVED}: {do}"


def models(plan: Plan) -> Iterator[str]:
    known = plan.template["Parameters"]["ModelProvider"]["AllowedValues"]
    default = plan.value("ModelProvider")
    further = [each.strip() for each in plan.value("ModelProviders").split(",") if each.strip()]
    if wrong := [provider for provider in further if provider not in known]:
        yield f"MODEL_PROVIDERS={','.join(wrong)}: there are {', '.join(known)}"
    if default != "offline" and not plan.value("ModelId"):
        yield f"MODEL_PROVIDER={default} needs MODEL_ID, the model of calls that name none"
    for provider in dict.fromkeys([default, *further]):
        yield from lacking(plan, provider)


def lacking(plan: Plan, provider: str) -> Iterator[str]:
    """What a provider needs and does not have."""
    match provider:
        case "openai" | "anthropic":
            prefix = provider.capitalize()
            key = plan.value(f"{prefix}ApiKeySecret") or plan.value(f"{prefix}ApiKey")
            base_url = plan.value(f"{prefix}BaseUrl") or VENDORS[provider]
            if base_url.rstrip("/") == VENDORS[provider] and not key:
                yield f"{provider} needs {provider.upper()}_API_KEY_SECRET, the ARN of a secret with its key"
        case "bedrock":
            if not plan.value("BedrockModels"):
                yield "bedrock needs BEDROCK_MODELS, the ARNs of the models that it may call"
        case "ollama":
            if not plan.value("OllamaBaseUrl"):
                yield "ollama needs OLLAMA_BASE_URL: by default it is the function's own machine"


def ocr(plan: Plan) -> Iterator[str]:
    engine, aws = plan.value("OcrEngine"), plan.target.aws
    others = "OCR_ENGINE=model reads by a model with vision"
    if engine == "textract":
        partition = aws.get_partition_for_region(aws.region_name)
        if aws.region_name not in aws.get_available_regions("textract", partition_name=partition):
            yield f"Textract does not exist in {aws.region_name}: another region, or {others}"
    if engine == "tesseract" and not plan.value("TesseractLayerArn"):
        yield f"OCR_ENGINE=tesseract needs TESSERACT_LAYER_ARN, a layer with the program; {others}"
    if engine == "model" and plan.value("ModelProvider") == "offline" and not plan.value("ModelProviders"):
        yield "OCR_ENGINE=model needs a model with vision: MODEL_PROVIDER=offline has none"


def logs(plan: Plan) -> Iterator[str]:
    if plan.value("WebSocketAccessLogs") == "true" and not can_log_websockets(plan.target):
        yield (
            "WEB_SOCKET_ACCESS_LOGS=true needs a role in the account's API Gateway settings "
            "(CloudWatch log role ARN): set one, or WEB_SOCKET_ACCESS_LOGS=false make deploy"
        )


def can_log_websockets(target: Target) -> bool:
    """Whether the account has given API Gateway a role to write logs with."""
    try:
        return bool(target.client("apigateway").get_account().get("cloudwatchRoleArn"))
    except ClientError:
        return False


CHECKS: Mapping[str, Callable[[Plan], Iterator[str]]] = {
    "name": name,
    "issuer": issuer,
    "concurrency": concurrency,
    "models": models,
    "ocr": ocr,
    "logs": logs,
}
