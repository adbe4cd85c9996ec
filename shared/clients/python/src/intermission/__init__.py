"""The client of Intermission: durable, resumable sessions of AI agents.

`Client` is synchronous, `AsyncClient` asynchronous; both have the same methods.
"""

from .aio import AsyncClient
from .client import Client
from .errors import (
    ApiError,
    Conflict,
    ConnectionLost,
    CursorAhead,
    Gone,
    IntermissionError,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from .http import Token
from .record import LiveText
from .types import (
    AgentMessageDelta,
    Approval,
    Artifact,
    Config,
    Detail,
    Event,
    Message,
    Mode,
    Run,
    Summary,
)

__all__ = [
    "AgentMessageDelta",
    "ApiError",
    "Approval",
    "Artifact",
    "AsyncClient",
    "Client",
    "Config",
    "Conflict",
    "ConnectionLost",
    "CursorAhead",
    "Detail",
    "Event",
    "Gone",
    "IntermissionError",
    "Invalid",
    "LiveText",
    "Message",
    "Mode",
    "NotFound",
    "Run",
    "Summary",
    "Token",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
]
