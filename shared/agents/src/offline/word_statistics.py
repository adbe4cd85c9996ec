"""Word statistics of a text, with Python's standard library alone.

Usage: python3 <this file> [text file]
"""

import re
import sys
from collections import Counter

GOAL = "{{goal}}"
TEXT = "{{text}}"
TERMS = ["{{terms}}"]


def read_text(arguments):
    if not arguments:
        return TEXT
    try:
        with open(arguments[0], encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"cannot read {arguments[0]}: {error}")


def main():
    text = read_text(sys.argv[1:])
    words = re.findall(r"\w+", text.lower())
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", text) if s.strip()]
    if not words:
        sys.exit("the text has no words")
    print(GOAL)
    print(f"{len(sentences)} sentences, {len(words)} words, {len(set(words))} of them different")
    print(f"{len(words) / len(sentences):.1f} words a sentence")
    counts = Counter(words)
    for term in TERMS:
        count = counts[term] + counts[term + "s"]
        print(f"{term:20} {count:4} {'#' * min(count, 40)}")


if __name__ == "__main__":
    main()
