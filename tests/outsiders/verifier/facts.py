"""What is found in a vector of entries, records, disclosures and publications, as its `.expected` says it."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from . import claims
from .account import open_account
from .acknowledgement import open_acknowledgement
from .amendment import Chain
from .disclosure import Disclosure, open_disclosure
from .entry import open_entry, open_header
from .erasure import open_erasure
from .evidence import Evidence
from .exhibit import open_exhibit
from .fork import open_fork
from .forms import STANDARD, open_form
from .history import History, check_history
from .inclusion import open_inclusion
from .record import judge
from .refusal import Refused, need
from .roster import Roster, open_charter

Vector = dict[str, Any]
Facts = dict[str, Any]

_STANDARD_NAMES = ("coarse place", "exact place", "day", "exact time", "post", "observer", "photos", "reserved")


class At(Refused):
    """A refusal of the entry with this index."""

    def __init__(self, code: str, index: int) -> None:
        super().__init__(code)
        self.index = index


def octets(value: Any) -> bytes:
    """Bytes of a vector: hex, or pieces of it."""
    if isinstance(value, str):
        return bytes.fromhex(value)
    return b"".join(
        bytes.fromhex(piece) if isinstance(piece, str) else bytes.fromhex(piece["repeat"]) * piece["times"]
        for piece in value
    )


def mission_of(vector: Vector) -> bytes:
    return bytes.fromhex(vector["mission"])


def chain_of(vector: Vector) -> Chain:
    """The charter and its amendments."""
    chain = Chain(open_charter(octets(vector["charter"]), bytes.fromhex(vector["mission"])))
    for data in vector.get("statements", {}).get("amendments", []):
        chain.add(octets(data))
    return chain


def roster_of(vector: Vector) -> Roster:
    roster = Roster(chain_of(vector).in_force)
    statements = vector.get("statements", {})
    for certificate in statements.get("certificates", []):
        # A certificate that is refused is not held; the vectors of weak keys have such ones.
        with suppress(Refused):
            roster.add_certificate(octets(certificate))
    for cut in statements.get("cuts", []):
        roster.add_cut(octets(cut))
    for data in statements.get("acknowledgements", []):
        acknowledgement = open_acknowledgement(octets(data), roster)
        roster.acknowledgements[acknowledgement.id] = acknowledgement
    return roster


def evidence_of(vector: Vector) -> Evidence:
    roster = roster_of(vector)
    erasures = [open_erasure(octets(one), roster.charter) for one in vector["statements"].get("erasures", [])]
    inclusions = [open_inclusion(octets(one), roster) for one in vector["statements"].get("inclusions", [])]
    return Evidence(roster, erasures, inclusions)


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


def opened_leaves(found: Disclosure) -> Iterator[Facts]:
    for one in found.opened:
        place = one.position
        name = _STANDARD_NAMES[place] if place < STANDARD else found.form.leaves[place - STANDARD][0]
        facts: Facts = {"position": place, "name": name}
        if one.is_absent:
            yield facts | {"absent": True}
        elif one.cells is not None:
            yield facts | {"cells": [list(cell) for cell in one.cells]}
        elif place == 6:
            yield facts | {"value": [photo[1].hex() for photo in one.value]}
        else:
            yield facts | {"value": plain(one.value)}


def entries(vector: Vector) -> Facts:
    """Every entry in order of delivery, each held to all rules."""
    evidence, facts = evidence_of(vector), []
    histories: dict[bytes, History] = {}
    for index, item in enumerate(vector["entries"]):
        try:
            header = open_header(octets(item["header"]), mission_of(vector))
            evidence.check_place(header)
            entry = open_entry(header, None if item["body"] is None else octets(item["body"]))
            need(entry.fault is None, entry.fault or "")
            evidence.add(entry)
            evidence.check_authority(header)
            if entry.change is not None and all(ref in histories for ref in header.refs):
                histories[header.id] = check_history(entry.change, [histories[ref] for ref in header.refs])
            if entry.change is not None and entry.body is not None:
                forms = {form.id: form for form in map(open_form, map(octets, vector["forms"]))}
                fault = claims.fault(forms[header.form or b""], entry.change, entry.body.context, header.claims)
                need(fault is None, fault or "")
        except Refused as refusal:
            raise At(refusal.code, index) from None
        facts.append(
            {
                "id": header.id.hex(),
                "log": header.log.hex(),
                "seq": header.seq,
                "kind": header.kind,
                "record": header.record.hex(),
                "actor": header.actor.hex(),
                "change": entry.change.hash.hex() if entry.change else None,
                "max_op": entry.change.max_op if entry.change else None,
                "claims": header.claims.hex() if header.claims else None,
            }
        )
    return {"entries": facts}


def claims_of(vector: Vector) -> Facts:
    facts = entries(vector)
    header = open_header(octets(vector["entries"][-1]["header"]), mission_of(vector))
    entry = open_entry(header, octets(vector["entries"][-1]["body"]))
    forms = {form.id: form for form in map(open_form, map(octets, vector["forms"]))}
    assert entry.change is not None and entry.body is not None
    found = claims.compute(forms[header.form or b""], entry.change, entry.body.context)
    return facts | {
        "entry": len(vector["entries"]) - 1,
        "seed": entry.change.seed.hex(),
        "salts": [salt.hex() for salt in found.salts],
        "leaves": [leaf.hex() for leaf in found.leaves],
        "root": found.root.hex(),
    }


def form(vector: Vector) -> Facts:
    form = open_form(octets(vector["form"]))
    facts: Facts = {"id": form.id.hex(), "kind": form.kind, "leaves": [name for name, _ in form.leaves]}
    return facts | ({"must": list(form.must)} if form.must else {})


def disclosure(vector: Vector) -> Facts:
    form = open_form(octets(vector["forms"][0]))
    found = open_disclosure(octets(vector["disclosure"]), mission_of(vector), form)
    header = found.header
    return {
        "id": header.id.hex(),
        "key": header.key.hex(),
        "form": form.id.hex(),
        "opened": list(opened_leaves(found)),
    }


def record(vector: Vector) -> Facts:
    evidence = evidence_of(vector)
    for item in vector["entries"]:
        header = open_header(octets(item["header"]), mission_of(vector))
        evidence.add(open_entry(header, None if item["body"] is None else octets(item["body"])))
    verdict = judge(bytes.fromhex(vector["record"]), evidence, evidence.ledgered())
    return {
        "record": vector["record"],
        "applied": [id_.hex() for id_ in verdict.applied],
        "standings": {id_.hex(): standing for id_, standing in verdict.standings.items()},
        "view": {
            key: [{"value": value, "entry": id_.hex()} for value, id_ in values] for key, values in verdict.view.items()
        },
    }


def erasure(vector: Vector) -> Facts:
    found = open_erasure(octets(vector["erasure"]), roster_of(vector).charter)
    return {"id": found.id.hex(), "record": found.record.hex(), "heads": [head.hex() for head in found.heads]}


def account(vector: Vector) -> Facts:
    found = open_account(octets(vector["account"]), roster_of(vector).charter)
    return {
        "id": found.id.hex(),
        "party": found.party,
        "scopes": [scope.hex() for scope in found.scopes],
        "forms": [form.hex() for form in found.rules],
        "states": sorted(entry[2] for log in found.logs for entry in log.entries),
        "exceptions": len(found.exceptions),
    }


def fork(vector: Vector) -> Facts:
    found = open_fork(octets(vector["fork"]), mission_of(vector))
    shown = found.certificates
    return {
        "entries": [one.id.hex() for one in found.entries],
        "key": found.entries[0].key.hex(),
        "log": found.entries[0].log.hex(),
        "seq": found.entries[0].seq,
        "certificates": [one.id.hex() for one in shown] if shown is not None else None,
        "charter": found.charter_id.hex() if found.charter_id is not None else None,
    }


def exhibit(vector: Vector) -> Facts:
    found = open_exhibit(octets(vector["exhibit"]), mission_of(vector))
    opened = list(opened_leaves(found.disclosure)) if found.disclosure is not None else []
    after = found.not_after
    return {
        "id": found.header.id.hex(),
        "key": found.header.key.hex(),
        "certificates": [one.id.hex() for one in found.certificates],
        "charter": found.charter_id.hex(),
        "index": found.proof.index if found.proof is not None else None,
        "confirmation": found.proof.tally.confirmation if found.proof is not None else None,
        "not_after": after.time if after is not None and after.holds else None,
        "opened": [[one["name"], one["value"]] for one in opened] if found.disclosure is not None else None,
    }
