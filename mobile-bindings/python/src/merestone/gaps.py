"""What is missing in a bag, gathered from its report: nothing here is judged anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from .report import Finding, Scope, Weight


class GapKind(str, Enum):
    """What is missing."""

    ENTRIES = "entries"
    LOGS = "logs"
    BODIES = "what entries say"
    PHOTOS = "photos"
    STATEMENTS = "certificates and other statements"
    FORMS = "forms"
    LEDGER = "the ledger"
    SCOPES = "scopes"
    NOT_ASSESSED = "not assessed"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the bag lacks, or that nobody can tell from it."""

    kind: GapKind
    words: str
    """For people."""
    finding: Finding | None
    """The finding that says so; its code can be explained. ``None`` for what the report says as a whole."""

    @property
    def weight(self) -> Weight:
        """What it does to the verdict."""
        return Weight.NOTE if self.finding is None else self.finding.weight


CODES: Mapping[str, GapKind] = {
    "log-gap": GapKind.ENTRIES,
    "entry-left-out": GapKind.ENTRIES,
    "sibling-displaced": GapKind.ENTRIES,
    "receipt-missing-tail": GapKind.ENTRIES,
    "earlier-missing": GapKind.ENTRIES,
    "cut-kept-missing": GapKind.ENTRIES,
    "succession-head-missing": GapKind.ENTRIES,
    "entry-waiting": GapKind.ENTRIES,
    "log-left-out": GapKind.LOGS,
    "receipt-log-absent": GapKind.LOGS,
    "body-missing": GapKind.BODIES,
    "body-erased": GapKind.BODIES,
    "photo-missing": GapKind.PHOTOS,
    "certificate-missing": GapKind.STATEMENTS,
    "statement-left-out": GapKind.STATEMENTS,
    "statement-waits": GapKind.STATEMENTS,
    "form-missing": GapKind.FORMS,
    "ledger-left-out": GapKind.LEDGER,
    "entry-not-in-ledger": GapKind.LEDGER,
    "note-beyond-leaves": GapKind.LEDGER,
    "seen-unknown": GapKind.LEDGER,
    "checkpoint-not-final": GapKind.LEDGER,
    "witness-silent": GapKind.LEDGER,
    "completeness-not-assessed": GapKind.NOT_ASSESSED,
    "cut-finality-unknown": GapKind.NOT_ASSESSED,
    "record-too-large": GapKind.NOT_ASSESSED,
    "ledger-too-large": GapKind.NOT_ASSESSED,
    "bag-version": GapKind.NOT_ASSESSED,
}
"""The findings that speak of something missing. Those that are not here speak of something wrong."""


def gaps(findings: Iterable[Finding], scopes: Sequence[Scope], not_checked: Iterable[str]) -> Iterator[Gap]:
    """What is missing: first what findings name, the heaviest first, then what the bag says nothing about."""
    for finding in findings:
        kind = CODES.get(finding.code)
        if kind is not None:
            yield Gap(kind, f"{finding.place}: {finding.detail}", finding)
    for scope in scopes:
        if not scope.is_claimed:
            yield Gap(GapKind.SCOPES, f"scope {scope.name}: the bag does not claim it, and nothing is said of it", None)
    for words in not_checked:
        yield Gap(GapKind.NOT_ASSESSED, words, None)
