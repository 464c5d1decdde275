"""The rules of entry.md, Change, that need the entries a change names; and the history behind each change."""

from dataclasses import dataclass, field

from .change import ACTORS_MAX, Change
from .refusal import need


@dataclass
class History:
    """A change with the entries that it stands on."""

    change: Change
    deps: list["History"]
    # Ancestors and itself, by change hash.
    past: dict[bytes, Change] = field(default_factory=dict)


def check_history(change: Change, named: list[History]) -> History:
    """`named` are the changes of the entries in `refs`, all of them held."""
    need(set(change.deps) == {one.change.hash for one in named}, "change-deps-refs")
    own = [one.change for one in named if one.change.actor == change.actor]
    need(change.seq < 2 or len(own) > 0, "change-own-dep")
    need(change.seq == 1 + max((dep.seq for dep in own), default=0), "change-seq")
    past: dict[bytes, Change] = {}
    for one in named:
        past.update(one.past)
    past[change.hash] = change
    need(len({(one.actor, one.seq) for one in past.values()}) == len(past), "change-seq")
    need(len({one.actor for one in past.values()}) <= ACTORS_MAX, "change-size")
    need(change.start_op == 1 + max((one.change.max_op for one in named), default=0), "change-start-op")
    _check_preds(change, past)
    return History(change, named, past)


def _check_preds(change: Change, past: dict[bytes, Change]) -> None:
    wanted = {pred for put in change.puts for pred in put.preds}
    if not wanted:
        return
    keys = {}
    for one in past.values():
        if one is not change:
            for index, put in enumerate(one.puts):
                if (one.start_op + index, one.actor) in wanted:
                    keys[one.start_op + index, one.actor] = put.key
    for put in change.puts:
        need(all(keys.get(pred) == put.key for pred in put.preds), "change-pred")
