"""Checks what rustfmt and clippy do not: the width of comments, and that a type name has one meaning.

A comment has at most 100 columns; only a single link may be longer. Inside a crate no two types
have one name, and across crates no two public types have one.
"""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator

from settings import ROOT

WIDTH = 100
COMMENT = re.compile(r"\s*//")
LINK = re.compile(r"\s*//[/!]?\s*\S+$")
TYPE = re.compile(r"^(pub )?(?:pub\(\w+\) )?(?:struct|enum|trait|type|union) (\w+)", re.MULTILINE)
TESTS = "\n#[cfg(test)]\nmod tests {"


def main() -> int:
    """1 when a line or a name breaks a rule; prints each."""
    sources = dict(rust_sources())
    faults = [*wide_comments(sources.items()), *repeated_types(sources.items())]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def rust_sources() -> Iterator[tuple[str, str]]:
    """Path and text of each Rust file that git knows or would add."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.rs"]
    for path in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split():
        if (ROOT / path).is_file():
            yield path, (ROOT / path).read_text()


def wide_comments(sources: Iterable[tuple[str, str]]) -> list[str]:
    """Each comment line above the width."""
    return [
        f"{path}:{number}: a comment of {len(line)} columns; at most {WIDTH}"
        for path, text in sources
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > WIDTH and COMMENT.match(line) and not LINK.match(line)
    ]


def repeated_types(sources: Iterable[tuple[str, str]]) -> list[str]:
    """Each name that two types of a crate, or public types of two crates, have. Tests do not count."""
    places = defaultdict[str, list[tuple[str, str, bool]]](list)
    for path, text in sources:
        crate, _, rest = path.partition("/src/")
        if not rest or crate.startswith("tests"):
            continue
        for public, name in TYPE.findall(text.split(TESTS)[0]):
            places[name].append((crate, path, bool(public)))
    faults = []
    for name, found in sorted(places.items()):
        crates = [crate for crate, _, _ in found]
        public = {crate for crate, _, public in found if public}
        if len(crates) > len(set(crates)) or len(public) > 1:
            faults.append(f"{name} is a type of {' and of '.join(path for _, path, _ in found)}")
    return faults


if __name__ == "__main__":
    sys.exit(main())
