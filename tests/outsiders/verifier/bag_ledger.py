"""A bag's ledger: which notes its leaves bear out, and what they show that the bag lacks (bundle.md, Ledger)."""

import re
from dataclasses import dataclass, field

from . import merkle
from .bag_files import Bag
from .checkpoint import BegunLeaf, CosignatureLeaf, EntryLeaf, Leaf, LogLeaf, StatementLeaf
from .evidence import Evidence
from .findings import Finding, doubt, failure, note
from .hashing import sha256
from .ledger import WIDTH, open_bundle, open_path
from .refusal import Refused
from .roster import Charter
from .witness import CosignedNote, earlier, is_handed_out, open_cosigned, tally, witnesses

_NAME = re.compile(r"data/ledger/notes/(0|[1-9][0-9]*)-([0-9a-f]{64})\.note")
# How many entries of one position a store keeps.
SIBLINGS = 4
_OLD_NOTE = "data/ledger/checkpoint.note"


@dataclass
class Ledger:
    """The notes that match the bag's leaves, and the leaves up to the largest of them."""

    notes: list[CosignedNote] = field(default_factory=list)
    # Those of them whose root is that of the leaves.
    matching: list[CosignedNote] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    newest: CosignedNote | None = None
    last_final: CosignedNote | None = None
    # Whether some note of the bag is of another tree: then nothing is said to be complete.
    is_contradicted: bool = False

    def certificates(self) -> frozenset[bytes]:
        """The statements that are in the ledger under a final note."""
        size = self.last_final.checkpoint.size if self.last_final is not None else 0
        return frozenset(leaf.statement for leaf in self.leaves[:size] if isinstance(leaf, StatementLeaf))

    def final_leaves(self) -> dict[Leaf, int]:
        """The leaves under a final note, each with its least index."""
        size = self.last_final.checkpoint.size if self.last_final is not None else 0
        return {leaf: index for index, leaf in reversed(list(enumerate(self.leaves[:size])))}

    def entries(self) -> dict[bytes, EntryLeaf]:
        """Trusted entry leaves by entry id."""
        return {leaf.entry: leaf for leaf in self.leaves if isinstance(leaf, EntryLeaf)}


def read_ledger(bag: Bag, charter: Charter) -> Ledger:
    """Notes and leaves as far as they bear each other out."""
    ledger = Ledger(_notes(bag, charter))
    leaves = _leaves(bag)
    limit = max((one.checkpoint.size for one in ledger.notes if one.checkpoint.size <= len(leaves)), default=0)
    hashes = [merkle.leaf_hash(raw) for raw, _ in leaves[:limit]]
    within = [one for one in ledger.notes if one.checkpoint.size <= limit or one.checkpoint.size == 0]
    matching = [one for one in within if merkle.root(hashes[: one.checkpoint.size]) == one.checkpoint.root]
    ledger.matching = matching
    for one in ledger.notes:
        if one in matching:
            continue
        finding = _mismatch(one, one in within, ledger.notes, matching, charter)
        bag.findings.append(finding)
        ledger.is_contradicted |= finding.weight == "failure"
    if matching and limit > 0:
        ledger.newest = max(matching, key=lambda one: one.checkpoint.size)
        final = [one for one in matching if tally(one, charter).confirmation == "final"]
        ledger.last_final = max(final, key=lambda one: one.checkpoint.size, default=None)
        ledger.leaves = [leaf for _, leaf in leaves[: ledger.newest.checkpoint.size]]
    return ledger


def _mismatch(
    one: CosignedNote, differs: bool, notes: list[CosignedNote], matching: list[CosignedNote], charter: Charter
) -> Finding:
    """What a note is that does not match; `differs` is whether it could be compared with the leaves."""
    size, place = one.checkpoint.size, {"statement": one.checkpoint.id}
    # Another one of its size needs no leaves to be seen.
    against = [other for other in notes if other is not one and other.checkpoint.size == size]
    against += [other for other in matching if differs and other.checkpoint.size > size]
    if not differs and not against:
        return note("note-beyond-leaves", **place)
    if not is_handed_out(one, charter):
        return doubt("ledger-split-unshown", **place)
    if any(is_handed_out(other, charter) for other in against):
        return failure("ledger-split", **place)
    return failure("ledger-root", **place) if differs else note("note-beyond-leaves", **place)


