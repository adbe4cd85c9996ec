"""The calls of the HTTP API: what is repeated, what is raised, what is sent."""

import itertools
import json
import unittest
from collections.abc import Callable
from typing import Any
from unittest import mock

import httpx
from intermission import (
    Conflict,
    ConnectionLost,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from scripted import SESSION, Server

Outcome = httpx.Response | Callable[[httpx.Request], Exception]


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"detail": "A sentence.", "code": code, "request_id": "r"}
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def lost(request: httpx.Request) -> Exception:
    return httpx.ReadError("reset", request=request)


def refused(request: httpx.Request) -> Exception:
    return httpx.ConnectError("refused", request=request)


OK = httpx.Response(200, json={"session_id": SESSION, "active_run": None})
UNAVAILABLE = problem(503, "unavailable")


class Calls(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.sleep = mock.AsyncMock()
        patched = mock.patch("asyncio.sleep", self.sleep)
        patched.start()
        self.addCleanup(patched.stop)

    def server(self, *outcomes: Outcome) -> Server:
        """Gives one outcome after the other."""
        left = list(outcomes)

        def reply(request: httpx.Request) -> httpx.Response:
            outcome = left.pop(0)
            if isinstance(outcome, httpx.Response):
                return outcome
            raise outcome(request)

        return Server([], reply=reply)

    def waits(self) -> list[float]:
        return [call.args[0] for call in self.sleep.await_args_list]

    async def test_a_create_is_repeated_under_one_key(self) -> None:
        server = self.server(UNAVAILABLE, lost, OK)
        self.assertEqual((await server.client().create("copilot"))["session_id"], SESSION)
        self.assertEqual(len({request.headers["idempotency-key"] for request in server.requests}), 1)
        self.assertEqual(len(server.requests), 3)

    async def test_two_creates_have_two_keys(self) -> None:
        server = self.server(OK, OK)
        client = server.client()
        await client.create("copilot")
        await client.create("copilot")
        self.assertEqual(len({request.headers["idempotency-key"] for request in server.requests}), 2)

    async def test_what_may_have_been_done_is_not_done_again(self) -> None:
        for outcome, error in ((lost, ConnectionLost), (UNAVAILABLE, Unavailable)):
            server = self.server(outcome, OK)
            with self.assertRaises(error):
                await server.client().resume(SESSION, additional_context="Begin with the sun.")
            self.assertEqual(len(server.requests), 1)

    async def test_what_was_not_sent_is_sent_again(self) -> None:
        server = self.server(refused, problem(429, "too_many_runs", retry_after="0"), OK)
        await server.client().suspend(SESSION)
        self.assertEqual(len(server.requests), 3)

    async def test_the_wait_that_is_asked_for_is_kept(self) -> None:
        await self.server(problem(429, "too_many_runs", retry_after="7"), OK).client().suspend(SESSION)
        (wait,) = self.waits()
        self.assertTrue(7 <= wait <= 8, wait)

    async def test_a_wait_until_midnight_is_the_callers(self) -> None:
        server = self.server(problem(429, "budget_spent", retry_after="40000"))
        with self.assertRaises(TooManyRequests) as raised:
            await server.client().start(SESSION, "Explain the tides.")
        self.assertEqual((raised.exception.code, raised.exception.retry_after), ("budget_spent", 40000))

    async def test_a_server_that_stays_away_is_an_error_after_five_attempts(self) -> None:
        server = self.server(*[UNAVAILABLE] * 5)
        with self.assertRaises(Unavailable):
            await server.client().get(SESSION)
        self.assertEqual(len(server.requests), 5)

    async def test_a_fault_of_the_server_is_not_asked_for_again(self) -> None:
        server = self.server(problem(500, "internal"))
        with self.assertRaises(Unavailable):
            await server.client().get(SESSION)
        # API Gateway's own 500 is a function that did not answer.
        await self.server(httpx.Response(500, json={"message": "Internal Server Error"}), OK).client().get(SESSION)

    async def test_errors_have_types_and_codes(self) -> None:
        for status, code, error in (
            (404, "session_not_found", NotFound),
            (409, "approval_open", Conflict),
            (422, "empty_task", Invalid),
            (403, "foreign_origin", Unauthenticated),
        ):
            with self.assertRaises(error) as raised:
                await self.server(problem(status, code)).client().suspend(SESSION)
            caught = raised.exception
            told = (caught.status, caught.code, caught.detail, caught.request_id)
            self.assertEqual(told, (status, code, "A sentence.", "r"))

    async def test_a_reply_that_is_not_the_servers_is_an_error_too(self) -> None:
        page = httpx.Response(413, text="<html>Too large</html>", headers={"x-request-id": "r"})
        with self.assertRaises(Invalid) as raised:
            await self.server(page).client().suspend(SESSION)
        self.assertEqual((raised.exception.code, raised.exception.request_id), ("http_413", "r"))

    async def test_a_token_that_has_ended_is_fetched_again_once(self) -> None:
        over = httpx.Response(401, json={"message": "Unauthorized"})
        tokens = itertools.chain(["old"], itertools.repeat("fresh"))
        server = self.server(over, OK)
        await server.client(token=lambda: next(tokens)).suspend(SESSION)
        sent = [request.headers["authorization"] for request in server.requests]
        self.assertEqual(sent, ["Bearer old", "Bearer fresh"])
        for token in ("constant", lambda: next(tokens)):
            with self.assertRaises(Unauthenticated):
                await self.server(over, over).client(token=token).suspend(SESSION)

    async def test_a_local_stack_gets_no_token(self) -> None:
        server = self.server(OK)
        await server.client().get(SESSION)
        self.assertNotIn("authorization", server.requests[0].headers)

    async def test_a_list_goes_through_all_its_pages(self) -> None:
        pages = [
            httpx.Response(200, json={"sessions": [{"name": name}], "next_cursor": cursor})
            for name, cursor in (("one", "c1"), ("two", None))
        ]
        server = self.server(*pages)
        names = [session["name"] async for session in server.client().list(status="active", limit=1)]
        self.assertEqual(names, ["one", "two"])
        queries = [dict(request.url.params) for request in server.requests]
        query = {"status": "active", "limit": "1"}
        self.assertEqual(queries, [query, query | {"cursor": "c1"}])

    async def test_a_delete_whose_reply_was_lost_is_done(self) -> None:
        await self.server(lost, problem(404, "session_not_found")).client().delete(SESSION)
        with self.assertRaises(NotFound):
            await self.server(problem(404, "session_not_found")).client().delete(SESSION)

    async def test_an_answer_is_sent_whole_and_may_be_repeated(self) -> None:
        server = self.server(lost, httpx.Response(200, json={"status": "resolved"}))
        await server.client().answer(SESSION, "a/1", "revise", feedback="Begin with the sun.")
        sent = server.requests[-1]
        self.assertEqual(sent.url.raw_path.decode(), f"/api/sessions/{SESSION}/approvals/a%2F1")
        self.assertEqual(json.loads(sent.content), {"resolution": "revise", "feedback": "Begin with the sun."})

    async def test_a_cancel_means_the_run_that_has_not_ended(self) -> None:
        running = httpx.Response(200, json={"active_run": "run-1"})
        server = self.server(running, OK)
        await server.client().cancel(SESSION)
        self.assertEqual(server.requests[-1].url.path, f"/api/sessions/{SESSION}/runs/run-1/cancel")
        with self.assertRaises(Conflict):
            await self.server(OK).client().cancel(SESSION)

    async def test_an_upload_that_another_one_overtook_asks_for_a_new_link(self) -> None:
        def link(number: int) -> httpx.Response:
            headers = {"content-type": "text/plain", "if-none-match": "*"}
            url = f"http://bucket/{number}"
            return httpx.Response(200, json={"artifact": "a.txt", "method": "PUT", "url": url, "headers": headers})

        server = self.server(link(1), httpx.Response(412), link(2), httpx.Response(200))
        name = await server.client(token="secret").upload(SESSION, b"tides", name="a.txt")
        self.assertEqual(name, "a.txt")
        asked, put = server.requests[2:]
        self.assertEqual(json.loads(asked.content), {"name": "a.txt", "content_type": "text/plain", "size": 5})
        self.assertEqual((put.method, str(put.url), put.content), ("PUT", "http://bucket/2", b"tides"))
        self.assertEqual(put.headers["if-none-match"], "*")
        # Two rights at once are refused by S3, and the token is for nobody else.
        self.assertNotIn("authorization", put.headers)

    async def test_a_file_is_downloaded_by_its_link_alone(self) -> None:
        def artifact(name: str, run: str | None) -> dict[str, Any]:
            return {"name": name, "run_id": run, "url": f"http://bucket/{run}/{name}"}

        listed = {
            "artifacts": [artifact("a.md", "r1"), artifact("a.md", "r2"), artifact("b", None)],
            "next_cursor": None,
        }
        server = self.server(httpx.Response(200, json=listed), httpx.Response(200, content=b"text"))
        self.assertEqual(await server.client(token="secret").download(SESSION, "a.md"), b"text")
        self.assertEqual(str(server.requests[1].url), "http://bucket/r2/a.md")
        self.assertNotIn("authorization", server.requests[1].headers)
        with self.assertRaises(NotFound):
            await self.server(httpx.Response(200, json=listed)).client().download(SESSION, "c")


if __name__ == "__main__":
    unittest.main()
