"""Reads infra/template.yaml for the local stack: its functions, parameters and table, and a copy to
deploy.
"""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

Template = dict[str, Any]

# Properties with which a resource refuses its deletion.
PROTECTIONS = {"DeletionProtectionEnabled"}


def read(path: Path) -> Template:
    """The template with every short form (`!Ref`) as its long one (`{"Ref": …}`)."""
    template: Template = yaml_parse(path.read_text())
    return template


def parameter_names(template: Template) -> list[str]:
    return list(template["Parameters"])


def functions(template: Template) -> dict[str, str]:
    """Logical id → name of the function's folder, package and binary, from the end of its CodeUri."""
    return {
        logical_id: Path(resource["Properties"]["CodeUri"]).name
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def packaged(template: Template, bucket: str, key_of: Callable[[str], str], values: Mapping[str, str]) -> Template:
    """A copy whose functions take their code from a bucket, as `sam package` does.

    Its mappings have numbers for their parameters, whose `values` are given: a parameter reaches
    MiniStack as text, and it refuses a mapping without a number.
    """
    copied = copy.deepcopy(template)
    for logical_id, name in functions(template).items():
        copied["Resources"][logical_id]["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key_of(name)}
    for logical_id, maximum in maximum_concurrency(template, values).items():
        copied["Resources"][logical_id]["Properties"]["ScalingConfig"]["MaximumConcurrency"] = maximum
    return copied


def for_ministack(template: Template) -> Template:
    """A copy without the alarms over several metrics, which MiniStack's CloudFormation refuses."""
    copied = copy.deepcopy(template)
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]:
            del copied["Resources"][logical_id]
    return copied


def maximum_concurrency(template: Template, values: Mapping[str, str]) -> dict[str, int]:
    """Logical id → how many invocations at the same time each mapping of a queue may cause. A
    parameter without a value has its default.
    """

    def number(written: Any) -> int:
        if not isinstance(written, dict):
            return int(written)
        parameter = written["Ref"]
        return int(values.get(parameter) or template["Parameters"][parameter]["Default"])

    return {logical_id: number(written) for logical_id, written in mapping_limits(template).items()}


def concurrency_parameters(template: Template) -> list[str]:
    """The parameters that limit mappings."""
    return [maximum["Ref"] for maximum in mapping_limits(template).values() if isinstance(maximum, dict)]


def mapping_limits(template: Template) -> dict[str, Any]:
    """Logical id → MaximumConcurrency as it is written, of the mappings that have one."""
    return {
        logical_id: resource["Properties"]["ScalingConfig"]["MaximumConcurrency"]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping" and "ScalingConfig" in resource["Properties"]
    }


def unprotected(template: Template) -> Template:
    """A copy to create a stack with: what a failed creation deletes has no protection from it."""
    copied = copy.deepcopy(template)
    for resource in copied["Resources"].values():
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
            for name in PROTECTIONS & resource["Properties"].keys():
                resource["Properties"][name] = False
    return copied


def table_definition(template: Template, name: str) -> dict[str, Any]:
    """The arguments of CreateTable for the template's table, without those that DynamoDB Local does
    not support.
    """
    properties = the_table(template)
    wanted = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
    return {"TableName": name} | {key: properties[key] for key in wanted}


def ttl_specification(template: Template) -> dict[str, Any]:
    """The argument of UpdateTimeToLive."""
    specification: dict[str, Any] = the_table(template)["TimeToLiveSpecification"]
    return specification


def the_table(template: Template) -> dict[str, Any]:
    tables: list[dict[str, Any]] = [
        r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::DynamoDB::Table"
    ]
    (only,) = tables
    return only
