"""A publication as a folder: what it shows under its party's account (publication.md, Checks)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import cbor
from .account import Account, Log, Row, open_account
from .amendment import open_charter_file
from .bag_files import Files
from .context import photo_files
from .disclosure import Disclosure, Opened, open_disclosure
from .entry import Header, log_id
from .findings import Finding, doubt, failure, note
from .forms import STANDARD, Form, open_form
from .hashing import sha256
from .publication_files import check_files
from .publication_table import table
from .refusal import Refused, need
from .roster import Charter

SHOWN, ERASED, NOT_HELD, VOID, NOT_APPLIED, UNKNOWN_KIND, ROLE = 0, 16, 17, 18, 19, 20, 32
FACTS = ("coarse-place", "exact-place", "day", "exact-time", "post", "observer", "photos", "reserved")
_RESERVED = 7
_DISCLOSURES_MAX = 268_435_456


@dataclass(frozen=True)
class Listed:
    """A row of the account with the log it stands in."""

    log: Log
    row: Row

    @property
    def id(self) -> bytes:
        return self.row[1]

    @property
    def state(self) -> int | None:
        """Nothing where the entry is left out by decision."""
        return self.row[2] if self.row[3] is None else None


@dataclass
class Publication:
    """What could be read, and what is wrong with it."""

    charter: Charter
    account: Account
    forms: dict[bytes, Form] = field(default_factory=dict)
    # By entry id, as far as it opens what its form has.
    shown: dict[bytes, Disclosure] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    listed: dict[bytes, Listed] = field(init=False)

    def __post_init__(self) -> None:
        self.listed = {row[1]: Listed(log, row) for log in self.account.logs for row in log.entries}

    def say(self, finding: Finding) -> None:
        self.findings.append(finding)

    def decision(self, form: Form, position: int, record: bytes) -> Any:
        """How a leaf is decided in a record: by an exception, or by the rule of the form."""
        exceptions = self.account.exceptions.get(record, {})
        return exceptions.get(label(form, position), self.account.rules[form.id][position])


def label(form: Form, position: int) -> str:
    """The label of a leaf."""
    return f"context/{FACTS[position]}" if position < STANDARD else form.leaves[position - STANDARD][0]


def open_publication(files: Files, mission: bytes) -> tuple[Publication | None, list[Finding]]:
    """The publication, and what its folder alone shows."""
    findings = check_files(files, mission)
    charter_bytes, account_bytes = files.read("data/charter.cbor"), files.read("data/account.cbor")
    if charter_bytes is None or account_bytes is None:
        return None, findings
    try:
        charter, _ = open_charter_file(charter_bytes, mission)
    except Refused as refusal:
        return None, [*findings, failure(refusal.code, file="data/charter.cbor")]
    try:
        account = open_account(account_bytes, charter)
    except Refused as refusal:
        return None, [*findings, failure(refusal.code, file="data/account.cbor")]
    publication = Publication(charter, account, findings=findings)
    _read_forms(publication, files)
    photos = _read_disclosures(publication, files)
    _check_photos(publication, files, photos)
    _check_account(publication)
    _check_tables(publication, files)
    return publication, publication.findings


def _read_forms(publication: Publication, files: Files) -> None:
    account = publication.account
    for id_, rule in account.rules.items():
        path = f"data/forms/{id_.hex()}.cbor"
        data = files.read(path)
        if data is None:
            publication.say(failure("publication-unreadable", file=path))
        try:
            form = _form(publication, path, data)
            need(form.id == id_ and len(rule) == form.positions and rule[_RESERVED] == SHOWN)
            need(not any(_is_partly(decision) and not _is_repeat(form, at) for at, decision in enumerate(rule)))
        except Refused:
            publication.say(failure("publication-form", file=path))
            continue
        publication.forms[id_] = form
        if id_ not in publication.charter.forms:
            publication.say(note("publication-form-unsigned", file=path))
        for at in form.must:
            if rule[at] != SHOWN or any(labels.get(label(form, at), SHOWN) != SHOWN for labels in _exceptions(account)):
                publication.say(failure("publication-must", file=path, detail=label(form, at)))


def _form(publication: Publication, path: str, data: bytes | None) -> Form:
    need(data is not None, "publication-form")
    try:
        return open_form(data or b"")
    except Refused as refusal:
        publication.say(failure(refusal.code, file=path))
        raise


def _exceptions(account: Account) -> list[dict[str, Any]]:
    return list(account.exceptions.values())


def _is_partly(decision: Any) -> bool:
    return isinstance(decision, tuple)


def _is_repeat(form: Form, position: int) -> bool:
    return position >= STANDARD and form.leaves[position - STANDARD][1] == 1


def _read_disclosures(publication: Publication, files: Files) -> set[bytes]:
    """The hashes of the photos that an opened leaf names."""
    photos: set[bytes] = set()
    for path in files.paths():
        if not path.startswith("data/disclosures/"):
            continue
        name, before = path.removeprefix("data/disclosures/").removesuffix(".cborseq"), b""
        for data in _sequence(publication, path, files.read(path)):
            found = _open(publication, data, path)
            if found is None:
                continue
            header, listed = found.header, publication.listed.get(found.header.id)
            is_ours = listed is not None and listed.state == SHOWN and header.record.hex() == name
            if not is_ours or header.id <= before or header.id in publication.shown:
                publication.say(failure("publication-foreign", entry=header.id, file=path))
                continue
            before = header.id
            publication.shown[header.id] = found
            for one in found.opened:
                if one.position == 6 and not one.is_absent:
                    photos |= {photo[0] for photo in photo_files({5: one.value})}
    return photos


def _sequence(publication: Publication, path: str, data: bytes | None) -> Iterator[bytes]:
    at = 0
    while data is not None and at < len(data):
        try:
            need(len(data) <= _DISCLOSURES_MAX)
            _, end = cbor.decode_first(data, at)
        except Refused as refusal:
            publication.say(failure(refusal.code, file=path))
            return
        yield data[at:end]
        at = end


def _open(publication: Publication, data: bytes, path: str) -> Disclosure | None:
    item = cbor.decode(data)
    try:
        need(type(item) is dict and type(item.get(2)) is bytes)
        named = _form_named(item[2])
        form = publication.forms.get(named)
        if form is None:
            raise Refused("publication-form")
        return open_disclosure(data, publication.charter.mission, form)
    except Refused as refusal:
        publication.say(failure(refusal.code, file=path))
        return None


def _form_named(header: bytes) -> bytes:
    """The form that a header names, before anything of it is judged."""
    try:
        return bytes(cbor.decode(cbor.decode(header)[2])[12])
    except (Refused, TypeError, KeyError, IndexError):
        raise Refused("disclosure-entry") from None


def _check_photos(publication: Publication, files: Files, named: set[bytes]) -> None:
    for path in files.paths():
        if path.startswith("data/photos/"):
            data = files.read(path)
            name = path.removeprefix("data/photos/")
            if data is not None and sha256(data).hex() != name:
                publication.say(failure("photo-mismatch", file=path))
            elif bytes.fromhex(name) not in named:
                publication.say(failure("publication-foreign", file=path))


def _check_account(publication: Publication) -> None:
    for id_, listed in publication.listed.items():
        if listed.state == SHOWN and id_ not in publication.shown:
            publication.say(failure("publication-missing", entry=id_))
    for found in publication.shown.values():
        _check_place(publication, found.header)
        _check_leaves(publication, found)
    _check_labels(publication)
    _check_picked(publication)
    for log in publication.account.logs:
        held = {row[0] for row in log.entries}
        if held != set(range(max(held, default=-1) + 1)):
            publication.say(doubt("publication-gap", log=log_id(log.key, log.scope, log.epoch)))


def _check_place(publication: Publication, header: Header) -> None:
    listed = publication.listed[header.id]
    log, place = listed.log, {"log": header.log, "seq": header.seq, "entry": header.id}
    if (log.key, log.scope, log.epoch, listed.row[0]) != (header.key, header.scope, header.epoch, header.seq):
        publication.say(failure("publication-place", **place))
    earlier = [id_ for scope, _, _, id_ in header.earlier if scope in publication.account.scopes]
    named = [*header.refs, *earlier, *([header.prev] if header.prev is not None else [])]
    if any(id_ not in publication.listed for id_ in named):
        publication.say(failure("publication-uncounted", **place))


def _check_leaves(publication: Publication, found: Disclosure) -> None:
    opened = {one.position: one for one in found.opened}
    for position in range(found.form.positions):
        decision = publication.decision(found.form, position, found.header.record)
        if not _is_as_decided(decision, opened.get(position), position):
            publication.say(failure("publication-leaf", entry=found.header.id, detail=label(found.form, position)))


def _is_as_decided(decision: Any, one: Opened | None, position: int) -> bool:
    """Position 7 says nothing and is always opened; of a repeat, the cells of the questions listed."""
    if _is_partly(decision):
        if one is None:
            return False
        questions = {question for _, question, _ in one.cells or []}
        return questions <= set(decision[1])
    return (one is not None) == (decision == SHOWN)


def _check_labels(publication: Publication) -> None:
    decided: dict[tuple[bytes, str], Any] = {}
    told: set[tuple[bytes, str]] = set()
    for found in publication.shown.values():
        record = found.header.record
        for position in range(found.form.positions):
            key = (record, label(found.form, position))
            decision = publication.decision(found.form, position, record)
            if decided.setdefault(key, decision) != decision and key not in told:
                told.add(key)
                publication.say(failure("publication-label", detail=f"{record.hex()} {key[1]}"))


def _check_picked(publication: Publication) -> None:
    shown = {found.header.record for found in publication.shown.values()}
    left = {listed.row[3] for listed in publication.listed.values() if listed.row[3] is not None}
    for record in sorted(shown & left):
        publication.say(failure("publication-picked", detail=record.hex()))


def _check_tables(publication: Publication, files: Files) -> None:
    parties = {id_: listed.log.party for id_, listed in publication.listed.items()}
    wanted = table(list(publication.shown.values()), parties, label)
    held = files.read("table.csv")
    if held != wanted:
        publication.say(failure("publication-table", file="table.csv"))
