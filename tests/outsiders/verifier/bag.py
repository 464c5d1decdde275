"""Judges a bag: the report that `merestone-audit` must agree with (bundle.md)."""

from dataclasses import dataclass, field
from functools import partial

from .acknowledgement import open_acknowledgement, statement_id
from .amendment import Chain
from .bag_bodies import check_bodies
from .bag_files import Bag, Files, open_bag
from .bag_ledger import check_ledger, read_ledger
from .bag_logs import check_authority, check_finality, check_heights, read_logs
from .bag_times import check_times
from .erasure import open_erasure
from .evidence import Evidence
from .findings import Report, doubt, failure, note, report
from .forms import Form, open_form
from .hashing import sha256
from .inclusion import open_inclusion
from .receipt import Receipt, open_receipt
from .refusal import Refused, need
from .roster import Charter, Roster, certified_key, open_charter
from .succession import open_succession


# What a charter that two rivals keep from being amended refuses, and another might not.
_WAITING = {
    "certificate-signer", "certificate-scope", "cut-signer", "cut-quorum", "erasure-quorum", "succession-keys",
    "succession-signatures", "acknowledgement-signer", "acknowledgement-cut", "inclusion-signer", "inclusion-leaf",
    "inclusion-proof", "inclusion-final", "receipt-signer", "amendment-predecessor",
}  # fmt: skip


@dataclass(frozen=True)
class Audited:
    """The report, and what it was made of where the charter could be read."""

    report: Report
    evidence: Evidence | None = None
    forms: dict[bytes, Form] = field(default_factory=dict)
    in_ledger: frozenset[bytes] = frozenset()


def audit(files: Files, mission: bytes) -> Report:
    """Both passes; it always ends with a report."""
    return audit_whole(files, mission).report


def audit_whole(files: Files, mission: bytes) -> Audited:
    """Both passes, with the evidence that they were about."""
    try:
        bag = open_bag(files)
    except Refused as refusal:
        return Audited(report([doubt(refusal.code, file="bag-info.txt")]))
    if bag.mission is not None and bag.mission != mission.hex():
        bag.findings.append(failure("mission-mismatch", file="bag-info.txt"))
    founding = _charter(bag, mission)
    if founding is None:
        return Audited(report(bag.findings))
    amendments, charter, has_rivals = _amendments(bag, founding)
    if any(scope not in charter.scopes for scope in bag.scopes or ()):
        bag.findings.append(failure("bag-unreadable", file="bag-info.txt"))
    evidence = Evidence(Roster(charter))
    receipts, statements = _statements(bag, evidence, has_rivals)
    statements |= amendments
    ledger = read_ledger(bag, charter)
    evidence.final_leaves = ledger.final_leaves()
    final = ledger.certificates() | evidence.ledgered()
    bag.findings += [
        note("certificate-provisional", statement=id_) for id_ in evidence.roster.certificates.keys() - final
    ]
    forms = _forms(bag, charter, has_rivals)
    filled = read_logs(bag, evidence, receipts, ledger)
    check_authority(bag, evidence)
    check_finality(bag, evidence, ledger)
    check_heights(bag, evidence, receipts)
    check_ledger(bag, evidence, ledger, filled, statements)
    check_times(bag, evidence, ledger)
    check_bodies(bag, evidence, forms, final)
    return Audited(report(bag.findings), evidence, forms, final)


def _charter(bag: Bag, mission: bytes) -> Charter | None:
    path = "data/charter.cbor"
    data = bag.files.read(path)
    if data is None:
        bag.findings.append(failure("bag-unreadable", file=path))
        return None
    try:
        return open_charter(data, mission)
    except Refused as refusal:
        bag.findings.append(failure(refusal.code, statement=sha256(data), file=path))
        return None


def _amendments(bag: Bag, founding: Charter) -> tuple[set[bytes], Charter, bool]:
    """The ids of the amendments that are there, the charter in force, and whether two rivals keep it from going on."""
    folder = "data/statements/amendment/"
    ids = {bytes.fromhex(name) for _, name in bag.below(folder)}
    left = list(bag.named_by_hash(folder))
    ids |= {sha256(data) for data in left}
    chain, refused = Chain(founding), dict[bytes, str]()
    while left:
        refused = {}
        for data in left:
            try:
                chain.add(data)
            except Refused as refusal:
                refused[data] = refusal.code
        if len(refused) == len(left):
            break
        left = [data for data in left if data in refused]
    bag.findings += [failure(code, statement=sha256(data)) for data, code in refused.items()]
    charter_id, after = chain.force()
    rivals = after if len(after) > 1 else {}
    bag.findings += [doubt("amendment-rivals", statement=rival) for rival in rivals]
    return ids, chain.charters[charter_id], len(rivals) > 0


def _statements(bag: Bag, evidence: Evidence, has_rivals: bool) -> tuple[list[Receipt], set[bytes]]:
    """Certificates, then what rests on them; the receipts, and the ids of all that is there."""
    roster = evidence.roster
    receipts: list[Receipt] = []
    ids: set[bytes] = set()
    for kind in ("certificate", "succession", "cut", "acknowledgement", "erasure", "receipt", "inclusion"):
        folder = f"data/statements/{kind}/"
        # What is wrong with a file under a statement's name is said once, and not as a statement left out.
        ids |= {bytes.fromhex(name) for _, name in bag.below(folder)}
        for data in bag.named_by_hash(folder, partial(statement_id, kind)):
            id_ = statement_id(kind, data)
            ids.add(id_)
            try:
                match kind:
                    case "certificate":
                        roster.add_certificate(data)
                    case "cut":
                        roster.add_cut(data)
                    case "acknowledgement":
                        found = open_acknowledgement(data, roster)
                        roster.acknowledgements[found.id] = found
                    case "erasure":
                        evidence.erasures.append(open_erasure(data, roster.charter))
                    case "succession":
                        evidence.successions.append(open_succession(data, roster))
                    case "receipt":
                        receipts.append(open_receipt(data, roster))
                    case _:
                        evidence.inclusions.append(open_inclusion(data, roster))
            except Refused as refusal:
                waits = has_rivals and refusal.code in _WAITING
                bag.findings.append(doubt("statement-waits", statement=id_) if waits else failure(refusal.code, statement=id_))
                if waits and kind == "certificate":
                    roster.waiting_keys.add(certified_key(data, roster.charter))
    return receipts, ids


def _forms(bag: Bag, charter: Charter, has_rivals: bool) -> dict[bytes, Form]:
    forms = {}
    for data in bag.named_by_hash("data/forms/"):
        try:
            form = open_form(data)
            if has_rivals and form.id not in charter.forms:
                bag.findings.append(doubt("statement-waits", statement=form.id))
                continue
            need(form.id in charter.forms)
            forms[form.id] = form
        except Refused as refusal:
            bag.findings.append(failure(refusal.code, statement=sha256(data)))
    return forms
