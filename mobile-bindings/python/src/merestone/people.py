"""Who signs, which logs there are, and who says to hold copies of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Author:
    """Who signed something, as the certificate of the key says."""

    key: str
    party: int | None
    """The party that certified the key; ``None`` where no certificate is held."""
    party_name: str | None
    observer: str
    device: str
    role: str | None
    """``observer``, ``reviewer``, ``arbiter``, ``camp`` or ``auditor``."""

    def __str__(self) -> str:
        return f"{self.observer} on {self.device} ({self.party_name or 'not certified'})"


@dataclass(frozen=True, slots=True)
class Person(Author):
    """One certified key of a bag: an observer on a device, a reviewer, an arbiter, a base camp."""

    certificate: str
    is_cut: bool
    """Whether the party ended the key."""
    entries: int
    receipts: int
    logs: tuple[str, ...]
    replaces: str | None
    """The key that this one was to follow, as its request says."""

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> Person:
        """A person of ``report.json``."""
        return cls(
            key=shown["key"],
            party=shown["party"],
            party_name=shown["party_name"],
            observer=shown["observer"],
            device=shown["device"],
            role=shown["role"],
            certificate=shown["certificate"],
            is_cut=shown["is_cut"],
            entries=shown["entries"],
            receipts=shown["receipts"],
            logs=tuple(shown["logs"]),
            replaces=shown.get("replaces"),
        )


@dataclass(frozen=True, slots=True)
class Log:
    """The entries of one key, scope and epoch, one after the other."""

    id: str
    key: str | None
    scope: str | None
    scope_name: str | None
    epoch: str | None
    entries: int
    height: int
    """Entries from the first on without a gap."""
    top_seq: int | None
    head: str | None
    """The last entry of the log in the bag."""
    in_ledger: int
    in_ledger_final: int
    left_out: int
    """Entries that the ledger has and the bag has not."""
    bodies_withheld: int
    covered_by_cuts: int
    forks: int
    """Positions for which the key signed two entries."""

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> Log:
        """A log of ``report.json``."""
        return cls(
            id=shown["log"],
            key=shown["key"],
            scope=shown["scope"],
            scope_name=shown["scope_name"],
            epoch=shown["epoch"],
            entries=shown["entries"],
            height=shown["height"],
            top_seq=shown["top_seq"],
            head=shown["head"],
            in_ledger=shown["in_ledger"],
            in_ledger_final=shown["in_ledger_final"],
            left_out=shown["left_out"],
            bodies_withheld=shown["bodies_withheld"],
            covered_by_cuts=shown["covered_by_cuts"],
            forks=shown["forks"],
        )


@dataclass(frozen=True, slots=True)
class Copy:
    """A store that said, over its key's signature, that it held a log: custody."""

    log: str
    party: int
    observer: str
    device: str
    store: str
    counter: int
    """Orders the receipts of one store; a receipt has no time."""
    height: int
    head: str
    bodies_missing: int
    receipt: str


class Roll:
    """Finds who signed an entry, by its log and the party that certified the key."""

    def __init__(self, people: Iterable[Person], logs: Iterable[Log]) -> None:
        self._keys = {log.id: log.key for log in logs}
        self._people: dict[tuple[str, int | None], Author] = {}
        for person in people:
            self._people.setdefault((person.key, person.party), person)

    def author(self, log: str, party: int | None) -> Author | None:
        """Who signed the entries of a log; ``None`` where no certificate says."""
        key = self._keys.get(log)
        return None if key is None else self._people.get((key, party))
