"""The standing of every entry of a record, and the document that follows (record.md)."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .entry import CHANGE, CO_AUTHORSHIP, RULING, Entry
from .evidence import Evidence
from .history import History, check_history
from .refusal import Refused

ENTRIES_MAX = 65_536


@dataclass(frozen=True)
class Fork:
    """Siblings of one actor and seq: the one that was chosen, and the others in ascending order."""

    winner: bytes
    losers: list[bytes]


@dataclass
class Verdict:
    """What a record comes to."""

    standings: dict[bytes, str]
    # Why an entry is unappliable.
    faults: dict[bytes, str]
    # Applied change entries in canonical order.
    applied: list[bytes]
    forks: list[Fork] = field(default_factory=list)
    view: dict[str, list[tuple[Any, bytes]]] = field(default_factory=dict)


def judge(record: bytes, evidence: Evidence, in_ledger: frozenset[bytes] = frozenset()) -> Verdict:
    """The standing of every held entry of `record`; `in_ledger` are the certificates that a ledger holds."""
    return _Judge(record, evidence, in_ledger).run()


class _Judge:
    def __init__(self, record: bytes, evidence: Evidence, in_ledger: frozenset[bytes]) -> None:
        self.evidence, self.record, self.in_ledger = evidence, record, in_ledger
        self.held = evidence.in_records()
        held = [entry for entry in self.held.values() if entry.header.record == record]
        self.entries = {entry.header.id: entry for entry in held}
        self.changes = {id_: entry for id_, entry in self.entries.items() if entry.header.kind == CHANGE}
        self.roles = {id_: entry for id_, entry in self.entries.items() if entry.header.is_signature_role}
        creation = self.entries.get(record)
        self.creation = creation if creation is not None and creation.header.creates else None
        self.standing: dict[bytes, str] = {}
        self.faults: dict[bytes, str] = {}
        self.histories: dict[bytes, History] = {}
        self.forks: list[Fork] = []

    def run(self) -> Verdict:
        for id_, entry in self.entries.items():
            if entry.header.kind > CO_AUTHORSHIP:
                self.standing[id_] = "unknown-kind"
        self._erase()
        for id_ in self.order:
            self._judge_alone(id_)
        self._limit()
        self._judge_changes()
        remaining = {id_ for id_ in self.changes if id_ not in self.standing}
        remaining = self._judge_forks(remaining)
        applied = self._judge_cuts(remaining)
        for id_ in self.roles:
            self._judge_role(id_, applied)
        ordered = [id_ for id_ in self.order if id_ in applied]
        return Verdict(self.standing, self.faults, ordered, self.forks, self._view(ordered))

    @cached_property
    def ancestors(self) -> dict[bytes, set[bytes]]:
        """Of every change entry, the change entries of the record reachable through refs."""
        found: dict[bytes, set[bytes]] = {}
        for id_ in self.order:
            above = {ref for ref in self.entries[id_].header.refs if ref in self.changes}
            found[id_] = above.union(*(found[ref] for ref in above))
        return found

    @cached_property
    def order(self) -> list[bytes]:
        """Canonical order: depth, then entry id."""
        depth: dict[bytes, int] = {}

        def measure(id_: bytes) -> int:
            stack = [id_]
            while stack:
                at = stack[-1]
                refs = [ref for ref in self.entries[at].header.refs if ref in self.entries]
                missing = [ref for ref in refs if ref not in depth]
                if missing:
                    stack += missing
                    continue
                depth[at] = 1 + max((depth[ref] for ref in refs), default=-1)
                stack.pop()
            return depth[id_]

        return sorted(self.entries, key=lambda id_: (measure(id_), id_))

    @cached_property
    def parties(self) -> dict[bytes, int | None]:
        """The party of every entry's author."""
        found = {}
        for id_, entry in self.entries.items():
            certificate = self.evidence.certificate(entry.header)
            found[id_] = certificate.party if certificate else None
        return found

    @cached_property
    def covered(self) -> set[bytes]:
        """The entries that a cut covers."""
        return {id_ for id_, entry in self.entries.items() if self.evidence.is_covered(entry.header)}

    @cached_property
    def erased(self) -> set[bytes]:
        """The change entries that an erasure of heads erases."""
        erased: set[bytes] = set()
        for erasure in self.evidence.erasures:
            if erasure.record == self.record:
                for head in erasure.heads:
                    if head in self.changes:
                        erased |= {head} | self.ancestors[head]
        return erased

    def _erase(self) -> None:
        for id_ in self.erased:
            self.standing[id_] = "erased"
        for id_, entry in self.roles.items():
            authors = {self.parties[ref] for ref in entry.header.refs if ref in self.erased}
            if self.parties[id_] is not None and self.parties[id_] in authors:
                self.standing[id_] = "erased"

    def _judge_alone(self, id_: bytes) -> None:
        """Waiting and out of role, for changes and signature roles alike."""
        if id_ in self.standing:
            return
        entry = self.entries[id_]
        if self._is_waiting(entry):
            self.standing[id_] = "waiting"
        elif self._is_out_of_role(entry):
            self.standing[id_] = "out-of-role"
        elif entry.header.is_signature_role and entry.fault is not None:
            self.standing[id_], self.faults[id_] = "unappliable", entry.fault

    def _is_waiting(self, entry: Entry) -> bool:
        if not entry.body_held or self.creation is None:
            return True
        if self.evidence.certificate(entry.header) is None:
            return True
        return any(ref not in self.held or self._holds_up(ref) for ref in entry.header.refs)

    def _holds_up(self, ref: bytes) -> bool:
        kind = self.held[ref].header.kind if ref in self.entries else CHANGE
        return self.standing.get(ref) == "waiting" and kind != CO_AUTHORSHIP

    def _is_out_of_role(self, entry: Entry) -> bool:
        header, certificate = entry.header, self.evidence.certificate(entry.header)
        if certificate is None or self.creation is None:
            return True
        creation = self.creation.header
        if certificate.key != header.key or not certificate.grants(header) or header.scope != creation.scope:
            return True
        if any(ref not in self.entries for ref in header.refs):
            return True
        if header.kind != CHANGE or header.creates:
            return False
        writers = creation.writers or (self.parties[creation.id],)
        return self.parties[header.id] not in writers or any(ref not in self.changes for ref in header.refs)

    def _limit(self) -> None:
        free = ("waiting", "erased", "unknown-kind")
        counted = [id_ for id_ in self.order if self.standing.get(id_) != "waiting"]
        for id_ in counted[ENTRIES_MAX:]:
            if self.standing.get(id_) not in free:
                self.standing[id_], self.faults[id_] = "unappliable", "size-limit"

    def _judge_changes(self) -> None:
        for id_ in self.order:
            if id_ not in self.changes or id_ in self.standing:
                continue
            entry = self.changes[id_]
            if self.erased or any(self.standing.get(ref) is not None for ref in entry.header.refs):
                self.standing[id_] = "held"
                continue
            try:
                if entry.change is None:
                    raise Refused(entry.fault or "shape")
                named = [self.histories[ref] for ref in entry.header.refs]
                self.histories[id_] = check_history(entry.change, named)
            except Refused as refusal:
                self.standing[id_], self.faults[id_] = "unappliable", refusal.code

    def _judge_forks(self, remaining: set[bytes]) -> set[bytes]:
        while True:
            places: dict[tuple[bytes, int], list[bytes]] = {}
            for id_ in remaining:
                change = self.histories[id_].change
                places.setdefault((change.actor, change.seq), []).append(id_)
            forked = min((place for place, ids in places.items() if len(ids) > 1), default=None)
            if forked is None:
                return remaining
            siblings = sorted(places[forked])
            winner = self._choose(siblings, remaining)
            losers = set(siblings) - {winner}
            self.forks.append(Fork(winner, sorted(losers)))
            gone = {id_ for id_ in remaining if id_ in losers or self.ancestors[id_] & losers}
            for id_ in gone:
                self.standing[id_] = "held"
            remaining = remaining - gone

    def _choose(self, siblings: list[bytes], remaining: set[bytes]) -> bytes:
        branches = {id_: {id_} | {one for one in remaining if id_ in self.ancestors[one]} for id_ in siblings}
        ruled = {
            id_
            for ruling in self._rulings_in_force
            for id_ in siblings
            if branches[id_] & set(self.roles[ruling].header.refs)
        }
        if len(ruled) == 1:
            return ruled.pop()
        return min(siblings, key=lambda id_: (-self._support(id_, branches[id_]), id_ in self.covered, id_))

    def _support(self, sibling: bytes, branch: set[bytes]) -> int:
        """The number of distinct parties, other than the author's, that speak for a branch."""
        voices = {id_ for id_ in branch if id_ not in self.covered}
        voices |= {
            id_
            for id_, entry in self.roles.items()
            if entry.header.kind != CO_AUTHORSHIP
            and id_ not in self.standing
            and id_ not in self.covered
            and branch & set(entry.header.refs)
        }
        return len({self.parties[id_] for id_ in voices} - {self.parties[sibling]})

    @cached_property
    def _rulings_in_force(self) -> list[bytes]:
        good = [
            id_
            for id_, entry in self.roles.items()
            if entry.header.kind == RULING and id_ not in self.standing and id_ not in self.covered
        ]
        named = {ref for id_ in good for ref in self.roles[id_].header.refs}
        return [id_ for id_ in good if id_ not in named]

    def _judge_cuts(self, remaining: set[bytes]) -> set[bytes]:
        honest = {id_ for id_ in remaining if id_ not in self.covered}
        needed = honest.union(*(self.ancestors[id_] for id_ in honest))
        for id_ in remaining - needed:
            self.standing[id_] = "set-aside"
        applied = remaining & needed
        for id_ in applied:
            self.standing[id_] = self._in_force(id_)
        return applied

    def _in_force(self, id_: bytes) -> str:
        certificate = self.evidence.certificate(self.entries[id_].header)
        return "accepted" if certificate is not None and certificate.id in self.in_ledger else "provisional"

    def _judge_role(self, id_: bytes, applied: set[bytes]) -> None:
        if id_ in self.standing:
            return
        named = {ref for ref in self.roles[id_].header.refs if ref in self.changes}
        if id_ in self.covered:
            self.standing[id_] = "set-aside"
        elif not named <= applied or any(self.ancestors[one] & named for one in applied):
            self.standing[id_] = "voided"
        else:
            self.standing[id_] = self._in_force(id_)

    def _view(self, applied: list[bytes]) -> dict[str, list[tuple[Any, bytes]]]:
        changes = [(id_, self.histories[id_].change) for id_ in applied]
        gone = {pred for _, change in changes for put in change.puts for pred in put.preds}
        view: dict[str, list[tuple[Any, bytes]]] = {}
        for id_, change in sorted(changes):
            for index, put in enumerate(change.puts):
                values = view.setdefault(put.key, [])
                if (change.start_op + index, change.actor) not in gone:
                    values.append((put.value, id_))
        return {key: values for key, values in sorted(view.items()) if values}
