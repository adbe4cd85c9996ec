"""A model for the test of the console, with the wire format of OpenAI's chat completions.

It plans two steps, holds the answer of a step until the test releases it, and answers with text
that would be markup or a script if the page let it.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORT = 8077

HOSTILE = """\
## Findings

<script>window.broken = 1</script> <img src=x onerror="window.broken = 1"> are text.

A [bad link](javascript:window.broken=1), a [good one](https://example.org/tides) and **strong** words.

| Tide | Height |
|---|---:|
| Spring | 4.2 m |
| Neap | 1.9 m |

```python
print("<b>tides</b>")
```
"""
STEPS = ["Say why the sea rises twice a day", "Compare spring and neap tides"]


class Model:
    """The server, and the lock on the answers of steps."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.released = threading.Event()
        handler = type("Handler", (Handler,), {"model": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", PORT), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, agent: str, schema: dict[str, Any]) -> dict[str, Any]:
        """The answer of an agent."""
        if agent == "planner":
            team = schema["properties"]["steps"]["items"]["properties"]["sub_task_agent"]["enum"]
            steps = [{"sub_task": text, "sub_task_agent": team[0], "bullet_points": ["Be exact"]} for text in STEPS]
            return {"steps": steps}
        if agent == "plan_reviewer":
            return {"approved": True, "recommendations": []}
        self.asked.set()
        self.released.wait(60)
        return {"content": HOSTILE, "summary": "The moon pulls, and the sun too."}


class Handler(BaseHTTPRequestHandler):
    """One call."""

    model: Model
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked = request["response_format"]["json_schema"]
        text = json.dumps(self.model.answer(asked["name"], asked["schema"]))
        message = {"role": "assistant", "content": text, "refusal": None}
        reply = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": request["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }
        body = json.dumps(reply).encode()
        try:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            # The worker was killed.
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Logs nothing."""
