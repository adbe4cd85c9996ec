"""Runs the suite's `own_stack::authorisation` on the deployed template."""

import sys

import settings as configuration
import stack
import suite
from deployed import deployed
from processes import Failed

GIVEN = {
    # How long the authorizer caches the issuer's keys.
    "JWKS_TTL_SECONDS": "2",
    # The sweeper's calls would be counted with those of a request.
    "SWEEP_SCHEDULE": "rate(1 day)",
    "MODEL_PROVIDER": "offline",
    "OFFLINE_LATENCY_MS": "0",
}


def main() -> int:
    """Returns 1 when a permission is missing or too wide."""
    try:
        with deployed(GIVEN, counted=True) as running:
            suite.run("own_stack::authorisation", running.settings, running.env)
    except (Failed, configuration.Invalid) as reason:
        return stack.failed(reason)
    return 0


if __name__ == "__main__":
    sys.exit(main())
