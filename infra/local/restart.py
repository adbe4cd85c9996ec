"""A run waits while the whole stack stops and starts again: the suite's `own_stack::restart`, on
two stacks.
"""

import os
import sys
import tempfile

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
            for part in ("before", "after"):
                with stack.running(settings) as running:
                    suite.run(f"own_stack::restart::{part}", settings, running.env)
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
