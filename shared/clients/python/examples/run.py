"""Runs a task, shows what happens, and asks at the terminal what the run asks.

make up                              # in another terminal
set -a; . .stack/env; set +a
.stack/venv/bin/python shared/clients/python/examples/run.py "Explain the tides." hitl-interactive
"""

import os
import sys
from typing import Any, cast

from intermission import Client, IntermissionError, LiveText, Mode


def main(task: str = "Explain the tides. The moon pulls at the sea.", mode: str = "planning-control") -> int:
    live = LiveText()
    with Client(os.environ["HTTP_URL"], os.environ["WS_URL"], os.environ.get("TOKEN")) as client:
        for event in client.run(task, mode=cast(Mode, mode)):
            if live.take(event) and event["seq"] is None:
                print(f"      … {live.text[-80:]}", end="\r")
                continue
            print(f"{event['seq']:>5} {event['event_type']:<24} {sentence(event['data'])}")
            if event["event_type"] == "approval_requested":
                question = event["data"]
                resolution = input(f"      {' / '.join(question['options'])}? ")
                client.answer(event["session_id"], question["approval_id"], resolution)
    return 0 if event["event_type"] == "complete" else 1


def sentence(data: Any) -> str:
    """What an event says, on one line."""
    said = next((str(data[key]) for key in ("message", "goal", "phase", "error", "new_status") if data.get(key)), "")
    return " ".join(said.split())[:90]


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except IntermissionError as error:
        sys.exit(f"{type(error).__name__}: {error}")
