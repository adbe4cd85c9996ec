"""Unit tests of the stack's states, each with CloudFormation's answers in their order. MiniStack
deletes protected tables and never fails half-way, so it cannot show these. Needs infra/local in
PYTHONPATH.
"""

import contextlib
import unittest
from typing import Any
from unittest import mock

import cloudformation
import deploy
import template as templates
from botocore.exceptions import ClientError
from processes import Failed
from settings import TEMPLATE
from stubs import STACK, Stacks, quiet

NEEDED = {"JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "clients", "WEB_SOCKET_ACCESS_LOGS": "false"}
UNCHECKED = {"SKIP_CHECKS": "issuer,concurrency"}
TABLE, BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
AT_ONCE = mock.patch.dict(cloudformation.PATIENCE, {"Delay": 0})
UNPROTECTED, AS_IT_IS = "https://bucket.example/unprotected", "https://bucket.example/as-it-is"


def change(action: str, kind: str, replacement: str | None = None) -> dict[str, Any]:
    made = {"Action": action, "LogicalResourceId": "It", "ResourceType": kind}
    return made | ({"Replacement": replacement} if replacement else {})


def url_of(_target: object, _bucket: object, template: templates.Template) -> str:
    table = template["Resources"]["Table"]["Properties"]["DeletionProtectionEnabled"]
    return UNPROTECTED if table is False else AS_IT_IS


@AT_ONCE
class Deploying(unittest.TestCase):
    def deploy(self, script: Stacks, environment: dict[str, str] | None = None) -> None:
        template = templates.read(TEMPLATE)
        keys = dict.fromkeys(templates.functions(template).values(), "key")
        with (
            mock.patch.object(deploy, "artifact_bucket", return_value="bucket"),
            mock.patch.object(deploy, "upload", return_value=keys),
            mock.patch.object(deploy, "upload_template", url_of),
            mock.patch("sys.stdin", mock.Mock(isatty=lambda: False)),
            quiet(),
        ):
            deploy.deploy(script.target, NEEDED | UNCHECKED | (environment or {}), template, {})

    def then_creates(self, script: Stacks) -> None:
        """The two change sets of a creation, to the end."""
        script.makes("CREATE", [change("Add", TABLE)], TemplateURL=UNPROTECTED)
        script.executes("CREATE_IN_PROGRESS", "CREATE_COMPLETE")
        self.then_updates(script)

    def then_updates(self, script: Stacks) -> None:
        script.protects(True)
        script.makes("UPDATE", [change("Modify", TABLE, "False")], TemplateURL=AS_IT_IS)
        script.executes("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")
        script.stands("UPDATE_COMPLETE")

    def test_a_stack_is_created_without_protection_and_then_protected(self) -> None:
        with Stacks() as script:
            script.is_unknown()
            self.then_creates(script)
            self.deploy(script)

    def test_a_change_set_that_was_never_executed_is_no_stack(self) -> None:
        with Stacks() as script:
            script.stands("REVIEW_IN_PROGRESS")
            self.then_creates(script)
            self.deploy(script)

    def test_after_an_interrupted_creation_the_next_deploy_waits_and_protects(self) -> None:
        with Stacks() as script:
            for status in ("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"):
                script.stands(status)
            self.then_updates(script)
            self.deploy(script)

    def test_after_an_interrupted_deletion_the_next_deploy_waits_and_creates(self) -> None:
        with Stacks() as script:
            script.stands("DELETE_IN_PROGRESS")
            script.is_unknown()
            self.then_creates(script)
            self.deploy(script)

    def test_an_unchanged_stack_is_protected_all_the_same(self) -> None:
        with Stacks() as script:
            script.stands("UPDATE_ROLLBACK_COMPLETE")
            script.protects(True)
            arn = "arn:aws:cloudformation:eu-central-1:111122223333:changeSet/u/1"
            script.answers("cloudformation", "create_change_set", {"Id": arn})
            reason = "The submitted information didn't contain changes."
            for _ in range(2):
                failed = {"Status": "FAILED", "StatusReason": reason}
                script.answers("cloudformation", "describe_change_set", failed, ChangeSetName=arn)
            script.answers("cloudformation", "delete_change_set", {}, ChangeSetName=arn)
            script.stands("UPDATE_ROLLBACK_COMPLETE")
            self.deploy(script)

    def test_of_a_creation_that_fails_nothing_is_left_and_the_cause_is_told(self) -> None:
        with Stacks() as script:
            script.is_unknown()
            script.makes("CREATE", [change("Add", TABLE)], TemplateURL=UNPROTECTED)
            script.executes("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE")
            script.happened(
                (STACK, "ROLLBACK_COMPLETE", ""),
                ("Table", "DELETE_COMPLETE", ""),
                ("Executor", "CREATE_FAILED", "Resource creation cancelled"),
                ("WsMessage", "CREATE_FAILED", "concurrency below its minimum of 100"),
                (STACK, "CREATE_IN_PROGRESS", "User Initiated"),
                ("Health", "CREATE_FAILED", "of an earlier attempt"),
            )
            script.stands("ROLLBACK_COMPLETE")
            script.deletes("DELETE_IN_PROGRESS", "DELETE_COMPLETE")
            with self.assertRaises(Failed) as raised:
                self.deploy(script)
        self.assertIn("  WsMessage: concurrency below its minimum of 100", str(raised.exception))
        self.assertNotIn("Executor", str(raised.exception))
        self.assertNotIn("an earlier attempt", str(raised.exception))

    def test_a_stack_that_was_deleted_while_it_was_created_is_told_by_its_id(self) -> None:
        with Stacks() as script:
            script.is_unknown()
            script.makes("CREATE", [change("Add", TABLE)], TemplateURL=UNPROTECTED)
            script.executes("CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE")
            script.happened(("Queue", "CREATE_FAILED", "denied"), (STACK, "CREATE_IN_PROGRESS", ""))
            script.stands("DELETE_COMPLETE")
            with self.assertRaises(Failed) as raised:
                self.deploy(script)
        self.assertIn("  Queue: denied", str(raised.exception))

    def test_the_rest_of_a_failed_creation_is_named_and_kept_without_confirmation(self) -> None:
        for status in cloudformation.DELETABLE:
            with self.subTest(status), Stacks() as script:
                script.stands(status)
                script.holds((TABLE, "table-1", "DELETE_FAILED"), (BUCKET, "bucket-1", "DELETE_COMPLETE"))
                with self.assertRaises(Failed) as raised:
                    self.deploy(script, {"DELETE_FAILED_STACK": "another"})
            for told in (status, "table table-1", f"DELETE_FAILED_STACK={STACK} make deploy"):
                self.assertIn(told, str(raised.exception))
            self.assertNotIn("bucket-1", str(raised.exception))

    def test_with_confirmation_it_is_deleted_and_a_new_stack_created(self) -> None:
        for status in cloudformation.DELETABLE:
            with self.subTest(status), Stacks() as script:
                script.stands(status)
                script.holds()
                script.deletes("DELETE_IN_PROGRESS", "DELETE_COMPLETE")
                self.then_creates(script)
                self.deploy(script, {"DELETE_FAILED_STACK": STACK})

    def test_a_missing_parameter_is_told_before_anything_is_deleted(self) -> None:
        with Stacks() as script:
            script.stands("ROLLBACK_COMPLETE")
            with self.assertRaises(Failed) as raised:
                self.deploy(script, {"JWT_AUDIENCE": "", "DELETE_FAILED_STACK": STACK})
        self.assertIn("JWT_AUDIENCE", str(raised.exception))

    def test_a_failed_update_goes_back_before_the_next_one(self) -> None:
        calls = {"UPDATE_ROLLBACK_FAILED": "continue_update_rollback", "UPDATE_FAILED": "rollback_stack"}
        for status, call in calls.items():
            with self.subTest(status), Stacks() as script:
                script.stands(status)
                script.answers("cloudformation", call, {})
                script.stands("UPDATE_ROLLBACK_IN_PROGRESS")
                script.stands("UPDATE_ROLLBACK_COMPLETE")
                self.then_updates(script)
                self.deploy(script)

    def test_expired_credentials_are_told(self) -> None:
        with Stacks() as script:
            script.stands("CREATE_COMPLETE")
            script.protects(True)
            script.makes("UPDATE", [])
            script.answers("cloudformation", "execute_change_set", {})
            for call in ("describe_stacks", "describe_stack_events"):
                script.refuses("cloudformation", call, "ExpiredToken", "the token is expired")
            with self.assertRaises(ClientError) as raised:
                self.deploy(script)
        self.assertIn("the token is expired", str(raised.exception))


@AT_ONCE
class Destroying(unittest.TestCase):
    def test_without_the_stacks_name_nothing_is_deleted_and_what_would_stay_is_told(self) -> None:
        for confirmed in ("", "yes", "another"):
            with Stacks() as script:
                script.stands("CREATE_COMPLETE", EnableTerminationProtection=True)
                script.holds((TABLE, "table-1", "CREATE_COMPLETE"), (BUCKET, "bucket-1", "CREATE_COMPLETE"))
                with self.assertRaises(Failed) as raised:
                    deploy.destroy(script.target, confirmed)
            for told in (f"CONFIRM={STACK}", "table table-1", "bucket bucket-1"):
                self.assertIn(told, str(raised.exception))

    def test_with_it_the_stack_goes_whatever_its_state_and_without_outputs(self) -> None:
        for status in ("CREATE_COMPLETE", "REVIEW_IN_PROGRESS", *cloudformation.DELETABLE):
            with self.subTest(status), Stacks() as script, quiet():
                script.stands(status)
                script.holds()
                script.deletes("DELETE_IN_PROGRESS", "DELETE_COMPLETE")
                deploy.destroy(script.target, STACK)

    def test_the_protection_that_it_took_off_comes_back_when_the_deletion_fails(self) -> None:
        with Stacks() as script:
            script.stands("CREATE_COMPLETE", EnableTerminationProtection=True)
            script.holds()
            script.protects(False)
            script.deletes("DELETE_IN_PROGRESS", "DELETE_FAILED")
            script.happened(("Queue", "DELETE_FAILED", "denied"), (STACK, "DELETE_IN_PROGRESS", "User Initiated"))
            script.protects(True)
            with self.assertRaises(Failed) as raised:
                deploy.destroy(script.target, STACK)
        self.assertIn("  Queue: denied", str(raised.exception))

    def test_also_when_it_is_refused(self) -> None:
        with Stacks() as script:
            script.stands("CREATE_COMPLETE", EnableTerminationProtection=True)
            script.holds()
            script.protects(False)
            script.refuses("cloudformation", "delete_stack", "AccessDenied", "not you")
            script.protects(True)
            with self.assertRaises(ClientError):
                deploy.destroy(script.target, STACK)

    def test_a_protection_that_stays_off_is_told(self) -> None:
        with Stacks() as script:
            script.stands("CREATE_COMPLETE", EnableTerminationProtection=True)
            script.holds()
            script.protects(False)
            script.refuses("cloudformation", "delete_stack", "AccessDenied", "not you")
            script.refuses("cloudformation", "update_termination_protection", "AccessDenied", "nor this")
            with self.assertRaises(Failed) as raised:
                deploy.destroy(script.target, STACK)
        for told in ("not you", "termination protection stays off", "nor this"):
            self.assertIn(told, str(raised.exception))

    def test_a_stack_that_is_not_there_is_named(self) -> None:
        with Stacks() as script:
            script.is_unknown()
            with self.assertRaises(Failed) as raised:
                deploy.destroy(script.target, STACK)
        self.assertIn(f"no stack {STACK}", str(raised.exception))


class WhatLasts(unittest.TestCase):
    def test_a_removed_or_replaced_table_bucket_or_queue_is_a_danger(self) -> None:
        for kind in cloudformation.LASTING:
            for dangerous in (change("Remove", kind), change("Modify", kind, "True")):
                self.assertEqual(cloudformation.endangered([dangerous]), ["It"])

    def test_whatever_else_changes_is_not(self) -> None:
        harmless = [change("Modify", "AWS::DynamoDB::Table", "False"), change("Add", "AWS::SQS::Queue")]
        harmless.append(change("Remove", "AWS::Lambda::Function"))
        self.assertEqual(cloudformation.endangered(harmless), [])

    def test_a_change_that_loses_data_is_not_executed_unless_it_is_allowed(self) -> None:
        for allowed in (False, True):
            with Stacks() as script, quiet():
                changed = cloudformation.ChangeSet("arn:aws:cloudformation:::changeSet/c/1", "stack-id", creates=False)
                lost = {"Changes": [{"ResourceChange": change("Remove", TABLE)}]}
                script.answers("cloudformation", "describe_change_set", lost)
                if allowed:
                    script.executes("UPDATE_COMPLETE")
                else:
                    script.answers("cloudformation", "delete_change_set", {}, ChangeSetName=changed.arn)
                with contextlib.nullcontext() if allowed else self.assertRaises(Failed):
                    cloudformation.execute(script.target, changed, allowed=allowed)


class TheCreatingTemplate(unittest.TestCase):
    def test_what_a_failed_creation_deletes_is_not_protected_from_it(self) -> None:
        template = templates.read(TEMPLATE)
        self.assertEqual(protections(template), {"Table": {"DeletionProtectionEnabled": {"Ref": "DeletionProtection"}}})
        created = protections(templates.unprotected(template))
        self.assertEqual(created, {"Table": {"DeletionProtectionEnabled": False}})


def protections(template: templates.Template) -> dict[str, dict[str, Any]]:
    """Of each resource that a failed creation deletes: the properties that prevent deletions."""
    found = {}
    for name, resource in template["Resources"].items():
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
            properties = resource["Properties"].items()
            protecting = {key: value for key, value in properties if "Protection" in key or "ObjectLock" in key}
            found[name] = protecting
    return {name: protecting for name, protecting in found.items() if protecting}


if __name__ == "__main__":
    unittest.main()
