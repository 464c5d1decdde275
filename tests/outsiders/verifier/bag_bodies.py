"""What a bag's bodies say: contexts, claims, photos, and the records that follow (bundle.md, Verdict)."""

from typing import Any

from . import claims, merkle
from .bag_files import Bag
from .context import photo_files
from .entry import CO_AUTHORSHIP, CONCURRENCE, Entry, Header
from .evidence import Evidence
from .findings import doubt, failure, note
from .forms import Form
from .hashing import sha256
from .record import Verdict, judge

_CHUNK = 65_536


def check_bodies(bag: Bag, evidence: Evidence, forms: dict[bytes, Form], in_ledger: frozenset[bytes]) -> None:
    """All findings that need more than a header."""
    erased: set[bytes] = set()
    for record in sorted({entry.header.record for entry in evidence.in_records().values()}):
        verdict = judge(record, evidence, in_ledger)
        erased |= {id_ for id_, standing in verdict.standings.items() if standing == "erased"}
        _report_record(bag, evidence, verdict)
    for entry in evidence.entries.values():
        _check_presence(bag, evidence, entry, erased)
        _check_claims(bag, entry, forms)
    _check_contexts(bag, evidence)
    _check_photos(bag, evidence, erased)


def _place(header: Header) -> dict[str, Any]:
    return {"log": header.log, "seq": header.seq, "entry": header.id}


def _report_record(bag: Bag, evidence: Evidence, verdict: Verdict) -> None:
    held = evidence.in_records()
    for id_, standing in verdict.standings.items():
        header = held[id_].header
        place = _place(header)
        match standing:
            case "out-of-role" if not _names_anothers_certificate(evidence, header):
                bag.findings.append(note("out-of-role", **place))
            case "held":
                bag.findings.append(note("entry-held", **place))
            case "unappliable":
                bag.findings.append(note("entry-unappliable", **place, detail=verdict.faults[id_]))
            case "voided" if header.kind in (CONCURRENCE, CO_AUTHORSHIP) and _was_edited(evidence, verdict, header):
                bag.findings.append(note("edited-after-signature", **place))
            case "waiting" if _waits_for_another(evidence, verdict, header):
                bag.findings.append(doubt("entry-waiting", **place))
    for fork in verdict.forks:
        headers = [held[id_].header for id_ in (*fork.losers, fork.winner)]
        free = [header for header in headers if not evidence.is_covered(header)]
        weigh = note if len(free) <= 1 else doubt
        bag.findings.append(weigh("record-fork", **_place(headers[0])))


def _names_anothers_certificate(evidence: Evidence, header: Header) -> bool:
    """Then `certificate-key` says it."""
    certificate = evidence.certificate(header)
    return certificate is not None and certificate.key != header.key


def _waits_for_another(evidence: Evidence, verdict: Verdict, header: Header) -> bool:
    creation = evidence.in_records().get(header.record)
    if creation is None or not creation.header.creates:
        return True
    held = evidence.in_records()
    return any(ref not in held or verdict.standings.get(ref) == "waiting" for ref in header.refs)


def _was_edited(evidence: Evidence, verdict: Verdict, header: Header) -> bool:
    """Whether an applied change stands on a change that the entry names."""
    held, named = evidence.in_records(), set(header.refs)
    below = list(verdict.applied)
    seen: set[bytes] = set()
    while below:
        refs = set(held[below.pop()].header.refs) - seen
        seen |= refs
        below += [ref for ref in refs if ref in held]
    return bool(named & seen)


def _check_presence(bag: Bag, evidence: Evidence, entry: Entry, erased: set[bytes]) -> None:
    header = entry.header
    if header.id in evidence.damaged:
        return
    if not entry.body_held:
        finding = (
            note("body-erased", **_place(header)) if header.id in erased else doubt("body-missing", **_place(header))
        )
        bag.findings.append(finding)
    elif header.id in erased:
        bag.findings.append(note("erased-but-held", **_place(header)))


def _check_claims(bag: Bag, entry: Entry, forms: dict[bytes, Form]) -> None:
    header = entry.header
    if header.form is None:
        return
    form = forms.get(header.form)
    if form is None:
        bag.findings.append(doubt("form-missing", **_place(header)))
    elif entry.change is not None and entry.body is not None:
        fault = claims.fault(form, entry.change, entry.body.context, header.claims)
        if fault is not None:
            bag.findings.append(note(fault, **_place(header)))


def _check_contexts(bag: Bag, evidence: Evidence) -> None:
    for entry in evidence.entries.values():
        header, body = entry.header, entry.body
        if body is None or not body.context:
            continue
        certificate = evidence.certificate(header)
        if certificate is not None and body.context[4] != certificate.request.observer:
            bag.findings.append(note("context-observer", **_place(header)))


def _check_photos(bag: Bag, evidence: Evidence, erased: set[bytes]) -> None:
    gone = {erasure.photo for erasure in evidence.erasures if erasure.photo is not None}
    paths = {bytes.fromhex(name): path for path, name in bag.below("data/photos/")}
    files = {name: bag.files.read(path) for name, path in paths.items()}
    named: set[bytes] = set()
    for entry in evidence.in_records().values():
        photos = entry.body.context.get(5, []) if entry.body is not None else []
        for photo in photos:
            is_gone = photo[1] in gone or entry.header.id in erased
            for name, size, chunks in photo_files({5: [photo]}):
                named.add(name)
                _check_photo(bag, entry.header, is_gone, name, files.get(name), size, chunks)
    for name in sorted(set(paths) - named):
        data = files[name]
        differs = data is not None and sha256(data) != name
        finding = failure("photo-mismatch", file=paths[name]) if differs else note("bag-foreign-file", file=paths[name])
        bag.findings.append(finding)


def _check_photo(
    bag: Bag, header: Header, is_gone: bool, name: bytes, data: bytes | None, size: int, chunks: bytes
) -> None:
    place = _place(header)
    if data is None:
        if not is_gone:
            bag.findings.append(doubt("photo-missing", **place, detail=name.hex()))
    elif sha256(data) != name:
        bag.findings.append(failure("photo-mismatch", **place, detail=name.hex()))
    elif is_gone:
        bag.findings.append(note("erased-but-held", **place, detail=name.hex()))
    elif len(data) != size or _chunk_root(data) != chunks:
        bag.findings.append(note("photo-facts", **place, detail=name.hex()))


def _chunk_root(data: bytes) -> bytes:
    return merkle.root([merkle.leaf_hash(data[at : at + _CHUNK]) for at in range(0, len(data), _CHUNK)])
