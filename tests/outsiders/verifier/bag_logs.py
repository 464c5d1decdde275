"""A bag's logs: every entry's header, place in its chain, authority and body (bundle.md, Layout and Verdict)."""

from contextlib import suppress
from dataclasses import dataclass, replace

from . import cbor
from .bag_files import Bag
from .bag_ledger import SIBLINGS, Ledger
from .checkpoint import EntryLeaf
from .entry import BODY_MAX, CO_AUTHORSHIP, HEADER_MAX, Header, log_id, open_entry, open_header
from .evidence import Evidence
from .findings import Finding, doubt, failure, note
from .hashing import sha256
from .receipt import AttestedLog, Receipt
from .refusal import Refused, need
from .roster import CAMP
from .witness import can_be_final


@dataclass(frozen=True)
class Item:
    """What stands in a log file: an entry, or bytes in the place of one."""

    data: bytes
    header: Header | None
    code: str
    id: bytes
    body: bytes | None


def read_logs(bag: Bag, evidence: Evidence, receipts: list[Receipt], ledger: Ledger) -> set[bytes]:
    """Adds every authentic entry to the evidence, and what is wrong to the bag's findings.

    Answers the ids of the entries in whose place other bytes stand.
    """
    named = {(leaf.log, leaf.entry): leaf.seq for leaf in ledger.entries().values()}
    named |= {(one.log, one.head): one.height - 1 for receipt in receipts for one in receipt.logs}
    filled: set[bytes] = set()
    for path, name in bag.below("data/logs/"):
        data = bag.files.read(path)
        if data is None:
            bag.findings.append(failure("bag-unreadable", file=path))
            continue
        filled |= _LogFile(bag, evidence, named, path, bytes.fromhex(name)).read(data)
    for entry in evidence.entries.values():
        _check_prev(bag, evidence, entry.header, filled)
        _check_crowd(bag, evidence, entry.header)
    return filled


def _check_crowd(bag: Bag, evidence: Evidence, header: Header) -> None:
    """Of the entries at one position four take part in records; asked at the first of them."""
    siblings = evidence.siblings(header)
    if len(siblings) <= SIBLINGS or header.id != siblings[0]:
        return
    shown = evidence.shown()
    for id_ in evidence.ranked(siblings)[SIBLINGS:]:
        one = evidence.entries[id_].header
        evidence.displaced.add(id_)
        is_kept = evidence.is_cut(one.key) and not evidence.is_covered(one)
        weigh = doubt if is_kept or EntryLeaf(one.log, one.seq, id_) in shown else note
        bag.findings.append(weigh("entry-displaced", log=one.log, seq=one.seq, entry=id_))


def _check_prev(bag: Bag, evidence: Evidence, header: Header, filled: set[bytes]) -> None:
    """A gap is reported at the last entry missing, which the next one names."""
    if header.prev is None or header.prev in filled:
        return
    of_log = [one.header for one in evidence.entries.values() if one.header.log == header.log]
    before = [one.id for one in of_log if one.seq == header.seq - 1]
    if header.prev in before:
        return
    below = [one.seq for one in of_log if one.seq < header.seq]
    weigh = failure
    # Above a fork of its log a broken chain is what the key's holder can sign about himself.
    if len(below) > len(set(below)):
        weigh = note if evidence.is_covered(header) else doubt
    if before:
        bag.findings.append(weigh("log-prev", log=header.log, seq=header.seq, entry=header.id))
    else:
        bag.findings.append(weigh("log-gap", log=header.log, seq=header.seq - 1, entry=header.prev))


