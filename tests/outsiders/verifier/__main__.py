"""`python -m verifier vectors DIR` and `python -m verifier bag DIR --mission ID [--json]`."""

import argparse
import json
import sys
from pathlib import Path

from . import vectors
from .bag import audit
from .bag_files import FolderFiles

_EXIT = {"PASSED": 0, "FAILED": 1, "INDETERMINATE": 2}


def main() -> int:
    """0: every verdict agrees, or PASSED; 1: one differs, or FAILED; 2: INDETERMINATE."""
    parser = argparse.ArgumentParser(prog="verifier", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("vectors", help="judge fixtures/vectors").add_argument("folder", type=Path)
    bag = commands.add_parser("bag", help="judge a bag")
    bag.add_argument("folder", type=Path)
    bag.add_argument("--mission", type=bytes.fromhex, required=True, help="the mission's id, from whoever you trust")
    bag.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.command == "vectors":
        return vectors.report(arguments.folder)
    return _judge_bag(arguments.folder, arguments.mission, arguments.json)


def _judge_bag(folder: Path, mission: bytes, as_json: bool) -> int:
    found = audit(FolderFiles(folder), mission)
    findings = [finding.as_json() for finding in found.findings]
    if as_json:
        print(json.dumps({"verdict": found.verdict, "findings": findings}))
        return _EXIT[found.verdict]
    print(found.verdict)
    for finding in findings:
        weight, code = finding.pop("weight"), finding.pop("code")
        print(f"{weight:<8}{code:<28}{'  '.join(f'{key} {value}' for key, value in finding.items())}")
    return _EXIT[found.verdict]


if __name__ == "__main__":
    sys.exit(main())
