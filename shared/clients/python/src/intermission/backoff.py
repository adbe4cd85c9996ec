"""Waiting before a repeated attempt: exponential, with full jitter, so that clients that lost one
server do not return to it at the same moment.
"""

import random
from dataclasses import dataclass

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 20.0


@dataclass
class Backoff:
    """The attempts since the last success."""

    attempts: int = 0

    def next(self) -> float:
        """Seconds until the next attempt."""
        self.attempts += 1
        return random.uniform(0, min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(self.attempts, 16)))

    def reset(self) -> None:
        self.attempts = 0
