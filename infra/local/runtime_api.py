"""Lambda's Runtime API for one function, and a wire in front of its table: what the benchmark measures with."""

import json
import os
import queue
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Event = dict[str, Any]
PATIENCE_SECONDS = 30.0


class Server(ThreadingHTTPServer):
    """Says nothing when a function is stopped while it waits for an event."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Function:
    """A function's binary, running against a Runtime API of its own."""

    def __init__(self, binary: Path, environment: Mapping[str, str]) -> None:
        self._events: queue.Queue[Event] = queue.Queue()
        self._replies: queue.Queue[tuple[float, Any]] = queue.Queue()
        self._ready = threading.Event()
        self._ready_at = self._sent_at = 0.0
        self._server = Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        told = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": binary.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
        }
        started = time.perf_counter()
        self._process = subprocess.Popen([binary], env={**environment, **told}, stdout=subprocess.DEVNULL)
        if not self._ready.wait(PATIENCE_SECONDS):
            self.stop()
            raise TimeoutError(f"{binary.name} did not ask for an event")
        self.cold_start_seconds = self._ready_at - started

    def invoke(self, event: Event) -> tuple[Any, float]:
        """The function's answer, and the seconds between the event's way out and the answer's way in."""
        self._events.put(event)
        arrived, answer = self._replies.get(timeout=PATIENCE_SECONDS)
        return answer, arrived - self._sent_at

    def peak_memory_kib(self) -> int:
        """The most that was resident so far (Linux only)."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        raise LookupError("VmHWM")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        function = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                if not function._ready.is_set():
                    function._ready_at = time.perf_counter()
                    function._ready.set()
                body = json.dumps(function._events.get()).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-0000-0000-000000000000")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 60_000))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:0:function:bench")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                function._sent_at = time.perf_counter()
                self.wfile.write(body)

            def do_POST(self) -> None:
                arrived = time.perf_counter()
                body = self._body()
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                function._replies.put((arrived, json.loads(body)))

            def _body(self) -> bytes:
                if length := self.headers.get("Content-Length"):
                    return self.rfile.read(int(length))
                chunks = b""
                while size := int(self.rfile.readline(), 16):
                    chunks += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return chunks

        return Handler


class Wire:
    """Forwards connections to a port and notes when each call was asked and when the last of its answer came."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._calls: list[list[float]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self) -> None:
        self._calls = []

    def calls(self) -> int:
        return len(self._calls)

    def busy_seconds(self) -> float:
        """How long at least one call was under way."""
        busy, until = 0.0, 0.0
        for asked, answered in sorted(self._calls):
            busy += max(0.0, answered - max(asked, until))
            until = max(until, answered)
        return busy

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(("127.0.0.1", self._target))
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._forward, args=(near, far), daemon=True).start()

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        call, answering = [0.0, 0.0], True
        while True:
            for end in select.select([near, far], [], [])[0]:
                data = end.recv(65536)
                if not data:
                    near.close()
                    far.close()
                    return
                if end is near and answering:
                    call, answering = [time.perf_counter(), 0.0], False
                    self._calls.append(call)
                (far if end is near else near).sendall(data)
                if end is far:
                    call[1], answering = time.perf_counter(), True


def environment_for(table: str, dynamodb_port: int) -> dict[str, str]:
    """What a function needs to reach a table on this machine; queue and connections lead nowhere."""
    nowhere = "http://127.0.0.1:9"
    return {
        "PATH": os.environ["PATH"],
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL": nowhere,
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{dynamodb_port}",
        "TABLE_NAME": table,
        "QUEUE_URL": nowhere,
        "BUCKET_NAME": "none",
        "WS_CALLBACK_URL": nowhere,
        "RUST_LOG": "info",
    }
