"""Empty steps of LangGraph with `DynamoDBSaver`: a graph of one node that is run again and again.

The node's answer replaces the one before, which is the smallest state that a graph can have; every
answer is kept in the checkpoint of its step. `langgraph-kept` is the same with all answers in the
state, as a conversation has them; only its cost is measured.
"""

import operator
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Annotated, Any, TypedDict
from uuid import uuid4

import boto3
from botocore.config import Config
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph_checkpoint_aws import DynamoDBSaver
from measure import ANSWER, AT_ONCE, HISTORIES, STEPS, WARM_UP_STEPS, Watch, between, emit, runs_of

TABLE = "langgraph"
# The checkpoint is written before the next step, as by the worker; the default writes it beside the
# next step.
MODES = {"langgraph": "sync", "langgraph-async": "async"}
# Further lengths with all answers in the state; `planned_run.rs` compares with them.
KEPT_STEPS = (10, 50, 100, 200)
MOST_AT_ONCE = max(AT_ONCE)
GROWN = [f"grown-{number:02}" for number in range(MOST_AT_ONCE)]

# When each thread's node was entered.
entered: dict[str, list[float]] = {}
wanted: dict[str, int] = {}


class Answer(TypedDict):
    """The newest answer."""

    answer: str


class Answers(TypedDict):
    """All answers."""

    answer: Annotated[str, operator.add]


