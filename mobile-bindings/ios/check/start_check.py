"""start_check.py START_TESTS README: the first ten minutes on the page are those that the tests run."""

from __future__ import annotations

import sys
from pathlib import Path


def between(text: str, start: str, end: str) -> str:
    return text.split(start, 1)[1].split(end, 1)[0]


def main(tests: Path, page: Path) -> int:
    run = between(tests.read_text(encoding="utf-8"), "// start\n", "// end\n")
    section = between(page.read_text(encoding="utf-8"), "## Swift in ten minutes\n", "\n## ")
    shown = between(section, "```swift\n", "```")
    if run != shown:
        print(f"{page}: the Swift block is not what stands between // start and // end in {tests.name}: copy it there")
        return 1
    print("the first ten minutes on the page are those that the tests run")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