def _notes(bag: Bag, charter: Charter) -> list[CosignedNote]:
    """The notes of the bag, those of one text merged, ascending by size."""
    merged: dict[bytes, CosignedNote] = {}
    for path in bag.files.paths():
        named = _NAME.fullmatch(path)
        data = bag.files.read(path) if named is not None or path == _OLD_NOTE else None
        if data is None:
            continue
        try:
            found = open_cosigned(data, charter)
        except Refused as refusal:
            # A note of version 1 is refused with one code, whatever is wrong with it (checkpoint.md).
            code = refusal.code if named is not None else "checkpoint-invalid"
            id_ = bytes.fromhex(named[2]) if named is not None else sha256(data)
            bag.findings.append(failure(code, statement=id_, file=path))
            continue
        said = (str(found.checkpoint.size), found.checkpoint.id.hex())
        if named is not None and named.groups() != said:
            bag.findings.append(failure("bag-misnamed", statement=bytes.fromhex(named[2]), file=path))
        held = merged.get(found.checkpoint.text)
        merged[found.checkpoint.text] = _merge(held, found) if held is not None else found
    return sorted(merged.values(), key=lambda one: (one.checkpoint.size, one.checkpoint.id))


def _merge(held: CosignedNote, found: CosignedNote) -> CosignedNote:
    kept = {one.witness.key: one for one in held.cosignatures}
    for one in found.cosignatures:
        kept[one.witness.key] = earlier(kept.get(one.witness.key), one)
    checkpoint = min(held.checkpoint, found.checkpoint, key=lambda one: one.id)
    return CosignedNote(checkpoint, [kept[key] for key in sorted(kept)])


def _leaves(bag: Bag) -> list[tuple[bytes, Leaf]]:
    """The leaves of the bundles, up to the first that is not full or not there."""
    widest: dict[int, tuple[int, str]] = {}
    for path in bag.files.paths():
        if path.startswith("data/ledger/tile/"):
            try:
                address = open_path(path.removeprefix("data/ledger/"))
            except Refused:
                bag.findings.append(note("bag-foreign-file", file=path))
                continue
            if address.level is None:
                widest[address.index] = max((address.width, path), widest.get(address.index, (0, "")))
    leaves: list[tuple[bytes, Leaf]] = []
    for index in range(len(widest)):
        width, path = widest.get(index, (0, ""))
        if width == 0:
            break
        try:
            leaves += open_bundle(open_path(path.removeprefix("data/ledger/")), bag.files.read(path) or b"")
        except Refused as refusal:
            bag.findings.append(failure(refusal.code, file=path))
            break
        if width < WIDTH:
            break
    return leaves


def check_ledger(bag: Bag, evidence: Evidence, ledger: Ledger, filled: set[bytes], statements: set[bytes]) -> None:
    """What the leaves say of the bag; `filled` are entries in whose place other bytes stand."""
    charter = evidence.roster.charter
    if ledger.newest is None or ledger.is_contradicted:
        bag.findings.append(note("completeness-not-assessed"))
    elif tally(ledger.newest, charter).confirmation != "final":
        bag.findings.append(note("checkpoint-not-final", statement=ledger.newest.checkpoint.id))
    if ledger.notes:
        heard = {one.witness.key for held in ledger.notes for one in held.cosignatures}
        silent = [one for one in witnesses(charter) if one.key not in heard]
        bag.findings += [note("witness-silent", detail=one.key.hex()) for one in silent]
    _check_entries(bag, evidence, ledger, filled)
    for leaf in ledger.leaves:
        if isinstance(leaf, StatementLeaf) and leaf.statement not in statements:
            bag.findings.append(failure("statement-left-out", statement=leaf.statement))
    bag.findings += _order(evidence, ledger.leaves)
    _check_seen(bag, evidence, ledger)


