"""Follows a run that asks for its plan, while the stack behind it stops and starts again.

Prints the question, and ends well only if every event came once. infra/local/restart.py runs it.
"""

import json
import os
import sys

from intermission import Client

CONFIG = {"hitlVariant": "planning_only", "maxPlanSteps": 2, "nPlanReviews": 0}


def main() -> int:
    seqs, kinds = [], []
    with Client(os.environ["HTTP_URL"], os.environ["WS_URL"], ping_seconds=1) as client:
        for event in client.run("Explain the tides. The moon pulls.", mode="hitl-interactive", config=CONFIG):
            if event["seq"] is not None:
                seqs.append(event["seq"])
                kinds.append(event["event_type"])
            if event["event_type"] == "approval_requested":
                asked = {"session_id": event["session_id"], "approval_id": event["data"]["approval_id"]}
                print(json.dumps(asked), flush=True)
    whole = seqs == list(range(1, len(seqs) + 1))
    print(f"{len(seqs)} events, {'whole' if whole else seqs}, {kinds[-1]}", flush=True)
    return 0 if whole and kinds[-1] == "complete" else 1


if __name__ == "__main__":
    sys.exit(main())
