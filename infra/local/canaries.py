"""Looks for the words that the tests plant in contents, configurations, tokens and keys: nothing of them may be printed."""

from pathlib import Path

import ministack
from processes import Failed
from settings import PLANTED, Settings


def look(settings: Settings) -> None:
    """Searches the parts' log files and the functions' own logs; raises `Failed` with the lines that hold a planted word."""
    said = [(path.name, path.read_text(errors="replace")) for path in sorted(Path(settings.logs).iterdir())]
    said += functions_logs(settings)
    found = [f"  {where}: {line}" for where, text in said for line in text.splitlines() if PLANTED in line]
    if found:
        raise Failed("\n".join([f"printed, though no log may hold it ({len(found)} lines):", *found[:20]]))
    print(f"nothing of it in {sum(len(text.splitlines()) for _, text in said)} lines of {len(said)} logs", flush=True)


def functions_logs(settings: Settings) -> list[tuple[str, str]]:
    """What MiniStack keeps of the functions that it runs itself: a name and the lines of each log group."""
    logs = ministack.client(settings, "logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    pages = {name: logs.get_paginator("filter_log_events").paginate(logGroupName=name) for name in groups}
    return [
        (name, "\n".join(event["message"] for page in found for event in page["events"]))
        for name, found in pages.items()
    ]