def _check_entries(bag: Bag, evidence: Evidence, ledger: Ledger, filled: set[bytes]) -> None:
    begun = {leaf.log: leaf.scope for leaf in ledger.leaves if isinstance(leaf, BegunLeaf)}
    # What an older log leaf states rests on the ledger's word alone: such a log is judged in every scope.
    scopes = {leaf.log: leaf.scope for leaf in ledger.leaves if isinstance(leaf, LogLeaf)} | begun
    held = evidence.entries
    logs = {entry.header.log: entry.header.scope for entry in held.values()}
    shown = logs.keys() | {bytes.fromhex(name) for _, name in bag.below("data/logs/")}
    for log, scope in scopes.items():
        if logs.get(log, scope) != scope:
            bag.findings.append(failure("ledger-scope", log=log))
    absent: dict[bytes, EntryLeaf] = {}
    crowd: dict[tuple[bytes, int], list[bytes]] = {}
    for entry in held.values():
        crowd.setdefault((entry.header.log, entry.header.seq), []).append(entry.header.id)
    for leaf in ledger.entries().values():
        is_foreign = leaf.log not in scopes or (leaf.log in begun and begun[leaf.log] not in (bag.scopes or []))
        if bag.scopes is not None and is_foreign:
            continue
        if leaf.entry not in held and leaf.entry not in filled:
            place = {"log": leaf.log, "seq": leaf.seq, "entry": leaf.entry}
            if sum(id_ < leaf.entry for id_ in crowd.get((leaf.log, leaf.seq), ())) >= SIBLINGS:
                bag.findings.append(doubt("sibling-displaced", **place))
                continue
            bag.findings.append(failure("entry-left-out", **place))
            if leaf.log not in shown:
                absent[leaf.log] = leaf
    for leaf in absent.values():
        bag.findings.append(failure("log-left-out", log=leaf.log, seq=leaf.seq, entry=leaf.entry))
    if ledger.newest is not None:
        logged = ledger.entries()
        late = sorted((entry.header.log, entry.header.seq, id_) for id_, entry in held.items() if id_ not in logged)
        first = {log: (seq, id_) for log, seq, id_ in reversed(late)}
        bag.findings += [note("entry-not-in-ledger", log=log, seq=seq, entry=id_) for log, (seq, id_) in first.items()]


def _order(evidence: Evidence, leaves: list[Leaf]) -> list[Finding]:
    """The rules of the tree (ledger.md, Tree)."""
    findings, statements, logs = [], set(), set()
    places = {leaf.entry: index for index, leaf in reversed(list(enumerate(leaves))) if isinstance(leaf, EntryLeaf)}
    entries: set[bytes] = set()
    for index, leaf in enumerate(leaves):
        match leaf:
            case StatementLeaf(statement) | CosignatureLeaf(statement):
                if statement in statements:
                    findings.append(failure("ledger-order", statement=statement))
                statements.add(statement)
            case LogLeaf() | BegunLeaf():
                if leaf.log in logs:
                    findings.append(failure("ledger-order", log=leaf.log))
                logs.add(leaf.log)
            case EntryLeaf(log, seq, id_):
                held = evidence.entries.get(id_)
                before = held.header.prev if held is not None else None
                late = before is not None and places.get(before, -1 if before not in places else index) > index
                missing = before is not None and before not in places
                if log not in logs or id_ in entries or late or missing:
                    findings.append(failure("ledger-order", log=log, seq=seq, entry=id_))
                entries.add(id_)
    return findings


def _check_seen(bag: Bag, evidence: Evidence, ledger: Ledger) -> None:
    known = {one.checkpoint.id for one in ledger.notes}
    unknown = sorted(
        (entry.header.log, entry.header.seq, id_)
        for id_, entry in evidence.entries.items()
        if entry.header.seen is not None and entry.header.seen not in known
    )
    first = {log: (seq, id_) for log, seq, id_ in reversed(unknown)}
    bag.findings += [note("seen-unknown", log=log, seq=seq, entry=id_) for log, (seq, id_) in first.items()]
