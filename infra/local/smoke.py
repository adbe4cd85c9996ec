"""The smoke suite of `make deploy-local`: what users and operators do first, through both APIs of the deployed template.

The functions are the optimised binaries under their own roles. A person is asked and answers, over the WebSocket and by REST;
runs end in every way there is; a dead letter is taken up, a deleted session purged. Every function works for this, nothing may
be denied, and in the end the metrics must say what the records say.
"""

import asyncio
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import WebSocketException

import answering
import canaries
import measured
import ministack
import settings as configuration
import stack
from callers import TASK
from claims import CANCELLED, Checks, expect_answers, expect_whole
from client import Event, Follower, Refused, events, send
from deployed import deployed
from processes import Failed
from settings import PLANTED, ROOT, STACK_NAME
from users import RUNS, SESSION, WAIT_SECONDS, User, by_link, ends, sends, until, waits_for

# Above 32 KiB, so that it goes through the bucket.
LONG_TASK = f"{TASK} " * 1000
FILE = b"The Sun pulls too, half as much."
ASKS = {"mode": "hitl-interactive", "hitlVariant": "planning_only", "nPlanReviews": 0}


def main() -> int:
    """1 when something does not work as it should, or was denied."""
    checks = Checks()
    try:
        with ExitStack() as opened:
            given = {"OPENAI_BASE_URL": opened.enter_context(answering.running()), "OPENAI_API_KEY": f"{PLANTED}-key"}
            given |= {"MODEL_PROVIDER": "openai", "MODEL_ID": answering.PRICED, "PURGE_DELAY_SECONDS": "1"}
            made = opened.enter_context(deployed(checks, given))
            started = time.monotonic()
            everything(User(made))
            print(f"  all of it took {time.monotonic() - started:.0f} s", flush=True)
    except (Failed, Refused, WebSocketException, configuration.Invalid) as reason:
        return stack.failed(reason)
    return 1 if checks.failed else 0


def everything(user: User) -> None:
    asyncio.run(a_question_is_answered(user))
    asyncio.run(a_run_is_cancelled_over_the_socket(user))
    ends_by_rest(user)
    a_file(user)
    a_dead_letter(user)
    a_deleted_session(user)
    for route in ("GET /api/health", "GET /api/sessions/modes/list", "GET /api/sessions?limit=5"):
        user.does(route)
    unused = set(user.made.world.routes) - user.routes
    user.checks.expect(f"all {len(user.routes)} routes were used", not unused, unused)
    what_was_measured(user)
    errors = user.made.errors()
    user.checks.expect("no function was denied anything, or has logged another error", not errors, errors)
    canaries.look(user.made.settings)


async def followed(user: User, config: dict[str, Any], reaction: Callable[[Event], Event | None]) -> Follower:
    """A run from its first frame to its end. `reaction` gives the frame that answers a question, or answers it itself."""
    follower = Follower()
    async with user.made.world.api.connected(str(uuid.uuid4()), user.token, in_query=True) as socket:
        await send(socket, {"task": TASK, "config": config})
        async with asyncio.timeout(WAIT_SECONDS):
            async for event in events(socket, follower):
                if event["event_type"] == "approval_requested" and (frame := reaction(event)):
                    await send(socket, frame)
    user.modes[follower.session_id or ""] = config["mode"]
    return follower


async def a_question_is_answered(user: User) -> None:
    """The first answer goes over the socket, and the question comes back; the second one goes by REST."""
    given = [{"resolution": "revise", "feedback": "In fewer steps."}, {"resolution": "approve"}]
    answers = iter(given)

    def answer(question: Event) -> Event | None:
        ids = {"session_id": question["session_id"], "approval_id": question["data"]["approval_id"]}
        answer = next(answers)
        if answer is given[0]:
            return {"type": "approval_response", "approval_id": ids["approval_id"], **answer}
        pending = user.does(f"GET {SESSION}/approvals?status=pending", ids)["approvals"]
        user.checks.expect("the open question is listed", [p["approval_id"] for p in pending] == [ids["approval_id"]])
        user.does(f"POST {SESSION}/approvals/{{approval_id}}", ids, answer)
        return None

    follower = await followed(user, ASKS, answer)
    expect_answers(user.checks, follower, given)
    expect_whole(user.made.world.api.http_url, user.checks, follower, token=user.token)
    session = {"session_id": follower.session_id or ""}
    run_id = user.does(f"GET {RUNS}", session)["runs"][0]["id"]
    for route in (f"GET {SESSION}", f"GET {SESSION}/history", f"GET {SESSION}/events"):
        user.does(route, session)
    costs = user.does(f"GET {RUNS}/{{run_id}}/costs", {**session, "run_id": run_id})
    paid = [e["data"]["cost_usd"] for e in follower.events if e["event_type"] == "cost_update"]
    same = costs["record_count"] == len(paid) and abs(costs["total_cost_usd"] - sum(paid)) < 1e-9
    user.checks.expect(f"the run cost ${costs['total_cost_usd']}, call by call", same and sum(paid) > 0, (costs, paid))


async def a_run_is_cancelled_over_the_socket(user: User) -> None:
    follower = await followed(user, ASKS, lambda _question: {"type": "cancel"})
    expect_whole(user.made.world.api.http_url, user.checks, follower, CANCELLED, token=user.token)


