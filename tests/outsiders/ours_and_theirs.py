"""Holds `merestone-audit` to code that does not know it, over the bags of `merestone demo`.

Usage: python ours_and_theirs.py --bin target/debug --out DIR
The verifier of this folder must come to the same verdict and the same findings at the same places, for the bag and for
each forged copy. PyPI `bagit` must accept the bag and refuse a changed byte, a missing file and an added one.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bagit import Bag, BagError

from verifier.bag import audit
from verifier.bag_files import FolderFiles

# (weight, code, log, seq, entry, what stands for it where it is about no entry)
Place = tuple[str, str, str, int | None, str, str]


def place(finding: dict[str, Any]) -> Place:
    """What two reports must have in common; the words of a finding are each one's own."""
    log, entry = finding.get("log", ""), finding.get("entry", "")
    about = "" if log or entry else finding.get("statement") or finding.get("file") or ""
    return finding["weight"], finding["code"], log, finding.get("seq"), entry, about


def theirs(program: Path, bag: Path, mission: str) -> tuple[str, set[Place]]:
    """The report of `merestone-audit`."""
    told = subprocess.run([program, bag, "--mission", mission, "--json"], capture_output=True, text=True)
    report = json.loads(told.stdout)
    return report["verdict"], {place(finding) for finding in report["findings"]}


def ours(bag: Path, mission: str) -> tuple[str, set[Place]]:
    """The report of the verifier beside this file."""
    report = audit(FolderFiles(bag), bytes.fromhex(mission))
    return report.verdict, {place(finding.as_json()) for finding in report.findings}


def compare(program: Path, bag: Path, mission: str) -> list[str]:
    """How the two reports differ."""
    (verdict, found), (their_verdict, their_found) = ours(bag, mission), theirs(program, bag, mission)
    differ = [] if verdict == their_verdict else [f"{bag.name}: {verdict} here, {their_verdict} by merestone-audit"]
    differ += [f"{bag.name}: only here: {one}" for one in sorted(found - their_found, key=str)]
    differ += [f"{bag.name}: only by merestone-audit: {one}" for one in sorted(their_found - found, key=str)]
    print(f"{bag.name:<18}{verdict:<15}{len(found):>4} findings  {'differs' if differ else 'same'}")
    return differ


def is_whole(bag: Path) -> bool:
    """Whether bagit accepts the bag."""
    try:
        return bool(Bag(str(bag)).validate())
    except BagError:
        return False


def change_byte(bag: Path) -> None:
    """The last byte of a log."""
    log = sorted((bag / "data/logs").iterdir())[0]
    data = log.read_bytes()
    log.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def remove_file(bag: Path) -> None:
    """A certificate."""
    sorted((bag / "data/statements/certificate").iterdir())[0].unlink()


def add_file(bag: Path) -> None:
    """A file that no manifest names."""
    (bag / "data/added.txt").write_text("added\n")


def judge_by_bagit(bag: Path, work: Path) -> list[str]:
    """What bagit says wrongly."""
    faults = [] if is_whole(bag) else ["bagit refuses the bag"]
    forgeries: list[Callable[[Path], None]] = [change_byte, remove_file, add_file]
    for forge in forgeries:
        copy = work / forge.__name__
        shutil.copytree(bag, copy)
        forge(copy)
        faults += [f"bagit accepts {forge.__name__}"] if is_whole(copy) else []
    print(f"bagit accepts the bag and refuses {len(forgeries)} copies" if not faults else "bagit differs")
    return faults


def main() -> int:
    """0: all agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    demo = arguments.out / "demo"
    subprocess.run([arguments.bin / "merestone", "demo", "--out", demo], check=True, stdout=subprocess.DEVNULL)
    mission = json.loads((demo / "report/report.json").read_text())["mission"]
    bags = [demo / "bag", *sorted((demo / "forged").iterdir())]
    differ = [line for bag in bags for line in compare(arguments.bin / "merestone-audit", bag, mission)]
    differ += judge_by_bagit(demo / "bag", arguments.out)
    print(*differ, sep="\n")
    return 1 if differ or len(bags) < 7 else 0


if __name__ == "__main__":
    sys.exit(main())
