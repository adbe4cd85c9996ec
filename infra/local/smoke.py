"""`make deploy-local`: the suite's `own_stack::smoke`, on the template with its roles."""

import sys

import settings as configuration
import stack
import suite
from deployed import deployed
from processes import Failed
from settings import SCRIPTED_MODEL

# The scripted model under a name with a price, so that runs have costs.
GIVEN = {**SCRIPTED_MODEL, "MODEL_ID": "gpt-4o-mini", "PURGE_DELAY_SECONDS": "1"}


def main() -> int:
    """Returns 1 when a test fails or a function was denied access."""
    try:
        with deployed(GIVEN) as running:
            suite.run("own_stack::smoke", running.settings, running.env)
    except (Failed, configuration.Invalid) as reason:
        return stack.failed(reason)
    return 0


if __name__ == "__main__":
    sys.exit(main())
