"""What an app can call of the Swift package, as text: of compiled modules by their symbol graphs, of Apple's files as written.

surface.py GRAPHS PACKAGE: compares it with what PACKAGE/surface has; with MERESTONE_WRITE_SURFACES set it writes that.
"""

import json
import os
import re
import sys
from collections import defaultdict
from pathlib import Path

RENEW = "MERESTONE_WRITE_SURFACES"
MODULES = ("Merestone", "MerestoneScreens")
# Every type has them, whether it says so or not.
IMPLIED = {"Copyable", "Escapable", "BitwiseCopyable", "SendableMetatype"}


def of_module(graphs: list[dict]) -> list[str]:
    """A line for each public symbol below its type, in the order of names."""
    symbols = [symbol for graph in graphs for symbol in graph["symbols"]]
    names = {symbol["identifier"]["precise"]: symbol["pathComponents"][-1] for symbol in symbols}
    conforms: dict[str, set[str]] = defaultdict(set)
    for relation in (relation for graph in graphs for relation in graph["relationships"]):
        if relation["kind"] in ("conformsTo", "inheritsFrom"):
            outside = relation.get("targetFallback", "").rpartition(".")[2]
            conforms[relation["source"]].add(names.get(relation["target"], outside))
    lines = set()
    for symbol in symbols:
        path, said = symbol["pathComponents"], "".join(part["spelling"] for part in symbol["declarationFragments"])
        written = set(re.findall(r"\w+", said.partition(" : ")[2]))
        kinds = sorted(conforms[symbol["identifier"]["precise"]] - IMPLIED - written - {""})
        lines.add((tuple(path), re.sub(r"\s+", " ", said) + (f" : {', '.join(kinds)}" if kinds else "")))
    return [f"{'.'.join(path[:-1]) or '-'}\t{said}" for path, said in sorted(lines)]


def as_written(files: dict[str, str]) -> list[str]:
    """The public declarations of files that are not compiled here, without their bodies."""
    found = []
    for name, text in sorted(files.items()):
        lines = iter(text.splitlines())
        for line in lines:
            said = line.strip()
            is_case = re.fullmatch(r"case \w+(\(.*\))?(, \w+(\(.*\))?)*", said)
            if not said.startswith("public ") and not is_case:
                continue
            while said.count("(") > said.count(")"):
                said += " " + next(lines).strip()
            closed = said.rfind(")") + 1
            body = re.search(r" \{| = ", said[closed:])
            found.append(f"{name}\t{said[: closed + body.start()] if body else said}")
    return found


def surfaces(graphs: Path, package: Path) -> dict[str, list[str]]:
    found = {}
    for module in MODULES:
        files = [graphs / f"{module}.symbols.json", *sorted(graphs.glob(f"{module}@*.symbols.json"))]
        found[f"{module}.api"] = of_module([json.loads(file.read_text()) for file in files])
    apple = package / "Sources" / "Merestone" / "Apple"
    found["Apple.api"] = as_written({file.name: file.read_text() for file in apple.glob("*.swift")})
    return found


def main(graphs: Path, package: Path) -> int:
    is_wrong = False
    for name, lines in surfaces(graphs, package).items():
        committed = package / "surface" / name
        if RENEW in os.environ:
            committed.parent.mkdir(exist_ok=True)
            committed.write_text("".join(f"{line}\n" for line in lines))
        known = committed.read_text().splitlines() if committed.exists() else []
        for line in [f"- {line}" for line in known if line not in lines] + [f"+ {line}" for line in lines if line not in known]:
            print(f"surface/{name}: {line}")
            is_wrong = True
    if is_wrong:
        print(f"what an app can call has changed: look at it, and renew it with {RENEW}=1")
    return is_wrong


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
