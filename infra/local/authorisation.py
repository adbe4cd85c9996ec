"""Who may what: `own_stack::authorisation` of the suite, against the template as it is deployed."""

import sys

import settings as configuration
import stack
import suite
from deployed import deployed
from processes import Failed

GIVEN = {
    # How long the authorizer keeps the issuer's keys.
    "JWKS_TTL_SECONDS": "2",
    # The sweeper's own calls would be counted with a request's.
    "SWEEP_SCHEDULE": "rate(1 day)",
    "MODEL_PROVIDER": "offline",
    "OFFLINE_LATENCY_MS": "0",
}


def main() -> int:
    """1 when a caller may what it may not, or an owner may not what it may."""
    try:
        with deployed(GIVEN, counted=True) as running:
            suite.run("own_stack::authorisation", running.settings, running.env)
    except (Failed, configuration.Invalid) as reason:
        return stack.failed(reason)
    return 0


if __name__ == "__main__":
    sys.exit(main())
