"""Unit tests of `make deploy`; local/side_by_side.py tests a deployment. Needs infra/local in
PYTHONPATH.
"""

import contextlib
import io
import re
import unittest
from collections.abc import Iterator
from typing import Any
from unittest import mock

import deploy
import template as templates
from processes import Failed
from settings import ROOT, TEMPLATE

NEEDED = {"JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "clients"}


class TheParameters(unittest.TestCase):
    def setUp(self) -> None:
        self.template = templates.read(TEMPLATE)

    def test_a_new_stack_needs_whatever_has_no_default_and_is_told_all_of_it(self) -> None:
        with self.assertRaises(Failed) as raised:
            deploy.chosen(self.template, {}, {})
        for variable in NEEDED:
            self.assertIn(variable, str(raised.exception))

    def test_the_environment_wins_over_the_default(self) -> None:
        parameters = deploy.chosen(self.template, NEEDED | {"MODEL_TIMEOUT_SECONDS": "60"}, {})
        self.assertEqual(parameters["ModelTimeoutSeconds"], "60")
        self.assertEqual(parameters["MaxReceiveCount"], str(self.template["Parameters"]["MaxReceiveCount"]["Default"]))

    def test_an_update_leaves_what_nobody_names(self) -> None:
        parameters = deploy.chosen(self.template, {}, {"JwtIssuer": "i", "JwtAudience": "a", "AlarmEmail": "e"})
        self.assertIsNone(parameters["AlarmEmail"])
        self.assertIsNone(parameters["JwtIssuer"])

    def test_a_parameter_that_is_new_to_the_stack_has_its_default(self) -> None:
        parameters = deploy.chosen(self.template, NEEDED, {"JwtIssuer": "i"})
        self.assertEqual(parameters["RustLog"], "info")

    def test_an_empty_variable_goes_back_to_the_default(self) -> None:
        parameters = deploy.chosen(self.template, NEEDED | {"ALARM_EMAIL": ""}, {"AlarmEmail": "e"})
        self.assertEqual(parameters["AlarmEmail"], "")

    def test_a_secret_is_not_shown(self) -> None:
        environment = NEEDED | {"OPENAI_API_KEY": "canary", "MODEL_ID": "m"}
        lines = "\n".join(deploy.shown(self.template, deploy.chosen(self.template, environment, {})))
        self.assertIn("OPENAI_API_KEY=…", lines)
        self.assertIn("MODEL_ID=m", lines)
        self.assertNotIn("canary", lines)


def change(action: str, kind: str, replacement: str | None = None) -> dict[str, Any]:
    made = {"Action": action, "LogicalResourceId": "It", "ResourceType": kind}
    return made | ({"Replacement": replacement} if replacement else {})


class WhatLasts(unittest.TestCase):
    def test_a_removed_or_replaced_table_bucket_or_queue_is_a_danger(self) -> None:
        for kind in deploy.LASTING:
            for dangerous in (change("Remove", kind), change("Modify", kind, "True")):
                self.assertEqual(deploy.endangered([dangerous]), ["It"])

    def test_whatever_else_changes_is_not(self) -> None:
        harmless = [change("Modify", "AWS::DynamoDB::Table", "False"), change("Add", "AWS::SQS::Queue")]
        harmless.append(change("Remove", "AWS::Lambda::Function"))
        self.assertEqual(deploy.endangered(harmless), [])

    def test_a_change_that_loses_data_is_not_executed_unless_it_is_allowed(self) -> None:
        for allowed in (False, True):
            target, cloudformation = a_target()
            page = {"Changes": [{"ResourceChange": change("Remove", "AWS::DynamoDB::Table")}]}
            cloudformation.get_paginator.return_value.paginate.return_value = [page]
            with contextlib.nullcontext() if allowed else self.assertRaises(Failed), quiet():
                deploy.execute(target, "change", allowed=allowed)
            self.assertEqual(cloudformation.execute_change_set.called, allowed)
            self.assertEqual(cloudformation.delete_change_set.called, not allowed)


class Destroying(unittest.TestCase):
    def test_without_the_stacks_name_nothing_is_deleted_and_what_would_stay_is_told(self) -> None:
        for confirmed in ("", "yes", "another"):
            target, cloudformation = a_target()
            with self.assertRaises(Failed) as raised:
                deploy.destroy(target, confirmed)
            self.assertIn("CONFIRM=tried", str(raised.exception))
            self.assertIn("table-of-tried", str(raised.exception))
            cloudformation.update_termination_protection.assert_not_called()
            cloudformation.delete_stack.assert_not_called()

    def test_with_it_the_stack_goes(self) -> None:
        target, cloudformation = a_target()
        with quiet():
            deploy.destroy(target, "tried")
        cloudformation.delete_stack.assert_called_once_with(StackName="tried")

    def test_a_stack_that_is_not_there_is_named(self) -> None:
        target, cloudformation = a_target()
        cloudformation.describe_stacks.return_value = {"Stacks": [{"StackStatus": "REVIEW_IN_PROGRESS"}]}
        with self.assertRaises(Failed) as raised:
            deploy.destroy(target, "tried")
        self.assertIn("no stack tried", str(raised.exception))


class TheOperationsPage(unittest.TestCase):
    def setUp(self) -> None:
        self.template = templates.read(TEMPLATE)
        self.text = (ROOT / "infra" / "OPERATIONS.md").read_text()

    def rows(self, heading: str) -> list[str]:
        """The rows of the table under a heading."""
        section = self.text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        return [line for line in section.splitlines() if line.startswith("|")][2:]

    def test_it_says_what_to_do_about_every_alarm(self) -> None:
        resources = self.template["Resources"].items()
        alarms = [name for name, resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm"]
        self.assertEqual([row.split("`")[1] for row in self.rows("Alarms")], alarms)

    def test_its_permissions_are_the_templates(self) -> None:
        self.assertEqual(self.rows("Permissions"), list(permissions(self.template)))

    def test_it_names_what_is_allowed_on_everything(self) -> None:
        for logical_id, name in templates.functions(self.template).items():
            for policy in self.template["Resources"][logical_id]["Properties"].get("Policies", []):
                for statement in policy["Statement"]:
                    if statement["Resource"] == EVERYTHING:
                        actions = ", ".join(statement["Action"])
                        self.assertIn(f"`{name}` also has `{actions}`", self.text)

    def test_of_models_the_executor_may_do_what_a_parameter_names_and_nothing_else(self) -> None:
        named = {
            "OpenaiApiKeySecret": "secretsmanager:GetSecretValue",
            "AnthropicApiKeySecret": "secretsmanager:GetSecretValue",
            "BedrockModels": "bedrock:InvokeModel",
        }
        resources = self.template["Resources"].values()
        policies = [resource for resource in resources if resource["Type"] == "AWS::IAM::Policy"]
        self.assertEqual({policy["Condition"] for policy in policies}, {f"With{name}" for name in named})
        for policy in policies:
            (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
            parameter = statement["Resource"]["Ref"]
            self.assertEqual(policy["Condition"], f"With{parameter}")
            self.assertEqual(statement["Action"], [named[parameter]])
            self.assertEqual(policy["Properties"]["Roles"], [{"Ref": "ExecutorRole"}])
            self.assertIn(parameter, self.text)


# The parts of resource names, in the order of the page's columns.
THINGS = ("Table", "/index/", "Queue", "Bucket", "@connections")

# The resource of actions that support no specific resource.
EVERYTHING = "*"


def permissions(template: templates.Template) -> Iterator[str]:
    """A row per function: its name, and its permitted actions on each kind of resource."""
    for logical_id, name in templates.functions(template).items():
        cells: dict[str, list[str]] = {thing: [] for thing in THINGS}
        for policy in template["Resources"][logical_id]["Properties"].get("Policies", []):
            for statement in policy["Statement"]:
                resource = str(statement["Resource"])
                if resource == EVERYTHING:
                    continue
                # The name of an index contains that of its table.
                cells[next(thing for thing in reversed(THINGS) if thing in resource)] += said(statement)
        yield f"| `{name}` | {' | '.join(', '.join(cell) or '–' for cell in cells.values())} |"


def said(statement: dict[str, Any]) -> Iterator[str]:
    """The actions without their service prefix, and the resources that limit them."""
    keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", [])
    alone = [f"`{only}`" for only in [*keys, *re.findall(r"/index/([a-z-]+)", str(statement["Resource"]))]]
    alone += ["uploads"] if "/uploads/" in str(statement["Resource"]) else []
    yield ", ".join(action.partition(":")[2] for action in statement["Action"]) + "".join(
        [" of " + ", ".join(alone)] if alone else []
    )


class ThePackages(unittest.TestCase):
    def test_what_is_there_is_not_uploaded_again(self) -> None:
        s3 = mock.MagicMock()
        deploy.put_once(s3, "bucket", "key", b"")
        s3.put_object.assert_not_called()


def a_target() -> tuple[deploy.Target, Any]:
    """An existing stack and its CloudFormation client."""
    session = mock.MagicMock()
    named = {"TableName": "table-of-tried", "BucketName": "bucket-of-tried"}
    outputs = [{"OutputKey": key, "OutputValue": value} for key, value in named.items()]
    stack = {"StackId": "id", "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    session.client.return_value.describe_stacks.return_value = {"Stacks": [stack]}
    return deploy.Target("tried", session), session.client.return_value


def quiet() -> contextlib.redirect_stdout[io.StringIO]:
    return contextlib.redirect_stdout(io.StringIO())


if __name__ == "__main__":
    unittest.main()
