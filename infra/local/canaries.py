"""Looks for the words that the tests plant in contents, configurations, tokens and keys: nothing of them may be printed."""

from pathlib import Path

import ministack
from processes import Failed
from settings import PLANTED, Settings


def look(settings: Settings) -> None:
    """Searches the parts' log files and the functions' own logs; raises `Failed` with the lines that hold a planted word."""
    paths = sorted(Path(settings.logs).iterdir())
    said = {path.name: path.read_text(errors="replace").splitlines() for path in paths}
    said["the functions' own"] = ministack.logged(settings)
    found = [f"  {where}: {line}" for where, lines in said.items() for line in lines if PLANTED in line]
    if found:
        raise Failed("\n".join([f"printed, though no log may hold it ({len(found)} lines):", *found[:20]]))
    print(f"  nothing of it in {sum(len(lines) for lines in said.values())} lines of {len(said)} logs", flush=True)
