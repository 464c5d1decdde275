"""Between which times an entry was signed, by the clocks of witnesses (bounds.md)."""

from collections.abc import Iterable
from dataclasses import dataclass

from .refusal import need


@dataclass(frozen=True)
class Said:
    """A cosignature: of a checkpoint of `place` leaves, or as the leaf with index `place`."""

    place: int
    party: int
    time: int


@dataclass(frozen=True)
class Bound:
    """A time and the parties by which it stands; it is no bound where all of them may lie."""

    time: int
    by: tuple[int, ...]
    holds: bool


def liars_max(parties: int) -> int:
    """f: how many parties' witnesses may all lie (witness.md, Quorum)."""
    return max(1, (parties - 1) // 3)


def not_after(leaf: int, cosigned: Iterable[Said], liars: int) -> Bound | None:
    """By cosignatures of checkpoints that hold the leaf; nothing where the bound is open."""
    times: dict[int, int] = {}
    for said in cosigned:
        if said.place > leaf:
            times[said.party] = min(said.time, times.get(said.party, said.time))
    return _bound(sorted((time, party) for party, time in times.items()), liars)


def not_before(seen: int, logged: Iterable[Said], liars: int) -> Bound | None:
    """By cosignatures that stand in the tree of `seen` leaves; nothing where the bound is open."""
    times: dict[int, int] = {}
    for said in logged:
        if said.place < seen:
            times[said.party] = max(said.time, times.get(said.party, said.time))
    return _bound(sorted(((time, party) for party, time in times.items()), key=lambda one: (-one[0], one[1])), liars)


def _bound(ordered: list[tuple[int, int]], liars: int) -> Bound | None:
    named = ordered[: liars + 1]
    if not named:
        return None
    return Bound(named[-1][0], tuple(sorted(party for _, party in named)), len(named) > liars)


def check(before: Bound | None, after: Bound | None) -> None:
    """Two bounds that hold and contradict each other."""
    if before is not None and after is not None and before.holds and after.holds:
        need(before.time <= after.time, "bounds-contradict")
