"""The tests of the two clients through a running stack."""

import os
import subprocess
import sys

from processes import Failed
from settings import ROOT
from stack import Env

TESTS = {
    "Python": [sys.executable, "shared/clients/python/tests/through_stack.py"],
    "TypeScript": ["node", "--test", "--test-reporter=dot", "shared/clients/typescript/test/stack.js"],
}


def test(env: Env) -> None:
    """Runs the tests of both clients. Raises `Failed` when one fails."""
    for language, command in TESTS.items():
        if subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, check=False).returncode:
            raise Failed(f"the tests of the {language} client failed")
