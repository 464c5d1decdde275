"""A party's signed account of what a publication shows and withholds (publication.md, Account)."""

from dataclasses import dataclass
from typing import Any

from . import cbor
from .change import QUESTION
from .cose import open_envelope
from .entry import LOG_ENTRIES_MAX
from .fields import ascends, fields, hash32, items, octets, row, uint
from .hashing import sha256
from .refusal import Refused, need
from .roster import Charter

_ACCOUNT_MAX, _RULES_MAX, _EXCEPTIONS_MAX, _LABELS_MAX = 134_217_728, 1_024, 4_096, 256
_QUESTIONS_MAX, _DECISIONS_MAX, _LOGS_MAX = 4_096, 4_104, 65_536
_REASON_MAX = 6
_STATES = {0, *range(16, 21), *range(34, 41)}
_FACTS = {
    f"context/{fact}" for fact in ("coarse-place", "exact-place", "day", "exact-time", "post", "observer", "photos")
}

# (seq, entry id, state or reason, record where it is left out by decision)
Row = tuple[int, bytes, int, bytes | None]


@dataclass(frozen=True)
class Log:
    """The entries of one log that the publisher knew."""

    key: bytes
    scope: bytes
    epoch: bytes
    party: int | None
    entries: list[Row]


@dataclass(frozen=True)
class Account:
    """What the party decided, and what it says of every entry."""

    id: bytes
    party: int
    scopes: list[bytes]
    rules: dict[bytes, list[Any]]
    exceptions: dict[bytes, dict[str, Any]]
    logs: list[Log]
    note: bytes | None


def _reason(value: Any) -> int:
    return uint(value, 1, _REASON_MAX)


def _question(value: Any) -> str:
    need(type(value) is str and QUESTION.fullmatch(value) is not None)
    return str(value)


def _label(value: Any) -> str:
    need(type(value) is str and (value in _FACTS or QUESTION.fullmatch(value) is not None))
    return str(value)


def _decision(value: Any) -> Any:
    """0 for disclosed, a reason, or a reason and the questions that are disclosed all the same."""
    if type(value) is int:
        return uint(value, 0, _REASON_MAX)
    return row(_reason, items(_question, 1, _QUESTIONS_MAX))(value)


def _seq(value: Any) -> int:
    seq = uint(value)
    need(seq < LOG_ENTRIES_MAX, "size-limit")
    return seq


def _entry(value: Any) -> Row:
    need(type(value) is list and len(value) in (3, 4))
    if len(value) == 4:
        seq, id_, reason, record = row(_seq, hash32, _reason, hash32)(value)
        return seq, id_, reason, record
    seq, id_, state = row(_seq, hash32, uint)(value)
    need(state in _STATES)
    return seq, id_, state, None


def _party(value: Any) -> int | None:
    return None if value is None else uint(value)


def _log(value: Any) -> Log:
    return Log(*row(hash32, octets(8), octets(8), _party, items(_entry, 1, LOG_ENTRIES_MAX))(value))


def open_account(data: bytes, charter: Charter) -> Account:
    """The account, signed by the root key of the party that it names."""
    need(len(data) <= _ACCOUNT_MAX, "size-limit")
    envelope = open_envelope(data, "publication")
    known = {
        1: hash32,
        2: uint,
        3: items(octets(8), 1, len(data)),
        4: items(row(hash32, items(_decision, 1, _DECISIONS_MAX)), 0, _RULES_MAX),
        5: items(row(hash32, items(row(_label, _decision), 1, _LABELS_MAX)), 1, _EXCEPTIONS_MAX),
        6: items(_log, 0, _LOGS_MAX),
        7: hash32,
    }
    found = fields(cbor.decode(envelope.payload), known, (1, 2, 3, 4, 6))
    need(found[1] == charter.mission, "mission-mismatch")
    party = charter.party_of_root(envelope.key)
    need(party is not None and party.number == found[2], "publication-signer")
    need(ascends(found[3]) and set(found[3]) <= set(charter.scopes), "publication-scope")
    need(all(log.scope in found[3] for log in found[6]), "publication-scope")
    rules, exceptions = found[4], found.get(5, [])
    _check_order(rules, exceptions, found[6])
    return Account(
        sha256(data),
        found[2],
        found[3],
        dict(rules),
        {record: dict(labels) for record, labels in exceptions},
        found[6],
        found.get(7),
    )


def _check_order(rules: list[Any], exceptions: list[Any], logs: list[Log]) -> None:
    decisions = [decision for _, decisions in rules for decision in decisions]
    decisions += [decision for _, labels in exceptions for _, decision in labels]
    orders = [
        [form for form, _ in rules],
        [record for record, _ in exceptions],
        *([label.encode() for label, _ in labels] for _, labels in exceptions),
        *([name.encode() for name in decision[1]] for decision in decisions if type(decision) is tuple),
        [(log.key, log.scope, log.epoch) for log in logs],
        *([entry[:2] for entry in log.entries] for log in logs),
    ]
    if not all(ascends(order) for order in orders):
        raise Refused("publication-order")
