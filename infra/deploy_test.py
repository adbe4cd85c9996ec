"""Unit tests of `make deploy`; local/side_by_side.py tests a deployment. Needs infra/local in
PYTHONPATH.
"""

import json
import re
import unittest
from collections.abc import Iterator
from typing import Any
from unittest import mock

import deploy
import template as templates
from processes import Failed
from settings import ROOT, TEMPLATE, variable_of

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

    def test_documents_are_read_by_one_worker_and_no_run_waits_behind_a_purge(self) -> None:
        resources = self.template["Resources"]
        textract = [
            name for name, of in resources.items() if "textract:" in str(of.get("Properties", {}).get("Policies"))
        ]
        self.assertEqual(textract, ["DocumentExecutor"])
        mappings = {
            name: (of["Properties"]["FunctionName"]["Ref"], of["Properties"]["EventSourceArn"]["Fn::GetAtt"][0])
            for name, of in resources.items()
            if of["Type"] == "AWS::Lambda::EventSourceMapping"
        }
        self.assertEqual(
            mappings,
            {
                "ExecutorWork": ("Executor", "Queue"),
                "DocumentExecutorWork": ("DocumentExecutor", "DocumentQueue"),
                "DocumentExecutorPurges": ("DocumentExecutor", "PurgeQueue"),
                "DeadLettersLetters": ("DeadLetters", "DeadLetterQueue"),
                "DeadLettersDocumentLetters": ("DeadLetters", "DocumentDeadLetterQueue"),
            },
        )
        for queue in ("Queue", "DocumentQueue", "PurgeQueue"):
            letters = resources[queue]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
            self.assertEqual(letters, "DeadLetterQueue" if queue == "Queue" else "DocumentDeadLetterQueue")

    def test_who_sends_messages_knows_the_queues_that_it_may_send_to(self) -> None:
        urls = {"Queue": "QUEUE_URL", "DocumentQueue": "DOCUMENT_QUEUE_URL", "PurgeQueue": "PURGE_QUEUE_URL"}
        senders = 0
        for logical_id in templates.functions(self.template):
            properties = self.template["Resources"][logical_id]["Properties"]
            variables = properties.get("Environment", {}).get("Variables", {})
            known = {queue for queue, url in urls.items() if variables.get(url) == {"Ref": queue}}
            may: set[str] = set()
            for policy in properties.get("Policies", []):
                for statement in policy["Statement"]:
                    if statement["Action"] == ["sqs:SendMessage"]:
                        may |= {arn["Fn::GetAtt"][0] for arn in statement["Resource"]}
            self.assertEqual(may, known, logical_id)
            senders += bool(may)
            self.assertIn(len(may), (0, 2, 3), logical_id)
        self.assertEqual(senders, 8)

    def test_of_models_the_workers_may_do_what_a_parameter_names_and_nothing_else(self) -> None:
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
            self.assertEqual(policy["Properties"]["Roles"], [{"Ref": "ExecutorRole"}, {"Ref": "DocumentExecutorRole"}])
            self.assertIn(parameter, self.text)


class TheThrottles(unittest.TestCase):
    """A write that an index refuses is counted at the index alone."""

    def setUp(self) -> None:
        self.template = templates.read(TEMPLATE)
        table = self.template["Resources"]["Table"]["Properties"]
        self.places = {None, *(index["IndexName"] for index in table["GlobalSecondaryIndexes"])}

    def test_the_alarms_sum_up_the_table_and_every_index(self) -> None:
        for kind in ("Read", "Write"):
            metrics = self.template["Resources"][f"Table{kind}ThrottlesAlarm"]["Properties"]["Metrics"]
            (total,) = [metric for metric in metrics if metric.get("ReturnData", True)]
            single = [metric for metric in metrics if metric is not total]
            summed = ", ".join(f"FILL({metric['Id']}, 0)" for metric in single)
            self.assertEqual(total["Expression"], f"SUM([{summed}])")
            self.assertEqual(
                {metric["MetricStat"]["Metric"]["MetricName"] for metric in single}, {f"{kind}ThrottleEvents"}
            )
            dimensions = [metric["MetricStat"]["Metric"]["Dimensions"] for metric in single]
            found = [{dimension["Name"]: dimension["Value"] for dimension in each} for each in dimensions]
            self.assertTrue(all(each["TableName"] == {"Ref": "Table"} for each in found))
            self.assertEqual({each.get("GlobalSecondaryIndexName") for each in found}, self.places)

    def test_the_dashboard_shows_each(self) -> None:
        body = json.loads(self.template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
        shown = [metric for widget in body["widgets"] for metric in widget["properties"]["metrics"]]
        for kind in ("Read", "Write"):
            for place in self.places:
                dimensions = ["GlobalSecondaryIndexName", place] if place else []
                self.assertIn(["AWS/DynamoDB", f"{kind}ThrottleEvents", "TableName", "${Table}", *dimensions], shown)


class TheCommandsOfThePage(unittest.TestCase):
    """What the operations page tells to type exists."""

    def setUp(self) -> None:
        self.template = templates.read(TEMPLATE)
        self.text = (ROOT / "infra" / "OPERATIONS.md").read_text()

    def test_make_knows_its_targets(self) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        called = set(re.findall(r"(?:`|\" |=\S* |^)make\s+([a-z-]+)", self.text, re.MULTILINE))
        self.assertLessEqual({"deploy", "destroy", "restore", "deploy-local"}, called)
        self.assertEqual(called - targets, set())

    def test_the_variables_before_make_are_parameters_or_read_by_the_scripts(self) -> None:
        parameters = {variable_of(name) for name in self.template["Parameters"]}
        scripts = "".join(path.read_text() for path in (ROOT / "infra").glob("*.py"))
        for commands in re.findall(r"((?:[A-Z_]+=\S* +)+)make ", self.text):
            for variable in re.findall(r"([A-Z_]+)=", commands):
                self.assertTrue(variable in parameters or f'"{variable}"' in scripts, variable)

    def test_the_first_deployment_calls_routes_and_outputs_that_exist(self) -> None:
        section = self.text.partition("\n## The first real deployment\n")[2].partition("\n## ")[0]
        outputs = set(re.findall(r"\bout ([A-Z]\w+)", section))
        self.assertGreater(len(outputs), 3)
        self.assertLessEqual(outputs, self.template["Outputs"].keys())
        routes = [
            re.sub(r"\{\w+\}", "[^/]+", resource["Properties"]["RouteKey"].partition(" ")[2])
            for resource in self.template["Resources"].values()
            if resource["Type"] == "AWS::ApiGatewayV2::Route"
        ]
        ends = re.findall(r"(?<=[ (])(/[a-z]+)\b", section.partition('for path in ""')[2].partition(";")[0])
        called = re.findall(r"(?<![\w.])/api/[\w/$-]*", section) + [f"/api/sessions/$S{end}" for end in ends]
        self.assertGreater(len(called), 10)
        for path in called:
            # `$S$path` are those of `ends`.
            path_alone = path.partition("$path")[0]
            self.assertTrue(any(re.fullmatch(route, path_alone) for route in routes), path)


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


if __name__ == "__main__":
    unittest.main()
