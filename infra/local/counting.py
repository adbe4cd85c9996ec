"""A way to DynamoDB that writes down what is asked, so that a test can say how many calls a request has cost."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What concerns one connection and not the message.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Calls:
    """The operations in the order in which they came, from all functions."""

    url: str
    operations: list[str] = field(default_factory=list)

    def since(self, mark: int) -> list[str]:
        """Sorted, because a function asks for several things at once and their order tells nothing."""
        return sorted(self.operations[mark:])

    def mark(self) -> int:
        return len(self.operations)


@contextmanager
def counting(port: int) -> Iterator[Calls]:
    """Hands everything on to the service at this port of the loopback address, unchanged: the host is signed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            calls.operations.append(self.headers.get("x-amz-target", "?").rpartition(".")[2])
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
                upstream.request("POST", self.path, body, headers)
                reply = upstream.getresponse()
                self.answer(reply.status, reply.getheaders(), reply.read())
            finally:
                upstream.close()

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test's own lines are what counts."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        calls = Calls(f"http://127.0.0.1:{server.server_port}")
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield calls
        server.shutdown()
