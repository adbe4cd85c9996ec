"""A run waits while the whole stack stops and starts again: the suite's `own_stack::restart`, on
two stacks. The clients' tests run on the first one, whose model is the offline engine.
"""

import os
import sys
import tempfile

import clients
import settings as configuration
import stack
import suite
import template as templates
from processes import Failed


def main() -> int:
    """Returns 1 when part of the session did not survive."""
    try:
        with tempfile.TemporaryDirectory() as data:
            settings = settings_with(data)
            with stack.running(settings) as before:
                suite.run("own_stack::restart::before", settings, before.env)
                clients.test(before.env)
            with stack.running(settings) as after:
                suite.run("own_stack::restart::after", settings, after.env)
    except (Failed, configuration.Invalid) as reason:
        return stack.failed(reason)
    return 0


def settings_with(data: str) -> configuration.Settings:
    """The settings of `make up` with data in this folder, without keys and providers of the user's
    environment.
    """
    names = templates.parameter_names(templates.read(configuration.TEMPLATE))
    environment = {**os.environ, "DATA": data, "MODEL_PROVIDER": "offline", "OFFLINE_LATENCY_MS": "0"}
    return configuration.from_environment(names, environment, quick=True, hot_reload=False)


if __name__ == "__main__":
    sys.exit(main())
