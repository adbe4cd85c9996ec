"""`make deploy-local`: `own_stack::smoke` of the suite, against the template under its own roles."""

import sys

import settings as configuration
import stack
import suite
from deployed import deployed
from processes import Failed
from settings import SCRIPTED_MODEL

# The scripted model under a name that has a price, so that runs cost something.
GIVEN = {**SCRIPTED_MODEL, "MODEL_ID": "gpt-4o-mini", "PURGE_DELAY_SECONDS": "1"}


def main() -> int:
    """1 when something does not work as it should, or was denied."""
    try:
        with deployed(GIVEN) as running:
            suite.run("own_stack::smoke", running.settings, running.env)
    except (Failed, configuration.Invalid) as reason:
        return stack.failed(reason)
    return 0


if __name__ == "__main__":
    sys.exit(main())
