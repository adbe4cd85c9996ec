"""Following a session through all that happens to a connection."""

import asyncio
import concurrent.futures
import unittest
from contextlib import aclosing
from typing import Any
from unittest import mock

import httpx
import intermission.backoff
import intermission.socket
from intermission import Client, ConnectionLost, CursorAhead, NotFound, Unauthenticated
from scripted import RUN, SESSION, Connection, Server, first, frame, replay_end


class Following(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        patched = mock.patch.object(intermission.backoff, "FIRST_SECONDS", 0.01)
        patched.start()
        self.addCleanup(patched.stop)

    async def seqs(self, server: Server, count: int, after: int = 0, **options: Any) -> list[int]:
        """The seqs of the first events; the scripts must have held."""
        async with asyncio.timeout(10), server.listening(), server.client(**options) as client:
            events = await first(count, client.follow(SESSION, after))
        self.assertEqual(server.faults, [])
        return [event["seq"] for event in events]

    async def test_a_killed_socket_is_opened_again_behind_the_last_event(self) -> None:
        afters = []

        async def killed(connection: Connection) -> None:
            afters.append(await connection.replay(3))
            connection.kill()

        async def goes_on(connection: Connection) -> None:
            afters.append(await connection.replay(6))
            await connection.receive()

        server = Server([killed, goes_on])
        self.assertEqual(await self.seqs(server, 6), [1, 2, 3, 4, 5, 6])
        self.assertEqual(afters, [0, 3])
        self.assertEqual(server.states, [True, False, True, False])

    async def test_an_event_ends_the_growth_of_the_waits(self) -> None:
        async def one(connection: Connection) -> None:
            after = (await connection.receive())["after"]
            await connection.send(frame(after + 1))
            await asyncio.sleep(0.01)
            connection.kill()

        self.assertEqual(await self.seqs(Server([one] * 14), 14), list(range(1, 15)))

    async def test_a_connection_that_ends_after_its_two_hours_is_opened_again(self) -> None:
        async def ends(connection: Connection) -> None:
            await connection.replay(1)
            await connection.socket.close(1001)

        async def goes_on(connection: Connection) -> None:
            await connection.replay(2)
            await connection.receive()

        self.assertEqual(await self.seqs(Server([ends, goes_on]), 2), [1, 2])

    async def test_events_that_come_twice_or_are_lost_arrive_once(self) -> None:
        async def untidy(connection: Connection) -> None:
            await connection.receive()
            await connection.send(frame(1), frame(1), frame(3), frame(4))
            self.assertEqual((await connection.receive())["after"], 1)
            await connection.send(frame(1), frame(2), frame(3), frame(4), replay_end(4), frame(5))
            await connection.receive()

        self.assertEqual(await self.seqs(Server([untidy]), 5), [1, 2, 3, 4, 5])

    async def test_a_token_that_ends_is_replaced_by_a_fresh_one(self) -> None:
        tokens = iter(["old", "asked by HTTP", "fresh"])
        seen = []

        async def token() -> str:
            return next(tokens)

        async def over(connection: Connection) -> None:
            seen.append(connection.token)
            await connection.replay(1)
            # The pushes have stopped; the next frame is refused.
            self.assertEqual(await connection.receive(), {"type": "ping"})
            await connection.send(frame(None, "error", None, code="unauthenticated", message="The token is over."))
            await connection.receive()

        async def goes_on(connection: Connection) -> None:
            seen.append(connection.token)
            await connection.replay(2)
            await connection.receive()

        self.assertEqual(await self.seqs(Server([over, goes_on]), 2, token=token, ping_seconds=0.05), [1, 2])
        self.assertEqual(seen, ["Bearer old", "Bearer fresh"])

    async def test_a_refused_token_is_an_error(self) -> None:
        refusal = httpx.Response(401, json={"message": "Unauthorized"})
        server = Server([], reply=lambda _: refusal)
        with self.assertRaises(Unauthenticated):
            await self.seqs(server, 1, token=lambda: "wrong")

    async def test_a_quiet_socket_is_asked_for_a_lost_last_event(self) -> None:
        async def loses_the_last(connection: Connection) -> None:
            await connection.replay(1)
            self.assertEqual(await connection.receive(), {"type": "ping"})
            await connection.send(frame(None, "pong", last_seq=2))
            await connection.replay(2)
            await connection.receive()

        self.assertEqual(await self.seqs(Server([loses_the_last]), 2, ping_seconds=0.05), [1, 2])

    async def test_a_socket_that_answers_no_ping_is_left(self) -> None:
        async def mute(connection: Connection) -> None:
            await connection.replay(1)
            await connection.socket.wait_closed()

        async def goes_on(connection: Connection) -> None:
            await connection.replay(2)
            await connection.receive()

        with mock.patch.object(intermission.socket, "ANSWER_SECONDS", 0.1):
            self.assertEqual(await self.seqs(Server([mute, goes_on]), 2, ping_seconds=0.05), [1, 2])

    async def test_a_server_that_restarts_is_waited_for(self) -> None:
        restarted = asyncio.Event()

        async def before(connection: Connection) -> None:
            await connection.replay(2)
            restarted.set()
            await connection.receive()

        async def after(connection: Connection) -> None:
            await connection.replay(4)
            await connection.receive()

        server = Server([before, after])
        seen: list[Any] = []
        async with asyncio.timeout(10):
            async with server.listening():
                client = server.client()
                following = asyncio.create_task(first(4, client.follow(SESSION)))
                await restarted.wait()
            server.reply = lambda request: (_ for _ in ()).throw(httpx.ConnectError("refused", request=request))
            await asyncio.sleep(0.1)
            async with server.listening():
                seen = await following
        self.assertEqual([event["seq"] for event in seen], [1, 2, 3, 4])

    async def test_a_server_that_stays_away_is_given_up(self) -> None:
        server = Server([])
        async with server.listening():
            pass
        with self.assertRaisesRegex(ConnectionLost, "no connection for 0 seconds"):
            await first(1, server.client(patience_seconds=0.2).follow(SESSION))

    async def test_a_deleted_session_ends_the_following(self) -> None:
        async def deleted(connection: Connection) -> None:
            await connection.receive()
            await connection.send(frame(None, "error", None, code="session_not_found", message="No such session."))

        with self.assertRaises(NotFound):
            await self.seqs(Server([deleted]), 1)
        gone = httpx.Response(404, json={"detail": "No such session.", "code": "session_not_found"})
        with self.assertRaises(NotFound):
            await self.seqs(Server([], reply=lambda _: gone), 1)

    async def test_a_gateway_without_its_routes_is_waited_for(self) -> None:
        async def goes_on(connection: Connection) -> None:
            await connection.replay(1)
            await connection.receive()

        lost = httpx.Response(404, json={"message": "Not Found"})
        server = Server([Connection.refuse, goes_on], reply=lambda _: lost)
        self.assertEqual(await self.seqs(server, 1), [1])

    async def test_a_record_that_ends_before_the_callers_copy_is_an_error(self) -> None:
        async def restored(connection: Connection) -> None:
            await connection.receive()
            await connection.send(replay_end(5, cursor_ahead=True))

        with self.assertRaises(CursorAhead):
            await self.seqs(Server([restored]), 1, after=9)

    async def test_whoever_leaves_closes_the_socket(self) -> None:
        closed = asyncio.Event()

        async def watched(connection: Connection) -> None:
            await connection.replay(2)
            await connection.socket.wait_closed()
            closed.set()

        server = Server([watched])
        async with asyncio.timeout(5), server.listening(), server.client() as client:
            async with aclosing(client.follow(SESSION)) as events:
                await anext(events)
            await closed.wait()

    async def test_an_address_of_the_wrong_api_is_named(self) -> None:
        with self.assertRaisesRegex(ValueError, "http"):
            Client("ws://127.0.0.1", "http://127.0.0.1")


def api(request: httpx.Request) -> httpx.Response:
    """The calls of a run."""
    if request.url.path == "/api/sessions":
        return httpx.Response(200, json={"session_id": SESSION})
    if request.url.path.endswith("/history"):
        return httpx.Response(200, json={"events": [{"id": "8"}], "next_cursor": None})
    return httpx.Response(202, json={"id": RUN})


class Running(unittest.IsolatedAsyncioTestCase):
    async def test_a_run_is_followed_to_its_end(self) -> None:
        async def completes(connection: Connection) -> None:
            self.assertEqual(await connection.replay(2), 0)
            earlier = frame(3, "complete", message="an earlier run's") | {"run_id": "another"}
            await connection.send(earlier, frame(4, "complete", message="done"), frame(5))

        server = Server([completes], reply=api)
        async with asyncio.timeout(5), server.listening(), server.client() as client:
            run = client.run("Explain the tides.", mode="copilot", idempotency_key="tides-1")
            seen = [event["event_type"] async for event in run]
        self.assertEqual(seen, ["output", "output", "complete", "complete"])
        sent = [(r.method, r.url.path, r.headers["idempotency-key"]) for r in server.requests]
        self.assertEqual(
            sent,
            [("POST", "/api/sessions", "tides-1"), ("POST", f"/api/sessions/{SESSION}/runs", "tides-1")],
        )

    async def test_a_failed_run_ends_with_its_error(self) -> None:
        async def fails(connection: Connection) -> None:
            await connection.receive()
            await connection.send(
                frame(1, "workflow_failed", error="away"), frame(2, "error", message="away", code="x")
            )

        server = Server([fails], reply=api)
        async with asyncio.timeout(5), server.listening(), server.client() as client:
            seen = [event["event_type"] async for event in client.run("Explain the tides.")]
        self.assertEqual(seen, ["workflow_failed", "error"])

    async def test_a_further_run_is_followed_from_its_own_first_event(self) -> None:
        async def completes(connection: Connection) -> None:
            self.assertEqual((await connection.receive())["after"], 7)
            await connection.send(frame(8), frame(9, "workflow_cancelled"))

        server = Server([completes], reply=api)
        async with asyncio.timeout(5), server.listening(), server.client() as client:
            seen = [event["seq"] async for event in client.run("And the moon?", session_id=SESSION)]
        self.assertEqual(seen, [8, 9])


class TheSynchronousClient(unittest.IsolatedAsyncioTestCase):
    async def test_it_follows_as_the_other_one_does_below_a_running_loop(self) -> None:
        async def killed(connection: Connection) -> None:
            await connection.replay(2)
            connection.kill()

        async def goes_on(connection: Connection) -> None:
            await connection.replay(4)
            await connection.socket.wait_closed()

        server = Server([killed, goes_on])

        def follow() -> list[Any]:
            with Client("http://api", f"ws://127.0.0.1:{server.port}") as client:
                client._client._http._client = httpx.AsyncClient(transport=httpx.MockTransport(server.answer))
                events = client.follow(SESSION)
                return [next(events)["seq"] for _ in range(4)]

        async with asyncio.timeout(10), server.listening():
            self.assertEqual(await asyncio.to_thread(follow), [1, 2, 3, 4])
            # Leaving the client has closed the socket; otherwise the server would not end.

    async def test_closing_it_ends_what_another_thread_waits_for(self) -> None:
        async def quiet(connection: Connection) -> None:
            await connection.replay(0)
            await connection.socket.wait_closed()

        server = Server([quiet])

        def follow(client: Client) -> None:
            with self.assertRaises(concurrent.futures.CancelledError):
                next(client.follow(SESSION))

        async with asyncio.timeout(10), server.listening():
            client = Client("http://api", f"ws://127.0.0.1:{server.port}", on_connection=server.states.append)
            waiting = asyncio.create_task(asyncio.to_thread(follow, client))
            while not server.states:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(client.close)
            await waiting


if __name__ == "__main__":
    unittest.main()