class _LogFile:
    def __init__(
        self, bag: Bag, evidence: Evidence, named: dict[tuple[bytes, bytes], int], path: str, log: bytes
    ) -> None:
        self.bag, self.evidence, self.path, self.log = bag, evidence, path, log
        self.named = {id_: seq for (of, id_), seq in named.items() if of == log}

    def say(self, finding: Finding) -> None:
        self.bag.findings.append(finding)

    def read(self, data: bytes) -> set[bytes]:
        """The ids of entries in whose place other bytes stand."""
        items = self.items(data)
        held = [item.header for item in items if item.header is not None]
        named = self.named | {header.prev: header.seq - 1 for header in held if header.prev is not None}
        before: tuple[int, bytes] | None = None
        filled: set[bytes] = set()
        for index, item in enumerate(items):
            if item.header is None:
                filled.add(self.report_bytes(items, index, named))
                continue
            header = item.header
            place = (header.seq, header.id)
            if header.log != self.log or (before is not None and place <= before):
                self.say(failure("log-misplaced", log=header.log, seq=header.seq, entry=header.id, file=self.path))
                with suppress(Refused):
                    self.evidence.misplaced[header.id] = open_entry(header, item.body)
                continue
            before = place
            self.take(item, header)
        return filled

    def items(self, data: bytes) -> list[Item]:
        """The items of the sequence, as far as they can be told apart."""
        items: list[Item] = []
        at, seq = 0, 0
        while at < len(data):
            try:
                pair, at = cbor.decode_first(data, at)
                need(type(pair) is list and len(pair) == 2 and type(pair[0]) is bytes)
                need(pair[1] is None or type(pair[1]) is bytes)
                need(len(pair[0]) <= HEADER_MAX and len(pair[1] or b"") <= BODY_MAX, "size-limit")
            except Refused as refusal:
                self.say(failure(refusal.code, log=self.log, seq=seq, file=self.path))
                # The rest of the file is not read, and that is the finding: nothing is said of its hash.
                unread = failure("bag-manifest", file=self.path)
                self.bag.findings[:] = [one for one in self.bag.findings if one != unread]
                break
            items.append(self.item(pair[0], pair[1]))
            seq = 1 + _stated_seq(pair[0], seq)
        return items

    def item(self, data: bytes, body: bytes | None) -> Item:
        try:
            header = open_header(data, self.evidence.roster.charter.mission)
        except Refused as refusal:
            return Item(data, None, refusal.code, sha256(data), body)
        return Item(data, header, "", header.id, body)

    def report_bytes(self, items: list[Item], index: int, named: dict[bytes, int]) -> bytes:
        """Bytes that are no entry: at the entry that stood there, as far as another one or a receipt names it."""
        item, after = items[index], next((one.header for one in items[index + 1 :] if one.header is not None), None)
        before = next((one.header for one in reversed(items[:index]) if one.header is not None), None)
        held = {one.id for one in items if one.header is not None}
        id_, seq = item.id, _stated_seq(item.data, 0 if before is None else before.seq + 1)
        told = [one for one, place in named.items() if place == seq and one not in held]
        if after is not None and after.prev is not None and after.prev not in held:
            id_, seq = after.prev, after.seq - 1
        elif told:
            id_ = told[0]
        self.say(failure(item.code, log=self.log, seq=seq, entry=id_, file=self.path))
        return id_

    def take(self, item: Item, header: Header) -> None:
        place = {"log": self.log, "seq": header.seq, "entry": header.id}
        try:
            self.evidence.add(open_entry(header, item.body))
        except Refused as refusal:
            self.say(failure(refusal.code, **place, file=self.path))
            self.evidence.add(open_entry(header, None))
            self.evidence.damaged.add(header.id)


def _stated_seq(data: bytes, otherwise: int) -> int:
    """The seq that a header states, whatever else is wrong with it."""
    try:
        seq = cbor.decode(cbor.decode(data)[2])[4]
    except (Refused, TypeError, KeyError, IndexError):
        return otherwise
    return seq if type(seq) is int and seq >= 0 else otherwise


def check_authority(bag: Bag, evidence: Evidence) -> None:
    """What the roster says about every log, and forks of logs."""
    for entry in evidence.entries.values():
        header = entry.header
        place = {"log": header.log, "seq": header.seq, "entry": header.id}
        siblings = evidence.siblings(header)
        if len(siblings) > 1 and header.id == sorted(siblings)[1]:
            free = [id_ for id_ in siblings if not evidence.is_covered(evidence.entries[id_].header)]
            bag.findings.append((note if len(free) <= 1 else doubt)("log-fork", **place))
        _check_certificate(bag, evidence, header)
        if evidence.is_covered(header):
            bag.findings.append(note("set-aside-by-cut", **place))
        if header.kind > CO_AUTHORSHIP:
            bag.findings.append(note("kind-unknown", **place))
    for entry in evidence.misplaced.values():
        if entry.header.id not in evidence.entries:
            _check_certificate(bag, evidence, entry.header)


def check_finality(bag: Bag, evidence: Evidence, ledger: Ledger) -> None:
    """Where a cut of one party acts, does the bag show what was final before it?"""
    if not can_be_final(evidence.roster.charter):
        return
    size = ledger.last_final.checkpoint.size if ledger.last_final is not None else None
    ends = {cut.id: evidence.acts_from(cut) for cut in evidence.roster.cuts.values() if not cut.is_agreed}
    open_cuts = {id_ for id_, end in ends.items() if size is None or end is None or size < end}
    said: set[bytes] = set()
    for header in sorted((one.header for one in evidence.entries.values()), key=lambda one: (one.log, one.seq, one.id)):
        if header.key in said or not evidence.is_cut(header.key):
            continue
        covering = list(evidence.covering(header))
        if any(cut.id in open_cuts for cut in covering) and not any(cut.is_agreed for cut in covering):
            said.add(header.key)
            bag.findings.append(doubt("cut-finality-unknown", log=header.log, seq=header.seq, entry=header.id))


