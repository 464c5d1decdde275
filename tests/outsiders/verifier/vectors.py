"""Runs fixtures/vectors: each vector's verdict must be the expected one, facts and code alike."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import facts, facts_carried, facts_ledger, facts_roster
from .facts import At, Facts, Vector
from .refusal import Refused


@dataclass(frozen=True)
class Outcome:
    """One vector; `fault` says how the verdict differs, `not_judged` that this verifier has none."""

    layer: str
    name: str
    fault: str | None
    not_judged: bool = False


def run(folder: Path) -> Iterator[Outcome]:
    """All vectors, in the order of their names."""
    for path in sorted(folder.glob("*/*/*.json")):
        vector = json.loads(path.read_text())
        expected = json.loads(path.with_suffix(".expected").read_text())
        yield _outcome(path, vector, expected)


def report(folder: Path) -> int:
    """Prints a table, then each difference; the exit code."""
    outcomes = list(run(folder))
    agreed: Counter[str] = Counter()
    differ: Counter[str] = Counter()
    passed_over: Counter[str] = Counter()
    for one in outcomes:
        (passed_over if one.not_judged else differ if one.fault else agreed)[one.layer] += 1
    print(f"{'layer':<28}{'agree':>7}{'differ':>8}{'not judged':>12}")
    for layer in sorted({one.layer for one in outcomes}):
        print(f"{layer:<28}{agreed[layer]:>7}{differ[layer]:>8}{passed_over[layer]:>12}")
    print(f"{'all':<28}{agreed.total():>7}{differ.total():>8}{passed_over.total():>12}")
    for one in outcomes:
        if one.fault:
            print(f"{one.name}: {one.fault}")
    return 1 if differ or not outcomes else 0


def _outcome(path: Path, vector: Vector, expected: Facts) -> Outcome:
    group, subject = path.parts[-3], str(vector.get("subject", "entries"))
    subject = {"bundle": "files", "bounds": "times"}.get(group) or subject
    layer = f"{group} {subject}"
    name = f"{group}/{path.parts[-2]}/{path.stem}"
    judged = _JUDGES.get((group, subject))
    if judged is None and subject != "frame":
        return Outcome(layer, name, None, not_judged=True)
    try:
        found = judged(vector) if judged is not None else facts_carried.frame(vector, expected)
    except At as refusal:
        found = {"code": refusal.code, "entry": refusal.index}
    except Refused as refusal:
        found = {"code": refusal.code}
    if group == "bundle" and "code" in expected:
        # Of a bag that fails, the vector tells the verdict and one finding that must be there.
        same = found["verdict"] == expected["verdict"] and expected["code"] in found["findings"]
    else:
        same = found == _knowable(expected, vector)
    return Outcome(layer, name, None if same else f"found {_short(found)}, expected {_short(expected)}")


def _knowable(expected: Facts, vector: Vector) -> Facts:
    """Without the facts of bodies that the vector withholds: nobody who lacks the body can compute them."""
    if "entries" not in expected or "entries" not in vector:
        return expected
    withheld = [item["body"] is None for item in vector["entries"]]
    hidden = {"change": None, "max_op": None}
    entries = [facts | hidden if lacks else facts for facts, lacks in zip(expected["entries"], withheld)]
    return expected | {"entries": entries}


def _short(facts: Facts) -> str:
    text = json.dumps(facts)
    return text if len(text) < 600 else text[:600] + "…"


_JUDGES: dict[tuple[str, str], Callable[[Vector], Facts]] = {
    ("entry", "entries"): facts.entries,
    ("change", "entries"): facts.entries,
    ("roster", "entries"): facts.entries,
    ("claims", "entries"): facts.claims_of,
    ("claims", "form"): facts.form,
    ("bounds", "times"): facts_ledger.times,
    ("exhibit", "exhibit"): facts.exhibit,
    ("fork", "fork"): facts.fork,
    ("roster", "inclusion"): facts_roster.inclusion,
    ("roster", "acknowledgement"): facts_roster.acknowledgement,
    ("roster", "amendment"): facts_roster.amendment,
    ("roster", "succession"): facts_roster.succession,
    ("sync", "cosignature"): facts_roster.cosignature,
    ("publication", "account"): facts.account,
    ("bundle", "files"): facts_carried.bag,
    ("record", "entries"): facts.record,
    ("record", "erasure"): facts.erasure,
    ("roster", "charter"): facts_roster.charter,
    ("roster", "request"): facts_roster.request,
    ("roster", "certificate"): facts_roster.certificate,
    ("roster", "cut"): facts_roster.cut,
    ("disclosure", "disclosure"): facts.disclosure,
    ("checkpoint", "note"): facts_ledger.note,
    ("ledger", "path"): facts_ledger.path,
    ("ledger", "tile"): facts_ledger.tile,
    ("ledger", "bundle"): facts_ledger.bundle,
    ("ledger", "leaves"): facts_ledger.leaves,
    ("ledger", "proof"): facts_ledger.proof,
    ("witness", "cosigned"): facts_ledger.cosigned,
    ("witness", "foreign"): facts_ledger.foreign,
    ("witness", "request"): facts_ledger.witness_answer,
    ("sync", "receipt"): facts_roster.receipt,
    ("courier", "bundle"): facts_carried.courier_bundle,
    ("ticket", "ticket"): facts_carried.ticket,
    ("ticket", "texts"): facts_carried.texts,
    ("nearby", "advert"): facts_carried.advert,
}
