#!/usr/bin/env python3
"""Whether the Swift screens say what the Kotlin screens say, and have words for all of it.

phrases_check.py SWIFT_SCREENS KOTLIN_SCREENS INTERVIEW compares the English phrase books, and looks whether each code that
Swift says, and each warning of a photo that the library's source INTERVIEW gives, has a phrase. Prints what is wrong, a line
each, and ends with 1 if anything is.
"""

import re
import sys
from pathlib import Path

TEXT = r'"((?:[^"\\]|\\.)*)"'
# What the library names by itself: its own sentence is said where there is no phrase.
OPEN = ("sync.advice.", "sync.end.", "problem.", "refused.", "custody.some.")


def phrases(source: str, between: str) -> dict[str, str]:
    """Phrases by code; a long one is written as several texts with `+` between them."""
    entry = re.compile(TEXT + rf"\s*{between}\s*((?:{TEXT}\s*\+?\s*)+)")
    return {found[1]: "".join(re.findall(TEXT, found[2])) for found in entry.finditer(source)}


def said(sources: list[str]) -> set[str]:
    call = re.compile(r'(?:Message|counting|said|saving)\(\s*"([a-z.-]+)"')
    return {code for source in sources for code in call.findall(source)}


def warned(interview: str) -> set[str]:
    """Codes of the phrases for what is told of a photo."""
    return {f"photo.{code}" for code in re.findall(r'warnings\.push\("([a-z-]+)"', interview)}


def faults(swift: dict[str, str], kotlin: dict[str, str], codes: set[str]) -> list[str]:
    names = {code.partition("#")[0] for code in swift}
    return (
        [f"{code}: only in Kotlin" for code in sorted(kotlin.keys() - swift.keys())]
        + [f"{code}: only in Swift" for code in sorted(swift.keys() - kotlin.keys())]
        + [f"{code}: other words" for code in sorted(swift.keys() & kotlin.keys()) if swift[code] != kotlin[code]]
        + [f"{code}: said, and no phrase for it" for code in sorted(codes - names) if not code.startswith(OPEN)]
        + [f"{code}: nothing says it" for code in sorted(names - codes) if code.startswith("photo.")]
    )


def main(swift: Path, kotlin: Path, interview: Path) -> int:
    own = phrases((swift / "English.swift").read_text(), ":")
    others = phrases((kotlin / "English.kt").read_text(), "to")
    codes = said([file.read_text() for file in swift.glob("*.swift") if file.name != "English.swift"])
    warnings = warned(interview.read_text())
    wrong = faults(own, others, codes | warnings)
    if len(own) < 100 or len(codes) < 40 or len(warnings) < 2:
        wrong.append(f"only {len(own)} phrases, {len(codes)} codes and {len(warnings)} warnings were found: this check reads them wrongly")
    print("\n".join(wrong) or f"{len(own)} phrases are those of Kotlin, and {len(codes | warnings)} codes have one")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4])))
