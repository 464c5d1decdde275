"""`python -m verifier vectors DIR` and `python -m verifier bag DIR --mission ID [--json]`."""

import argparse
import sys
from pathlib import Path

from . import vectors


def main() -> int:
    """0: every verdict agrees, or PASSED; 1: one differs, or FAILED; 2: INDETERMINATE."""
    parser = argparse.ArgumentParser(prog="verifier", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("vectors").add_argument("folder", type=Path)
    arguments = parser.parse_args()
    return vectors.report(arguments.folder)


if __name__ == "__main__":
    sys.exit(main())