def ends_by_rest(user: User) -> None:
    """A run that is cancelled while it waits, one that an answer ends, one that a model refuses; a task through the bucket."""
    session = user.creates(ASKS)
    user.does(f"POST {SESSION}/suspend", session)
    user.does(f"POST {SESSION}/resume", session)
    run = user.starts(session, LONG_TASK)
    waits_for(user, run)
    user.does(f"POST {RUNS}/{{run_id}}/cancel", run)
    ends(user, run, "cancelled")
    run = user.starts(session)
    approval = {"approval_id": waits_for(user, run)}
    user.does(f"POST {SESSION}/approvals/{{approval_id}}", run | approval, {"resolution": "reject"})
    ends(user, run, "cancelled")
    ends(user, user.starts(user.creates({"mode": "one-shot", "model": answering.REFUSING})), "failed")


def a_file(user: User) -> None:
    """Sent and fetched by links, which may no more than the role that has signed them; and so is what a run has written."""
    session = user.creates({"mode": "one-shot", "agent": "engineer"})
    sends(user, session, FILE)
    ends(user, user.starts(session), "completed")
    listed = user.does(f"GET {SESSION}/artifacts", session)["artifacts"]
    fetched = {file["name"]: by_link("GET", file["url"]).strip() for file in listed}
    meant = {"tides.txt": FILE, f"execute_{answering.WORDS['filename']}": answering.SENTENCE.encode()}
    user.checks.expect(f"{' and '.join(meant)} were fetched by links", fetched == meant, fetched)


def a_dead_letter(user: User) -> None:
    """The queue is drained as the operations page says; what lies in it is given up, and its run fails."""
    functions, queues, deployment = user.aws("lambda"), user.aws("sqs"), user.made.deployment
    name = ministack.function_name("executor")
    (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    run = user.starts(user.creates({"mode": "one-shot"}))
    message = until(lambda: queues.receive_message(QueueUrl=deployment.queue_url).get("Messages"), "a message waits")[0]
    queues.send_message(QueueUrl=deployment.dead_letter_queue_url, MessageBody=message["Body"])
    queues.delete_message(QueueUrl=deployment.queue_url, ReceiptHandle=message["ReceiptHandle"])
    ends(user, run, "failed")
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    told = [event["data"].get("code") for event in user.record(run["session_id"]) if event["event_type"] == "error"]
    user.checks.expect("its client was told that it was undeliverable", told == ["undeliverable"], told)


def a_deleted_session(user: User) -> None:
    """Deleted while it waits for an answer; the sweeper and the executor purge it."""
    run = user.starts(user.creates(ASKS))
    waits_for(user, run)
    session_id = run["session_id"]
    sends(user, run, b"gone soon")
    # The deletion cancels the run, and nobody can read that.
    cancelled = {"event_type": "workflow_cancelled", "data": {}}
    user.deleted[session_id] = [*user.record(session_id), cancelled]
    user.does(f"DELETE {SESSION}", run)
    sweeper = ministack.function_name("sweeper")
    event = (ROOT / "events" / "sweeper.json").read_bytes()
    table, asked = user.aws("dynamodb"), {":pk": {"S": f"SESSION#{session_id}"}}

    def purged() -> bool:
        user.aws("lambda").invoke(FunctionName=sweeper, Payload=event)
        name = user.made.deployment.environment["TABLE_NAME"]
        found = table.query(TableName=name, KeyConditionExpression="PK = :pk", ExpressionAttributeValues=asked)
        # The entry that says `deleted` stays.
        return bool(found["Count"] == 1)

    until(purged, "a deleted session is purged")
    listed = user.aws("s3").list_objects_v2(Bucket=user.made.deployment.bucket_name).get("Contents", [])
    left = [file["Key"] for file in listed if session_id in file["Key"]]
    user.checks.expect("a deleted session was purged, with what it had in the bucket", not left, left)


def what_was_measured(user: User) -> None:
    """Runs, steps and costs as the records have them; the queue, the letter and the sweeper as they were used."""
    records = {session: user.record(session) for session in user.modes if session not in user.deleted}
    want = measured.recorded((user.modes[session], events) for session, events in (records | user.deleted).items())
    deadline = time.monotonic() + WAIT_SECONDS
    told, wrong = measured.values(user.made.logged(), STACK_NAME)
    while measured.differences(told, want) and time.monotonic() < deadline:
        # A line is there a moment after it was written.
        time.sleep(1)
        told, wrong = measured.values(user.made.logged(), STACK_NAME)
    user.checks.expect("each line of metrics is as CloudWatch and the README want it", not wrong, wrong)
    different = measured.differences(told, want)
    runs = ", ".join(f"{len(values)} {' '.join(key[1:])}" for key, values in sorted(want.items()) if key[0] == "Runs")
    user.checks.expect(f"the metrics of runs, steps and costs are the records': {runs}", not different, different)
    waited = told.get(("QueueTime",), [])
    plausible = all(0 <= seconds < WAIT_SECONDS for seconds in waited)
    user.checks.expect(f"each of {len(waited)} messages has waited some time", bool(waited) and plausible, waited)
    letters, sweeps = sum(told.get(("DeadLetters",), [])), sum(told.get(("Sweeps",), []))
    user.checks.expect("the dead letter was counted, and every sweep", letters == 1 and sweeps > 0, (letters, sweeps))


if __name__ == "__main__":
    sys.exit(main())
