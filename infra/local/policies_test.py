"""Tests of policies.py: each kind of void permission is found."""

import unittest
from typing import Any

import policies
import template as templates
from settings import TEMPLATE

TEMPLATES, SERVICES = templates.read(TEMPLATE), policies.reference()
TABLE, INDEX = {"Fn::GetAtt": ["Table", "Arn"]}, {"Fn::Sub": "${Table.Arn}/index/by-due"}
BUCKET, OBJECTS = {"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*/*/uploads/*"}


class Permissions(unittest.TestCase):
    def faults(self, action: list[str], resource: Any, key: str = "") -> list[str]:
        statement = {"Action": action, "Resource": resource}
        if key:
            statement["Condition"] = {"ForAllValues:StringLike": {key: ["SESSION#*"]}}
        return list(policies.faults_of(statement, TEMPLATES, SERVICES))

    def test_what_has_an_effect_is_no_fault(self) -> None:
        self.assertEqual(self.faults(["dynamodb:Query"], [TABLE, INDEX], "dynamodb:LeadingKeys"), [])
        self.assertEqual(self.faults(["s3:GetObject"], OBJECTS, "aws:SourceVpc"), [])
        self.assertEqual(self.faults(["textract:DetectDocumentText"], "*"), [])
        self.assertEqual(self.faults(["bedrock:InvokeModel"], {"Ref": "BedrockModels"}), [])

    def test_an_action_that_does_not_exist_is_found(self) -> None:
        self.assertIn("dynamodb:TransactWriteItems is no action", self.faults(["dynamodb:TransactWriteItems"], TABLE))

    def test_an_action_on_another_kind_of_resource_is_found(self) -> None:
        for action, resource in (
            ("s3:ListBucket", OBJECTS),
            ("s3:GetObject", BUCKET),
            ("dynamodb:PutItem", INDEX),
            ("sqs:SendMessage", TABLE),
            ("textract:DetectDocumentText", BUCKET),
        ):
            self.assertIn(f"{action} acts on", self.faults([action], resource)[0])

    def test_a_resource_on_which_nothing_acts_is_found(self) -> None:
        (fault,) = self.faults(["s3:ListBucket"], [BUCKET, OBJECTS])
        self.assertIn("no action of s3:ListBucket acts on", fault)

    def test_a_condition_that_an_action_does_not_know_is_found(self) -> None:
        for action in ("dynamodb:ListTables", "s3:PutObject"):
            faults = self.faults([action], BUCKET, "dynamodb:LeadingKeys")
            self.assertIn(f"{action} knows no dynamodb:LeadingKeys", faults)

    def test_the_template_has_all_its_statements_checked(self) -> None:
        places = {place for place, _ in policies.statements(TEMPLATES)}
        with_policies = {
            name
            for name, resource in TEMPLATES["Resources"].items()
            if "PolicyDocument" in str(resource) or "Policies" in resource["Properties"]
        }
        # A bucket's policy allows nothing.
        self.assertEqual(places, with_policies - {"BucketPolicy"})


if __name__ == "__main__":
    unittest.main()
