"""Lints what CloudFormation makes of the template: with SAM's transform expanded, with every condition
on and with every one off, for regions of all partitions.

cfn-lint alone reads the functions in SAM's form and leaves the conditions open. Here nothing is left
to decide, so roles, permissions and rules are checked as they are deployed, and a reference to what
a condition leaves out is found.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import template as templates
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from settings import TEMPLATE

REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1"]
# W2001: a condition that is decided leaves its parameter without use.
CONFIGURATION = ManualArgs(ignore_checks=["W2001"])
NOTHING = {"Ref": "AWS::NoValue"}
# Values with which the conditions are true.
VALUES = {
    "AlarmEmail": "you@example.com",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:111122223333:alarms",
    "AnthropicApiKeySecret": "arn:aws:secretsmanager:us-east-1:111122223333:secret:a-AbCdEf",
    "BedrockModels": "arn:aws:bedrock:us-east-1::foundation-model/m",
    "BrowserOrigins": "https://app.example",
    "OpenaiApiKeySecret": "arn:aws:secretsmanager:us-east-1:111122223333:secret:o-AbCdEf",
    "TesseractLayerArn": "arn:aws:lambda:us-east-1:111122223333:layer:tesseract:1",
}


def main() -> int:
    """Returns 1 when a lint finds something; prints each."""
    found = list(faults(templates.read(TEMPLATE)))
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


def faults(template: templates.Template) -> Iterator[str]:
    whole = expanded(template)
    for on in (True, False):
        for match in lint(json.dumps(decided(whole, on)), None, REGIONS, CONFIGURATION):
            place = "/".join(map(str, getattr(match, "path", None) or []))
            yield f"conditions {'on' if on else 'off'}: {match.rule.id} {place}: {match.message}"


def expanded(template: templates.Template) -> templates.Template:
    """The template without the transform, as CloudFormation expands it."""
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGIONS[0]))
    result: templates.Template = translator.translate(templates.packaged(template, "bucket", str, {}), {})
    # To no one; it warns of what is not published.
    translator.metrics.publish()
    return result


def decided(template: templates.Template, on: bool) -> templates.Template:
    """A copy in which every condition is true, or false."""
    if on:
        given = {name: definition | valued(name) for name, definition in template["Parameters"].items()}
        template = template | {"Parameters": given}
    else:
        template = template | {section: kept(template[section]) for section in ("Resources", "Outputs")}
    result: templates.Template = without_conditions(template, on)
    del result["Conditions"]
    return result


def valued(parameter: str) -> dict[str, str]:
    return {"Default": VALUES[parameter]} if parameter in VALUES else {}


def kept(section: dict[str, Any]) -> dict[str, Any]:
    return {name: entry for name, entry in section.items() if "Condition" not in entry}


def without_conditions(value: Any, on: bool) -> Any:
    match value:
        case {"Fn::If": [_, yes, no]}:
            return without_conditions(yes if on else no, on)
        case dict():
            decided_values = {key: without_conditions(each, on) for key, each in value.items()}
            # A policy's Condition is a dictionary; the name of a condition is a text.
            return {
                key: each
                for key, each in decided_values.items()
                if each != NOTHING and not (key == "Condition" and isinstance(each, str))
            }
        case list():
            return [each for each in (without_conditions(each, on) for each in value) if each != NOTHING]
    return value


if __name__ == "__main__":
    sys.exit(main())
