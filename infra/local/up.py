"""`make up`: the stack in the foreground until Ctrl-C."""

import argparse
import os
import sys
import time

import settings as configuration
import stack
import template as templates
from processes import Failed

import functions


def main() -> int:
    """Returns 0 after Ctrl-C, 1 when the stack cannot start or a part of it exits on its own."""
    parser = argparse.ArgumentParser(description="Runs the stack on this machine until Ctrl-C.")
    parser.add_argument("--data", metavar="DIR", help="keep the table's data there (default: in memory)")
    parser.add_argument("--quick", action="store_true", help="the stack that the tests run against")
    parser.add_argument("--ignore-changes", action="store_true", help="no hot reload")
    options = parser.parse_args()
    environment = {**os.environ, **({"DATA": options.data} if options.data else {})}
    try:
        names = templates.parameter_names(templates.read(configuration.TEMPLATE))
        if options.quick:
            settings = configuration.for_tests(names)
        else:
            settings = configuration.from_environment(names, environment, hot_reload=not options.ignore_changes)
        with stack.running(settings) as running:
            print(f"\nthe console: {running.env['HTTP_URL']}/")
            print(f"HTTP_URL={running.env['HTTP_URL']}\nWS_URL={running.env['WS_URL']}")
            print(f"addresses in {stack.relative(settings.state / 'env')}, logs in {stack.relative(settings.logs)}/")
            print("ready", flush=True)
            told = 0
            while True:
                time.sleep(1)
                running.processes.check()
                told += print_deaths(settings, told)
    except (Failed, configuration.Invalid) as reason:
        return stack.failed(reason)
    except KeyboardInterrupt:
        print("stopped", flush=True)
        return 0


def print_deaths(settings: configuration.Settings, told: int) -> int:
    """Prints the functions that died after the first `told` of them, and returns how many."""
    file = functions.deaths(settings)
    new = file.read_text().splitlines()[told:] if file.exists() else []
    for line in new:
        print(line, flush=True)
    return len(new)


if __name__ == "__main__":
    sys.exit(main())
