"""A model on this machine that fills whatever form it is given, at the price of one that the price table knows.

It speaks the wire format of OpenAI's chat completions, so that the deployed binaries go through their real client.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loopback import serving

# In shared/agents/prices.json, so that a call costs something.
PRICED = "gpt-5-nano"
# A model that refuses each call for good.
REFUSING = "refusing"
SENTENCE = "The Moon pulls at the sea."
# What not every text can be.
WORDS = {"filename": "tides.py"}
TOKENS = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}


@contextmanager
def running() -> Iterator[str]:
    """Answers until the block is left; gives what `OPENAI_BASE_URL` must be."""

    def answering(_path: str, request: Any) -> tuple[int, Any]:
        if request["model"] == REFUSING:
            return 400, {"error": {"message": "no", "type": "invalid_request_error", "code": "refused"}}
        content = filled(request["response_format"]["json_schema"]["schema"])
        return 200, completion(request["model"], content)

    with serving(answering) as url:
        yield f"{url}/v1"


def completion(model: str, content: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": json.dumps(content), "refusal": None}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    named = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": model}
    return {**named, "choices": [choice], "usage": TOKENS}


def filled(schema: dict[str, Any]) -> Any:
    """The first thing that comes to mind and fits the schema; two of each where a list is wanted."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            return {name: WORDS.get(name) or filled(inner) for name, inner in schema["properties"].items()}
        case "array":
            return [filled(schema["items"])] * 2
        case "boolean":
            return True
    return SENTENCE
