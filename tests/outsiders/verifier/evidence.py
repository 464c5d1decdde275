"""All entries and statements that are held, and what follows for each entry from its log and the roster."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from .bounds import liars_max
from .checkpoint import EntryLeaf, Leaf, StatementLeaf
from .entry import Entry, Header
from .erasure import Erasure
from .inclusion import Inclusion
from .refusal import Refused, need
from .roster import Certificate, Cut, Roster
from .succession import Succession
from .witness import witnesses


@dataclass
class Evidence:
    """Authentic entries by id, under one roster."""

    roster: Roster
    erasures: list[Erasure] = field(default_factory=list)
    inclusions: list[Inclusion] = field(default_factory=list)
    # The leaves at hand under a final note, each with its index.
    final_leaves: dict[Leaf, int] = field(default_factory=dict)
    successions: list[Succession] = field(default_factory=list)
    entries: dict[bytes, Entry] = field(default_factory=dict)
    # Entries with another body than was signed beside them; it was not taken.
    damaged: set[bytes] = field(default_factory=set)
    # Entries for which stores have no room beside lower siblings (record.md, Limits).
    displaced: set[bytes] = field(default_factory=set)
    # Entries that stand where they do not belong: of one that does not stand in its place too, no chain leads to a
    # certificate.
    misplaced: dict[bytes, Entry] = field(default_factory=dict)
    _at: dict[tuple[bytes, int], list[bytes]] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Holds the entry; what it stands on may come later."""
        header = entry.header
        if header.id not in self.entries:
            self._at.setdefault((header.log, header.seq), []).append(header.id)
        self.entries[header.id] = entry

    def in_records(self) -> dict[bytes, Entry]:
        """The entries that records are made of."""
        kept = {id_: one for id_, one in self.entries.items() if id_ not in self.displaced}
        return self.misplaced | kept

    def ledgered(self) -> frozenset[bytes]:
        """The certificates and cuts that an inclusion shows to be in the ledger."""
        leaves = [one.leaf for one in self.inclusions]
        return frozenset(leaf.statement for leaf in leaves if isinstance(leaf, StatementLeaf))

    def check_place(self, header: Header) -> None:
        """entry.md, Log, among what is held already."""
        if header.prev is not None:
            before = self.entries.get(header.prev)
            need(before is not None, "log-gap")
            fits = before and before.header.log == header.log and before.header.seq == header.seq - 1
            need(bool(fits), "log-prev")
        need(set(self.siblings(header)) <= {header.id}, "log-fork")

    def siblings(self, header: Header) -> list[bytes]:
        """The entries held at the same position of the same log."""
        return self._at.get((header.log, header.seq), [])

    def first(self, header: Header) -> Header | None:
        """The entry at seq 0 to which the chain leads; nothing where there is a gap."""
        at = header
        while at.prev is not None:
            before = self.entries.get(at.prev)
            if before is None or before.header.log != at.log or before.header.seq != at.seq - 1:
                return None
            at = before.header
        return at

    def certificate(self, header: Header) -> Certificate | None:
        """The certificate that the entry's log names, whatever key it is for; nothing where it is not held."""
        in_place = header.id in self.entries or header.id not in self.misplaced
        first = self.first(header) if in_place else None
        return self.roster.certificates.get(first.certificate or b"") if first else None

    def check_authority(self, header: Header) -> None:
        """roster.md, Certificate, for an entry whose log is whole."""
        need(self.roster.knows(header.key), "key-not-in-roster")
        certificate = self.certificate(header)
        if certificate is None:
            raise Refused("certificate-missing")
        need(certificate.key == header.key, "certificate-key")
        need(certificate.grants(header), "out-of-role")

    def is_covered(self, header: Header) -> bool:
        """Whether some cut covers the entry."""
        return any(True for _ in self.covering(header))

    def covering(self, header: Header) -> Iterator[Cut]:
        """The cuts that cover the entry."""
        certificate = self.certificate(header)
        for cut in self.roster.cuts.values():
            acts = cut.key == header.key and (certificate is None or certificate.party in cut.parties)
            if acts and self._covers(cut, header) and not self._was_final_before(cut, header):
                yield cut

    def is_cut(self, key: bytes) -> bool:
        """Whether a cut ends the key."""
        return any(cut.key == key for cut in self.roster.cuts.values())

    def ranked(self, siblings: list[bytes]) -> list[bytes]:
        """Entries of one position in the order in which they take part in records (record.md, Limits)."""
        shown = self.shown()

        def rank(id_: bytes) -> tuple[bool, float, bytes]:
            header = self.entries[id_].header
            index = shown.get(EntryLeaf(header.log, header.seq, id_))
            return self.is_covered(header), inf if index is None else index, id_

        return sorted(siblings, key=rank)

    def acts_from(self, cut: Cut) -> int | None:
        """j: the index at which enough other parties held the cut; nothing while they are fewer."""
        return self._acknowledged(cut, self.shown())

    def _covers(self, cut: Cut, header: Header) -> bool:
        kept = next((one for one in cut.kept if one[:2] == (header.scope, header.epoch)), None)
        if kept is None:
            return True
        if header.seq >= kept[2]:
            return header.id != kept[3]
        return self._is_below(header, kept[3]) is False

    def _is_below(self, header: Header, id_: bytes) -> bool | None:
        """Whether the chain from `id_` down reaches the entry; nothing where it is not held so far."""
        while True:
            held = self.entries.get(id_)
            if held is None or held.header.log != header.log:
                return None
            if held.header.seq <= header.seq or held.header.prev is None:
                return held.header.id == header.id
            id_ = held.header.prev

    def shown(self) -> dict[Leaf, int]:
        """Of every leaf that a final checkpoint is shown to hold, the least index."""
        least = dict(self.final_leaves)
        for one in self.inclusions:
            least[one.leaf] = min(one.index, least.get(one.leaf, one.index))
        return least

    def _acknowledged(self, cut: Cut, shown: dict[Leaf, int]) -> int | None:
        """The index at which enough other parties are shown to have held the cut; nothing while they are fewer."""
        least: dict[int, int] = {}
        for one in self.roster.acknowledgements.values():
            index = shown.get(StatementLeaf(one.id))
            if one.cut == cut.id and index is not None:
                least[one.party] = min(index, least.get(one.party, index))
        for count, index in enumerate(sorted(least.values()), 1):
            judging = self.roster.charter.judging(index + 1)
            if count >= liars_max(len({witness.party for witness in witnesses(judging)})):
                return index
        return None

    def _was_final_before(self, cut: Cut, header: Header) -> bool:
        """roster.md, What was final before a cut."""
        if cut.is_agreed:
            return False
        shown = self.shown()
        end = self._acknowledged(cut, shown)
        for leaf, index in shown.items():
            if not isinstance(leaf, EntryLeaf) or leaf.log != header.log or leaf.seq < header.seq:
                continue
            held = self.entries.get(leaf.entry)
            if held is None or held.header.log != leaf.log or held.header.seq != leaf.seq:
                continue
            is_before = end is None or index < end
            if is_before and self.first(held.header) is not None and self._is_below(header, leaf.entry):
                return True
        return False
