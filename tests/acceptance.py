#!/usr/bin/env python3
"""Runs the demo as a newcomer would and looks at what it leaves, with nothing but Python's own library.

Usage: acceptance.py --bin FOLDER --out FOLDER     exit 0 when every line says ok

It is independent of the project's code on purpose: it reads files and exit codes only.
How long the demo takes is not looked at here, because this is a debug build.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

STORY_LINES_MAX = 60
FORGERIES = 6
PASSED, FAILED, INDETERMINATE = 0, 1, 2

failures = 0


def check(what, holds, why=""):
    global failures
    failures += not holds
    print(("ok    " if holds else "FALLS ") + what + ("" if holds or not why else f": {why}"), flush=True)
    return holds


def run(command, cwd=None, **environment):
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )


def reason_codes(path):
    """One code for each forgery: a text, or an object that has one."""
    forgeries = json.loads(path.read_text(encoding="utf-8"))
    items = list(forgeries.values()) if isinstance(forgeries, dict) else forgeries
    return [item if isinstance(item, str) else item.get("reason_code") or item.get("reason") or item.get("code") for item in items]


def manifest_faults(bag):
    """The paths whose digest is not the one that the bag's own manifests state (RFC 8493)."""
    manifests = sorted(bag.glob("manifest-sha*.txt"))
    faults = [] if manifests else ["no manifest"]
    for manifest in manifests:
        algorithm = manifest.stem.removeprefix("manifest-")
        for line in manifest.read_text(encoding="utf-8").splitlines():
            digest, path = line.split(None, 1)
            if hashlib.new(algorithm, (bag / path).read_bytes()).hexdigest() != digest:
                faults.append(path)
    return faults


def look_at_demo(merestone, out):
    demo = run([merestone, "demo", "--out", out])
    last = demo.stderr.strip().splitlines()[-1:] or [""]
    if not check("the demo ends with exit 0", demo.returncode == 0, f"exit {demo.returncode}: {last[0]}"):
        return None
    lines = demo.stdout.count("\n")
    check(f"the story has at most {STORY_LINES_MAX} lines", lines <= STORY_LINES_MAX, f"{lines}")
    codes = reason_codes(out / "tamper.json")
    distinct = len(set(codes))
    check(f"{FORGERIES} forgeries have {FORGERIES} reason codes", all(codes) and distinct >= FORGERIES, f"{codes}")
    mission = re.search(r"\b[0-9a-f]{64}\b", demo.stdout)
    check("the story names the mission", mission is not None)
    bags = sorted(path.parent for path in out.glob("**/bagit.txt") if len(path.relative_to(out).parts) <= 2)
    check("the demo leaves a bag", bool(bags))
    return (bags[0], mission.group()) if bags and mission else None


def look_at_audit(audit, bag, mission):
    here = run([audit, bag, "--mission", mission, "--json"], cwd="/", TZ="Pacific/Auckland", LANG="ar_EG.UTF-8")
    there = run([audit, bag, "--mission", mission, "--json"], cwd=bag.parent, TZ="UTC", LANG="C")
    check("the audit passes or says what it could not assess", here.returncode in (PASSED, INDETERMINATE), f"exit {here.returncode}")
    check("the audit writes the same bytes under another TZ, LANG and folder", here.stdout == there.stdout != "")
    stranger = run([audit, bag, "--mission", "0" * 64])
    check("the audit refuses a foreign mission", stranger.returncode not in (PASSED, INDETERMINATE), f"exit {stranger.returncode}")
    faults = manifest_faults(bag)
    check("the bag is complete by its own manifests", not faults, f"{faults[:3]}")
    nothing = run([audit, __file__, "--mission", mission])
    said = nothing.stdout.count("\n") + nothing.stderr.count("\n")
    check("a file that is no bag gives a clear line", 0 < nothing.returncode < 100 and said <= 3, f"exit {nothing.returncode}, {said} lines")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--bin", type=pathlib.Path, required=True, help="folder of merestone and merestone-audit")
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder that the demo makes")
    given = arguments.parse_args()
    found = look_at_demo(given.bin.resolve() / "merestone", given.out.resolve())
    if found:
        look_at_audit(given.bin.resolve() / "merestone-audit", *found)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
