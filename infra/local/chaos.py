"""A load of sessions while workers are killed and everything comes more than once: the suite's
`own_stack::chaos`, on a stack of its own. `CHAOS_SESSIONS` is their number; `make chaos` has 500.
"""

import os
import sys

import settings as configuration
import stack
import suite
import template as templates
from processes import Failed

# In `make test` two of each mode.
SMALL = "16"


def main() -> int:
    """Returns 1 when a session did not end right."""
    names = templates.parameter_names(templates.read(configuration.TEMPLATE))
    try:
        with stack.running(settings(names)) as running:
            count = os.environ.get("CHAOS_SESSIONS", SMALL)
            suite.run("own_stack::chaos", running.settings, {**running.env, "CHAOS_SESSIONS": count}, "--nocapture")
    except (Failed, configuration.Invalid) as reason:
        return stack.failed(reason)
    return 0


def settings(names: list[str]) -> configuration.Settings:
    """The settings of the tests, with the offline engine, and an archive that may be asked at any time."""
    chosen = {"MODEL_PROVIDER": "offline", "OFFLINE_LATENCY_MS": "100", "ARXIV_INTERVAL_MS": "1"}
    environment = {**os.environ, **configuration.SCRIPTED_ARXIV, **chosen}
    return configuration.from_environment(names, environment, quick=True, native=True, hot_reload=False)


if __name__ == "__main__":
    sys.exit(main())