def main() -> None:
    """Prints all measurements."""
    client = boto3.client("dynamodb")
    create_table(client)
    # Its own retries and the default of ten connections would be what is measured.
    config = Config(max_pool_connections=MOST_AT_ONCE + 10)
    saver = DynamoDBSaver(table_name=TABLE, boto_config=config)
    replacing, keeping = graph(saver, Answer), graph(saver, Answers)
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        per_thread = -(-WARM_UP_STEPS // MOST_AT_ONCE)
        list(pool.map(lambda thread: run(replacing, thread, per_thread, "sync"), names(MOST_AT_ONCE)))
        grow(client, replacing)
        for history in HISTORIES:
            for steps in STEPS:
                for system in MODES:
                    measure_cost(saver, replacing, system, history, steps)
                    for at_once in AT_ONCE:
                        measure_times(pool, replacing, system, (history, steps, at_once))
        for steps in sorted({*STEPS, *KEPT_STEPS}):
            measure_cost(saver, keeping, "langgraph-kept", 0, steps)


def measure_times(pool: Executor, graph: Any, system: str, row: tuple[int, int, int]) -> None:
    history, steps, at_once = row
    threads = names(runs_of(steps, at_once), history)
    watch = Watch(system, history, steps, at_once)
    runs, in_steps = [], 0.0
    for first in range(0, len(threads), at_once):
        calls = [pool.submit(run, graph, thread, steps, MODES[system]) for thread in threads[first : first + at_once]]
        moments = [call.result() for call in calls]
        in_steps += max(of_run[-1] for of_run in moments) - min(of_run[0] for of_run in moments)
        runs += moments
    watch.print_times((seconds for moments in runs for seconds in between(moments)), in_steps)


def graph(saver: Any, state: type) -> Any:
    """A graph whose only node is run as often as `wanted` says."""

    def step(_: Any, config: RunnableConfig) -> dict[str, Any]:
        entered[thread_of(config)].append(time.perf_counter())
        return {"answer": ANSWER}

    def again(_: Any, config: RunnableConfig) -> str:
        thread = thread_of(config)
        return "step" if len(entered[thread]) < wanted[thread] else END

    builder = StateGraph(state)
    builder.add_node("step", step)
    builder.add_edge(START, "step")
    builder.add_conditional_edges("step", again, ["step", END])
    return builder.compile(checkpointer=saver)


def run(graph: Any, thread: str, steps: int, durability: str) -> list[float]:
    """Runs a thread, and returns the moments at which its steps began, and the end."""
    entered[thread], wanted[thread] = [], steps
    config = {"configurable": {"thread_id": thread}, "recursion_limit": steps + 10}
    graph.invoke({"answer": ""}, config, durability=durability)
    return [*entered[thread], time.perf_counter()]


def thread_of(config: RunnableConfig) -> str:
    return str(config["configurable"]["thread_id"])


def names(threads: int, history: int = 0) -> list[str]:
    """New threads, or those with a history in turn."""
    return [GROWN[number % len(GROWN)] if history else str(uuid4()) for number in range(threads)]


def grow(client: Any, graph: Any) -> None:
    """Runs one thread for the history, and copies its checkpoints for the others: all items of its
    partition and, from those in partitions of their own, the newest checkpoint.
    """
    original, *copies = GROWN
    run(graph, original, max(HISTORIES), "sync")
    items = list(items_of(client, f"CHECKPOINT_{original}"))
    for kind in ("CHUNK", "WRITES"):
        items += items_of(client, f"{kind}_{original}#{max(item['SK']['S'] for item in items)}")
    for copy in copies:
        for first in range(0, len(items), 25):
            puts = [{"PutRequest": {"Item": renamed(item, original, copy)}} for item in items[first : first + 25]]
            left = client.batch_write_item(RequestItems={TABLE: puts})["UnprocessedItems"]
            if left:
                raise RuntimeError("DynamoDB Local left items unprocessed")


def items_of(client: Any, partition: str) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator("query").paginate(
        TableName=TABLE,
        KeyConditionExpression="PK = :pk",
        ExpressionAttributeValues={":pk": {"S": partition}},
    )
    for page in pages:
        yield from page["Items"]


def renamed(item: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    """The item of another thread, whose name is as long."""

    def value(kind: str, of: Any) -> Any:
        return of.replace(before.encode(), after.encode()) if kind == "B" else of.replace(before, after)

    return {
        name: {kind: value(kind, of) if kind in "SB" else of for kind, of in typed.items()}
        for name, typed in item.items()
    }


class Counter:
    """Counts a saver's requests, and what they write and cost."""

    def __init__(self, client: Any) -> None:
        self.counts = {"requests": 0.0, "write_units": 0.0, "read_units": 0.0, "bytes": 0.0}
        self.is_on = False
        client.meta.events.register("provide-client-params.dynamodb", self.asked)
        client.meta.events.register("after-call.dynamodb", self.answered)

    def asked(self, params: dict[str, Any], **_: Any) -> None:
        if self.is_on:
            self.counts["bytes"] += size(params.get("Item", {}))
            params["ReturnConsumedCapacity"] = "TOTAL"

    def answered(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if self.is_on:
            self.counts["requests"] += 1
            units = parsed["ConsumedCapacity"]["CapacityUnits"]
            self.counts["read_units" if model.name in ("GetItem", "Query") else "write_units"] += units


def size(item: dict[str, Any]) -> int:
    """The size of an item by DynamoDB's rule: names and values; a number about half its digits."""
    return sum(
        len(name.encode()) + (len(value) // 2 + 1 if kind == "N" else len(value if kind == "B" else value.encode()))
        for name, typed in item.items()
        for kind, value in typed.items()
    )


counters: dict[int, Counter] = {}


def measure_cost(saver: Any, graph: Any, system: str, history: int, steps: int) -> None:
    """The mean cost of a run's steps but the first: a run of this length without a run of one."""
    counter = counters.setdefault(id(saver), Counter(saver.client))
    sums = []
    for length in (1, steps):
        counter.is_on = True
        counter.counts = dict.fromkeys(counter.counts, 0.0)
        run(graph, names(1, history)[0], length, MODES.get(system, "sync"))
        counter.is_on = False
        sums.append(counter.counts)
    one, all_steps = sums
    a_step = {name: (all_steps[name] - one[name]) / (steps - 1) for name in one}
    emit("cost", system=system, history=history, steps=steps, **a_step)


def create_table(client: Any) -> None:
    """The table that the saver's documentation asks for."""
    keys = {"PK": "HASH", "SK": "RANGE"}
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
    )


if __name__ == "__main__":
    main()
