"""Judges a bag: the report that `merestone-audit` must agree with (bundle.md)."""

from .bag_bodies import check_bodies
from .bag_files import Bag, Files, open_bag
from .bag_ledger import check_ledger, read_ledger
from .bag_logs import check_authority, check_heights, read_logs
from .erasure import open_erasure
from .evidence import Evidence
from .findings import Report, doubt, failure, note, report
from .forms import Form, open_form
from .hashing import sha256
from .inclusion import open_inclusion
from .receipt import Receipt, open_receipt
from .refusal import Refused, need
from .roster import Charter, Roster, open_charter
from .succession import open_succession


def audit(files: Files, mission: bytes) -> Report:
    """Both passes; it always ends with a report."""
    try:
        bag = open_bag(files)
    except Refused as refusal:
        return report([doubt(refusal.code, file="bag-info.txt")])
    if bag.mission is not None and bag.mission != mission.hex():
        bag.findings.append(failure("mission-mismatch", file="bag-info.txt"))
    charter = _charter(bag, mission)
    if charter is None:
        return report(bag.findings)
    if any(scope not in charter.scopes for scope in bag.scopes or ()):
        bag.findings.append(failure("bag-unreadable", file="bag-info.txt"))
    evidence = Evidence(Roster(charter))
    receipts, statements = _statements(bag, evidence)
    ledger = read_ledger(bag, charter)
    final = ledger.certificates() | evidence.ledgered()
    bag.findings += [
        note("certificate-provisional", statement=id_) for id_ in evidence.roster.certificates.keys() - final
    ]
    forms = _forms(bag, charter)
    filled = read_logs(bag, evidence, receipts, ledger)
    check_authority(bag, evidence)
    check_heights(bag, evidence, receipts)
    check_ledger(bag, evidence, ledger, filled, statements)
    check_bodies(bag, evidence, forms, final)
    return report(bag.findings)


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


def _statements(bag: Bag, evidence: Evidence) -> tuple[list[Receipt], set[bytes]]:
    """Certificates, then what rests on them; the receipts, and the ids of all that is there."""
    roster = evidence.roster
    receipts: list[Receipt] = []
    ids: set[bytes] = set()
    for kind in ("certificate", "succession", "cut", "erasure", "receipt", "inclusion"):
        folder = f"data/statements/{kind}/"
        # What is wrong with a file under a statement's name is said once, and not as a statement left out.
        ids |= {bytes.fromhex(name) for _, name in bag.below(folder)}
        for data in bag.named_by_hash(folder):
            ids.add(sha256(data))
            try:
                match kind:
                    case "certificate":
                        roster.add_certificate(data)
                    case "cut":
                        roster.add_cut(data)
                    case "erasure":
                        evidence.erasures.append(open_erasure(data, roster.charter))
                    case "succession":
                        open_succession(data, roster)
                    case "receipt":
                        receipts.append(open_receipt(data, roster))
                    case _:
                        evidence.inclusions.append(open_inclusion(data, roster))
            except Refused as refusal:
                bag.findings.append(failure(refusal.code, statement=sha256(data)))
    return receipts, ids


def _forms(bag: Bag, charter: Charter) -> dict[bytes, Form]:
    forms = {}
    for data in bag.named_by_hash("data/forms/"):
        try:
            form = open_form(data)
            need(form.id in charter.forms)
            forms[form.id] = form
        except Refused as refusal:
            bag.findings.append(failure(refusal.code, statement=sha256(data)))
    return forms
