"""`make restore`: copies sessions from a restored table into the stack's own.

DynamoDB restores only into a new table, while the stack keeps its own. A session is one partition,
so each can be restored separately: the items of the copy replace those of its partition. Each run also gets its
locator, the only item of a session outside its partition.
Connections are not copied, because they ended long ago. Due actions of the restored session are
overdue, and the sweeper executes them within a minute. OPERATIONS.md describes how the contents
above 32 KiB are restored. Some modules come from infra/local, through PYTHONPATH.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from cloudformation import PATIENCE, Target, outputs, say
from deploy import chosen_target
from processes import Failed


def main() -> int:
    """FROM is the copy, SESSIONS are ids separated by spaces. Returns 1 when something is missing."""
    try:
        target = chosen_target()
        copy, sessions = os.environ.get("FROM", ""), os.environ.get("SESSIONS", "").split()
        if not copy or not sessions:
            raise Failed('FROM=<the restored table> SESSIONS="<id> <id>" make restore')
        tables = target.aws.resource("dynamodb")
        into = tables.Table(own_table(target))
        wait_for(target, copy)
        for session in sessions:
            say(f"  {session}: {restore(tables.Table(copy), into, session)} items")
    except (Failed, BotoCoreError, ClientError) as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


def own_table(target: Target) -> str:
    if name := outputs(target).get("TableName"):
        return name
    raise Failed(f"there is no stack {target.stack} with a table in {target.aws.region_name}")


def wait_for(target: Target, copy: str) -> None:
    """Waits until DynamoDB has restored the copy, which takes minutes to hours. Raises `Failed` when
    there is no such table.
    """
    dynamodb = target.client("dynamodb")
    try:
        status = dynamodb.describe_table(TableName=copy)["Table"]["TableStatus"]
    except dynamodb.exceptions.ResourceNotFoundException as missing:
        raise Failed(f"there is no table {copy} in {target.aws.region_name}; restore one first") from missing
    if status != "ACTIVE":
        say(f"waiting for the table {copy}, which is {status}")
        dynamodb.get_waiter("table_exists").wait(TableName=copy, WaiterConfig=PATIENCE)


def restore(copy: Any, into: Any, session: str) -> int:
    """Replaces one session with that in the copy. Raises `Failed` when the copy does not have it."""
    wanted = [item for item in partition(copy, session) if not item["SK"].startswith("CONNECTION#")]
    if not wanted:
        raise Failed(f"{copy.name} has no session {session}")
    kept = {item["SK"] for item in wanted}
    with into.batch_writer() as batch:
        for item in partition(into, session):
            if item["SK"] not in kept:
                # The row goes last, because only it names the locator to a repeated restore.
                for key in (*locator_keys(item), {"PK": item["PK"], "SK": item["SK"]}):
                    batch.delete_item(Key=key)
        for item in wanted:
            batch.put_item(Item=item)
            for key in locator_keys(item):
                batch.put_item(Item=key | {"session_id": session})
    return len(wanted)


def locator_keys(item: dict[str, Any]) -> list[dict[str, Any]]:
    """The key of the item that finds a run by its id alone, when this item is a run's row."""
    return [{"PK": item["SK"], "SK": "META"}] if item["SK"].startswith("RUN#") else []


def partition(table: Any, session: str) -> Iterator[dict[str, Any]]:
    """All items of a session."""
    query = {
        "KeyConditionExpression": "PK = :pk",
        "ExpressionAttributeValues": {":pk": f"SESSION#{session}"},
        "ConsistentRead": True,
    }
    while True:
        page = table.query(**query)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


if __name__ == "__main__":
    sys.exit(main())
