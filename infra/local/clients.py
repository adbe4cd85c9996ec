"""The two clients on a running stack: their own tests, and a program of each that follows a run
while the stack stops and starts again.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from intermission import Client
from processes import Failed
from settings import ROOT
from stack import Env

PYTHON_TESTS = "shared/clients/python/tests"
TYPESCRIPT_TESTS = "shared/clients/typescript/test"
TESTS = {
    "Python": [sys.executable, f"{PYTHON_TESTS}/through_stack.py"],
    "TypeScript": ["node", "--test", "--test-reporter=dot", f"{TYPESCRIPT_TESTS}/stack.js"],
}
FOLLOWERS = {
    "Python": [sys.executable, f"{PYTHON_TESTS}/follower.py"],
    "TypeScript": ["node", f"{TYPESCRIPT_TESTS}/follower.js"],
}
# A new stack answers at once; the rest is for a slow machine.
ENDED_SECONDS = 60

Followers = Mapping[str, subprocess.Popen[str]]


def test(env: Env) -> None:
    """Runs the tests of both clients. Raises `Failed` when one fails."""
    for language, command in TESTS.items():
        if subprocess.run(command, cwd=ROOT, env=environment(env), check=False).returncode:
            raise Failed(f"the tests of the {language} client failed")


@contextmanager
def following(env: Env) -> Iterator[tuple[Followers, Sequence[dict[str, str]]]]:
    """A follower in each language, and the questions at which their runs stand."""
    followers = {
        language: subprocess.Popen(command, cwd=ROOT, env=environment(env), stdout=subprocess.PIPE, text=True)
        for language, command in FOLLOWERS.items()
    }
    try:
        yield followers, [json.loads(line_of(follower)) for follower in followers.values()]
    finally:
        for follower in followers.values():
            follower.kill()
            follower.wait()


def complete(env: Env, followers: Followers, questions: Sequence[dict[str, str]]) -> None:
    """Answers the questions. Raises `Failed` unless the followers have seen each event once."""
    with Client(env["HTTP_URL"], env["WS_URL"]) as client:
        for question in questions:
            client.answer(question["session_id"], question["approval_id"], "approve")
    for language, follower in followers.items():
        try:
            said, _ = follower.communicate(timeout=ENDED_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise Failed(f"the {language} client did not come back after the restart") from late
        print(f"  the {language} client through the restart: {said.strip()}", flush=True)
        if follower.returncode:
            raise Failed(f"the {language} client lost or repeated events over the restart")


def line_of(follower: subprocess.Popen[str]) -> str:
    assert follower.stdout is not None
    line = follower.stdout.readline()
    if not line:
        raise Failed(f"a client has ended without a question: {follower.args!r}")
    return line


def environment(env: Env) -> dict[str, str]:
    return {**os.environ, **env}
