"""What witnesses' times and devices' clocks say of a bag's entries (bounds.md)."""

from .bag_files import Bag
from .bag_ledger import Ledger
from .bounds import Bound, Said, liars_max, not_after, not_before
from .checkpoint import CosignatureLeaf
from .entry import Header
from .evidence import Evidence
from .findings import doubt, note
from .hashing import sha256
from .witness import CosignedNote, witnesses

_JUMP_MS, _OUTSIDE_S = 60_000, 600


def check_times(bag: Bag, evidence: Evidence, ledger: Ledger) -> None:
    """Findings about clocks: along a log, and against the witnesses' bounds."""
    times = _Times(evidence, ledger)
    for entry in evidence.entries.values():
        header = entry.header
        place = {"log": header.log, "seq": header.seq, "entry": header.id}
        before, after = times.bounds(header)
        contradict = before is not None and after is not None and before.time > after.time
        if contradict:
            bag.findings.append(doubt("bounds-contradict", **place))
        if entry.body is None or not entry.body.context:
            continue
        clock = entry.body.context[1]
        if not contradict and _is_outside(clock[0], before, after):
            bag.findings.append(note("clock-outside-bounds", **place))
        earlier = evidence.entries.get(header.prev or b"")
        if earlier is not None and earlier.body is not None and earlier.body.context:
            old = earlier.body.context[1]
            wall, boot, is_same_boot = clock[0] - old[0], clock[1] - old[1], clock[2] == old[2]
            if wall < 0 or (is_same_boot and boot < 0):
                bag.findings.append(note("clock-backwards", **place))
            elif is_same_boot and abs(wall - boot) > _JUMP_MS:
                bag.findings.append(note("clock-jump", **place))


def _is_outside(wall_ms: int, before: Bound | None, after: Bound | None) -> bool:
    is_early = before is not None and wall_ms < 1000 * (before.time - _OUTSIDE_S)
    return is_early or (after is not None and wall_ms > 1000 * (after.time + _OUTSIDE_S))


class _Times:
    def __init__(self, evidence: Evidence, ledger: Ledger) -> None:
        self.evidence = evidence
        charter = evidence.roster.charter
        charters = [charter, *(former for _, former in charter.judges)]
        self.liars = max(liars_max(len({one.party for one in witnesses(one_charter)})) for one_charter in charters)
        self.sizes = {one.checkpoint.id: one.checkpoint.size for one in ledger.matching}
        self.cosigned = [
            Said(held.checkpoint.size, one.witness.party, one.time) for held in ledger.matching for one in held.cosignatures
        ]
        known = {id_: said for held in ledger.notes for id_, said in _statements(held).items()}
        self.logged = [
            Said(index, *known[leaf.statement])
            for index, leaf in enumerate(ledger.leaves)
            if isinstance(leaf, CosignatureLeaf) and leaf.statement in known
        ]
        self.places = {leaf.entry: index for index, leaf in reversed(list(enumerate(ledger.leaves))) if hasattr(leaf, "entry")}
        self.names: dict[bytes, set[bytes]] = {}
        self.named_by: dict[bytes, set[bytes]] = {}
        for entry in evidence.entries.values():
            self._link(entry.header)

    def _link(self, header: Header) -> None:
        held = self.evidence.entries
        refs = {ref for ref in header.refs if ref in held and held[ref].header.record == header.record}
        self.names[header.id] = refs
        for ref in refs:
            self.named_by.setdefault(ref, set()).add(header.id)

    def bounds(self, header: Header) -> tuple[Bound | None, Bound | None]:
        """The bounds that hold, from chain and leaf of the entry and, within its record, of what it names and what names it."""
        seen = max(map(self._seen, _reach(header.id, self.names)), default=0)
        places = [self.places[id_] for id_ in _reach(header.id, self.named_by) if id_ in self.places]
        before = not_before(seen, self.logged, self.liars)
        after = not_after(min(places), self.cosigned, self.liars) if places else None
        return _holding(before), _holding(after)

    def _seen(self, id_: bytes) -> int:
        """The largest checkpoint that is named on the entry's chain."""
        size, at = 0, self.evidence.entries.get(id_)
        while at is not None:
            size = max(size, self.sizes.get(at.header.seen or b"", 0))
            below = self.evidence.entries.get(at.header.prev or b"")
            is_next = below is not None and below.header.log == at.header.log and below.header.seq == at.header.seq - 1
            at = below if is_next else None
        return size


def _statements(held: CosignedNote) -> dict[bytes, tuple[int, int]]:
    """Party and time of each cosignature, by the id of its statement: a note with this line alone."""
    alone = [(one, CosignedNote(held.checkpoint, [one])) for one in held.cosignatures]
    return {sha256(note_.data): (one.witness.party, one.time) for one, note_ in alone}


def _reach(id_: bytes, links: dict[bytes, set[bytes]]) -> set[bytes]:
    """The entry and all that the links lead to."""
    reached, left = {id_}, [id_]
    while left:
        new = links.get(left.pop(), set()) - reached
        reached |= new
        left += new
    return reached


def _holding(bound: Bound | None) -> Bound | None:
    return bound if bound is not None and bound.holds else None
