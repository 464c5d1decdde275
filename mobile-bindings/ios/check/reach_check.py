#!/usr/bin/env python3
"""Whether the façade offers all that the crossing does.

reach_check.py SURFACE SOURCES: every free function and every method of an object in SURFACE (`surface.txt`) is called by a
file in SOURCES. Prints those that are not, a line each, and ends with 1 if there are any.
"""

import re
import sys
from pathlib import Path


def offered(surface: str) -> list[str]:
    """Names of calls; what the app implements for the library is not among them, nor are constructors."""
    names, owner = [], ""
    for line in surface.splitlines():
        call = re.match(r"( *)(?:static )?func (?!new\()(\w+)\(", line)
        if call and (not call[1] or owner == "class"):
            names.append(call[2])
        elif line and not line.startswith(" "):
            owner = line.split(" ")[0]
    return names


def unreached(surface: str, sources: str) -> list[str]:
    return [name for name in offered(surface) if not re.search(rf"\.{name}\(", sources)]


def main(surface: Path, sources: Path) -> int:
    text = "\n".join(file.read_text() for file in sorted(sources.glob("*.swift")))
    wrong = [f"{name}: the crossing offers it, and no call of the façade does" for name in unreached(surface.read_text(), text)]
    print("\n".join(wrong) or f"the façade reaches all {len(offered(surface.read_text()))} calls of the crossing")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
