"""`python -m verifier vectors DIR`, and of a folder with `--mission ID [--json]`:

`python -m verifier bag DIR`, `python -m verifier publication DIR [--bag DIR]`.
"""

import argparse
import json
import sys
from pathlib import Path

from . import vectors
from .bag import audit
from .bag_files import FolderFiles
from .findings import Report
from .publication_bag import judge_publication

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
    publication = commands.add_parser("publication", help="judge a publication, apart or against a bag")
    publication.add_argument("folder", type=Path)
    publication.add_argument("--mission", type=bytes.fromhex, required=True)
    publication.add_argument("--bag", type=Path)
    publication.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.command == "vectors":
        return vectors.report(arguments.folder)
    files, mission = FolderFiles(arguments.folder), arguments.mission
    if arguments.command == "publication":
        bag_files = None if arguments.bag is None else FolderFiles(arguments.bag)
        return _tell(judge_publication(files, mission, bag_files), arguments.json)
    return _tell(audit(files, mission), arguments.json)


def _tell(found: Report, as_json: bool) -> int:
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
