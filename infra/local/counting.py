"""A way to DynamoDB that writes down what is asked: how many calls a request has cost, and for which partitions."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# What concerns one connection and not the message.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Calls:
    """The operations in the order in which they came, from all functions."""

    url: str
    operations: list[str] = field(default_factory=list)
    # Of each operation the partition key that it names; none where it names several.
    partitions: list[str | None] = field(default_factory=list)

    def since(self, mark: int) -> list[str]:
        """Sorted, because a function asks for several things at once and their order tells nothing."""
        return sorted(self.operations[mark:])

    def mark(self) -> int:
        return len(self.operations)


def partition(request: dict[str, Any]) -> str | None:
    """The partition key of a request: what IAM compares with `dynamodb:LeadingKeys`."""
    if condition := request.get("KeyConditionExpression"):
        (value,) = re.findall(r"^\s*PK = (:\w+)", condition) or [None]
        named = request["ExpressionAttributeValues"].get(value)
    else:
        named = (request.get("Key") or request.get("Item") or {}).get("PK")
    return named["S"] if named else None


@contextmanager
def counting(port: int) -> Iterator[Calls]:
    """Hands everything on to the service at this port of the loopback address, unchanged: the host is signed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            # What is sent again, because nobody answered in time, is one call all the same.
            if self.headers.get("amz-sdk-request", "attempt=1").startswith("attempt=1"):
                calls.operations.append(self.headers.get("x-amz-target", "?").rpartition(".")[2])
                calls.partitions.append(partition(json.loads(body)))
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
                upstream.request("POST", self.path, body, headers)
                reply = upstream.getresponse()
                self.answer(reply.status, reply.getheaders(), reply.read())
            except (BrokenPipeError, ConnectionResetError):
                """Who asked does not wait any more."""
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
