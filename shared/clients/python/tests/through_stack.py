"""The client through a running stack with the offline engine, whose addresses are in `HTTP_URL` and
`WS_URL`. infra/local/restart.py runs it.
"""

import asyncio
import contextlib
import io
import os
import unittest
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from intermission import AsyncClient, Client, Conflict, Invalid, NotFound

HTTP_URL, WS_URL = os.environ["HTTP_URL"], os.environ["WS_URL"]
README = Path(__file__).resolve().parents[4] / "README.md"
TASK = "Explain the tides. The moon pulls at the sea. The sun pulls too."
ASKS_FOR_ITS_PLAN = {"hitlVariant": "planning_only", "maxPlanSteps": 2, "nPlanReviews": 0}
# What a broken connection carries: the handshake and a few events, which are compressed.
BROKEN_AFTER_BYTES = 600


class Breaker:
    """A proxy that breaks the first connections in the middle of a frame."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.target = urlsplit(WS_URL)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """The WebSocket API's address behind the proxy."""
        async with await asyncio.start_server(self.connected, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            yield self.target._replace(netloc=f"127.0.0.1:{port}").geturl()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(self.target.hostname, self.target.port)
        upwards = asyncio.create_task(carry(reader, to_server))
        limit = BROKEN_AFTER_BYTES if self.left > 0 else None
        if await carry(from_server, writer, limit):
            self.left -= 1
            writer.transport.abort()
        upwards.cancel()
        to_server.close()


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None = None) -> bool:
    """Copies until the end, or until `limit` bytes; True when that was reached."""
    carried = 0
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(512):
            writer.write(data)
            await writer.drain()
            carried += len(data)
            if limit is not None and carried >= limit:
                return True
    writer.close()
    return False


class ThroughTheStack(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.client = await self.enterAsyncContext(AsyncClient(HTTP_URL, WS_URL, ping_seconds=1))
        await self.enterAsyncContext(asyncio.timeout(60))

    async def test_a_run_through_broken_connections_is_watched_whole(self) -> None:
        breaker = Breaker(3)
        async with breaker.listening() as url, AsyncClient(HTTP_URL, url, ping_seconds=1) as client:
            run = client.run(TASK, mode="planning-control", config={"maxPlanSteps": 2})
            watched: list[Any] = [event async for event in run if event["seq"] is not None]
        self.assertEqual(breaker.left, 0)
        self.assertEqual([event["seq"] for event in watched], list(range(1, len(watched) + 1)))
        recorded = [event async for event in self.client.events(watched[0]["session_id"])]
        self.assertEqual(watched, recorded)
        self.assertEqual(watched[-1]["event_type"], "complete")

    async def test_a_question_is_answered_while_the_run_is_followed(self) -> None:
        kinds = []
        async for event in self.client.run(TASK, mode="hitl-interactive", config=ASKS_FOR_ITS_PLAN):
            kinds.append(event["event_type"])
            if event["event_type"] != "approval_requested":
                continue
            session_id, approval_id = event["session_id"], event["data"]["approval_id"]
            (asked,) = [approval async for approval in self.client.approvals(session_id, status="pending")]
            self.assertEqual(asked["approval_id"], approval_id)
            with self.assertRaises(Invalid) as invalid:
                await self.client.answer(session_id, approval_id, "perhaps")
            self.assertEqual(invalid.exception.code, "not_an_option")
            for _ in range(2):
                answered = await self.client.answer(session_id, approval_id, "approve")
                self.assertEqual(answered["status"], "resolved")
            with self.assertRaises(Conflict) as conflict:
                await self.client.answer(session_id, approval_id, "reject")
            self.assertEqual(conflict.exception.code, "approval_resolved")
        self.assertEqual((kinds.count("approval_received"), kinds[-1]), (1, "complete"))

    async def test_the_same_run_again_follows_the_first_one(self) -> None:
        key = str(uuid.uuid4())
        first, second = [
            [event async for event in self.client.run(TASK, mode="one-shot", idempotency_key=key)] for _ in range(2)
        ]
        self.assertEqual(first, second)
        session_id = first[0]["session_id"]
        self.assertEqual(len([run async for run in self.client.runs(session_id)]), 1)

    async def test_a_further_run_is_watched_from_its_own_beginning(self) -> None:
        first = [event async for event in self.client.run(TASK, mode="copilot")]
        session_id = first[0]["session_id"]
        further = [event async for event in self.client.run("Summarise: the sun pulls too.", session_id=session_id)]
        self.assertEqual(further[0]["seq"], (first[-1]["seq"] or 0) + 1)
        self.assertEqual({event["run_id"] for event in further} & {event["run_id"] for event in first}, set())
        messages = [message async for message in self.client.history(session_id)]
        self.assertEqual(messages, sorted(messages, key=lambda message: -message["seq"]))

    async def test_files_go_up_and_come_back(self) -> None:
        session_id = (await self.client.create("copilot", name="Files"))["session_id"]
        for content in (b"ebb", "flood: ≈ 12 h 25 min".encode()):
            self.assertEqual(await self.client.upload(session_id, content, name="tides.txt"), "tides.txt")
            self.assertEqual(await self.client.download(session_id, "tides.txt"), content)
        names = [(file["name"], file["content_type"]) async for file in self.client.artifacts(session_id)]
        self.assertEqual(names, [("tides.txt", "text/plain")])
        with self.assertRaises(NotFound):
            await self.client.download(session_id, "ebb.txt")

    async def test_a_session_from_its_creation_to_its_end(self) -> None:
        key = str(uuid.uuid4())
        one, two = [await self.client.create("hitl-interactive", idempotency_key=key) for _ in range(2)]
        self.assertEqual(one, two)
        session_id = one["session_id"]
        self.assertEqual((await self.client.rename(session_id, "Renamed"))["name"], "Renamed")
        await self.client.suspend(session_id)
        with self.assertRaises(Conflict) as conflict:
            await self.client.suspend(session_id)
        self.assertEqual(conflict.exception.code, "session_not_active")
        await self.client.resume(session_id)
        await self.client.start(session_id, TASK, config=ASKS_FOR_ITS_PLAN)
        with self.assertRaises(NotFound):
            async for event in self.client.follow(session_id):
                if event["event_type"] == "approval_requested":
                    self.assertEqual((await self.client.get(session_id))["suspend_reason"], "approval_required")
                    await self.client.cancel(session_id)
                if event["event_type"] == "workflow_cancelled":
                    listed = [session["session_id"] async for session in self.client.list(limit=20)]
                    self.assertIn(session_id, listed)
                    await self.client.delete(session_id)
        with self.assertRaises(NotFound):
            await self.client.get(session_id)

    def test_the_program_of_the_readme_runs(self) -> None:
        (program,) = [block for block in README.read_text().split("```") if block.startswith("python\n")]
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(program.removeprefix("python\n"), {})
        self.assertTrue(said.getvalue().endswith(" complete\n"), said.getvalue())

    def test_the_synchronous_client_iterates_too(self) -> None:
        with Client(HTTP_URL, WS_URL) as client:
            events = list(client.run(TASK))
            self.assertEqual(events, list(client.events(events[0]["session_id"])))


if __name__ == "__main__":
    unittest.main()