def _check_certificate(bag: Bag, evidence: Evidence, header: Header) -> None:
    place = {"log": header.log, "seq": header.seq, "entry": header.id}
    certificate = evidence.certificate(header)
    if not evidence.roster.knows(header.key):
        bag.findings.append(failure("key-not-in-roster", **place))
    if header.seq > 0 or header.id not in evidence.entries:
        return
    if certificate is not None and certificate.key != header.key:
        bag.findings.append(note("certificate-key", **place))
    elif certificate is None and evidence.roster.knows(header.key):
        bag.findings.append(doubt("certificate-missing", **place))


def check_heights(bag: Bag, evidence: Evidence, receipts: list[Receipt]) -> None:
    """Receipts, cuts and later logs name positions; does the bag reach them? And is each log of a scope it claims?"""
    if bag.scopes is not None:
        foreign = {e.header.log for e in evidence.entries.values() if e.header.scope not in bag.scopes}
        bag.findings += [failure("log-foreign-scope", log=log) for log in sorted(foreign)]
    held: dict[bytes, dict[int, set[bytes]]] = {}
    for entry in evidence.entries.values():
        header = entry.header
        held.setdefault(header.log, {}).setdefault(header.seq, set()).add(header.id)
    said: dict[tuple[str, bytes, int, bytes], Receipt] = {}
    # Of several receipts that say one thing, the one that weighs most is told.
    for receipt in sorted(receipts, key=lambda one: _speaks_for_a_camp(evidence, one)):
        for one in receipt.logs:
            code = _receipt_fault(held.get(one.log, {}), one, bag.scopes is not None)
            if code is not None:
                said[code, one.log, one.height - 1, one.head] = receipt
    for (code, log, seq, id_), receipt in said.items():
        is_sure = _speaks_for_a_camp(evidence, receipt) and code not in ("receipt-log-absent", "sibling-displaced")
        weigh = failure if is_sure else doubt
        bag.findings.append(weigh(code, log=log, seq=seq, entry=id_, statement=receipt.id))
    attested = {(one.log, one.height - 1, one.head) for receipt in receipts for one in receipt.logs}
    for succession in evidence.successions:
        for scope, epoch, seq, id_ in succession.heads:
            log = log_id(succession.old, scope, epoch)
            is_foreign = bag.scopes is not None and log not in held and scope not in bag.scopes
            code = _receipt_fault(held.get(log, {}), AttestedLog(log, seq + 1, id_, 0), False)
            if code is None or is_foreign or (log, seq, id_) in attested:
                continue
            found = doubt(code if code == "sibling-displaced" else "succession-head-missing")
            bag.findings.append(replace(found, log=log, seq=seq, entry=id_, statement=succession.id))
    for cut in evidence.roster.cuts.values():
        for scope, epoch, seq, id_ in cut.kept:
            log = log_id(cut.key, scope, epoch)
            if seq > max(held.get(log, {}), default=-1):
                bag.findings.append(doubt("cut-kept-missing", log=log, seq=seq, entry=id_, statement=cut.id))
    for entry in evidence.entries.values():
        for scope, epoch, seq, id_ in entry.header.earlier:
            log = log_id(entry.header.key, scope, epoch)
            if seq > max(held.get(log, {}), default=-1):
                bag.findings.append(doubt("earlier-missing", log=log, seq=seq, entry=id_))


def _speaks_for_a_camp(evidence: Evidence, receipt: Receipt) -> bool:
    """Whether a bag fails that lacks what the receipt attests: each of a mission's people could sign what is not so."""
    return evidence.roster.certificates[receipt.certificate].role == CAMP and not evidence.is_cut(receipt.key)


def _receipt_fault(log: dict[int, set[bytes]], one: AttestedLog, has_scopes: bool) -> str | None:
    seq = one.height - 1
    if one.height == 0 or one.head in log.get(seq, ()):
        return None
    if sum(id_ < one.head for id_ in log.get(seq, ())) >= SIBLINGS:
        return "sibling-displaced"
    if seq in log:
        return "receipt-other-head"
    if not log and has_scopes:
        return "receipt-log-absent"
    return "receipt-missing-tail" if seq > max(log, default=-1) else None
