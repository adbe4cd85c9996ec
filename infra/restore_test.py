"""Unit tests of `make restore`; local/side_by_side.py tests it on a table. Needs infra/local in
PYTHONPATH.
"""

import unittest
from unittest import mock

import cloudformation
import restore
from processes import Failed
from stubs import Script, Stacks, quiet

AT_ONCE = mock.patch.dict(cloudformation.PATIENCE, {"Delay": 0})


@AT_ONCE
class TheCopy(unittest.TestCase):
    def test_it_is_waited_for_longer_than_the_command_line_does(self) -> None:
        # `aws dynamodb wait table-exists` looks 25 times.
        with Script() as script, quiet():
            for status in ["CREATING"] * 30 + ["ACTIVE"]:
                answer = {"Table": {"TableStatus": status}}
                script.answers("dynamodb", "describe_table", answer, TableName="restored")
            restore.wait_for(script.target, "restored")

    def test_a_table_that_is_there_is_not_waited_for(self) -> None:
        with Script() as script:
            script.answers("dynamodb", "describe_table", {"Table": {"TableStatus": "ACTIVE"}})
            restore.wait_for(script.target, "restored")

    def test_one_that_does_not_exist_is_named_at_once(self) -> None:
        with Script() as script:
            script.refuses("dynamodb", "describe_table", "ResourceNotFoundException")
            with self.assertRaises(Failed) as raised:
                restore.wait_for(script.target, "restord")
        self.assertIn("no table restord", str(raised.exception))

    def test_a_stack_without_a_table_is_named(self) -> None:
        with Stacks() as script:
            script.is_unknown()
            with self.assertRaises(Failed) as raised:
                restore.own_table(script.target)
        self.assertIn("no stack tried", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
