"""A publication against a bag of its mission: what the account left out, and what it says otherwise (publication.md)."""

from typing import Any

from . import claims
from .bag import Audited, audit_whole
from .bag_files import Files
from .disclosure import Disclosure
from .entry import CHANGE, CO_AUTHORSHIP, Entry, log_id
from .evidence import Evidence
from .findings import Finding, Report, doubt, failure, report
from .publication import (
    ERASED,
    NOT_APPLIED,
    NOT_HELD,
    ROLE,
    SHOWN,
    UNKNOWN_KIND,
    VOID,
    Listed,
    Publication,
    label,
    open_publication,
)  # fmt: skip
from .publication_table import standing
from .record import Verdict, judge

_APPLIED = ("accepted", "provisional")


def judge_publication(files: Files, mission: bytes, bag: Files | None) -> Report:
    """What the folder shows, and with a bag what only that shows."""
    publication, findings = open_publication(files, mission)
    if publication is not None and bag is not None:
        findings += _Comparison(publication, audit_whole(bag, mission)).findings()
    return report(findings)


class _Comparison:
    def __init__(self, publication: Publication, bag: Audited) -> None:
        self.publication, self.bag = publication, bag
        self.verdicts: dict[bytes, Verdict] = {}

    def findings(self) -> list[Finding]:
        evidence = self.bag.evidence
        found = [doubt("publication-bag")] if self.bag.report.verdict == "FAILED" or evidence is None else []
        if evidence is None:
            return found
        found += self._counted(evidence)
        for listed in self.publication.listed.values():
            entry = evidence.entries.get(listed.id)
            if entry is None:
                found.append(doubt("publication-not-in-bag", entry=listed.id))
            else:
                found += self._compared(evidence, listed, entry)
        for record in sorted({one.header.record for one in self.publication.shown.values()}):
            found += self._current(evidence, record)
        return found

    def _counted(self, evidence: Evidence) -> list[Finding]:
        """Entries of the scopes that the account does not list."""
        account = self.publication.account
        tops = {
            log_id(log.key, log.scope, log.epoch): max((row[0] for row in log.entries), default=-1)
            for log in account.logs
        }
        found = []
        for entry in evidence.entries.values():
            header = entry.header
            if header.scope not in account.scopes or header.id in self.publication.listed:
                continue
            place = {"log": header.log, "seq": header.seq, "entry": header.id}
            is_below = header.seq <= tops.get(header.log, -1)
            found.append(
                failure("publication-incomplete", **place) if is_below else doubt("publication-later", **place)
            )
        return found

    def _verdict(self, evidence: Evidence, record: bytes) -> Verdict:
        if record not in self.verdicts:
            self.verdicts[record] = judge(record, evidence, self.bag.in_ledger)
        return self.verdicts[record]

    def _is_applied(self, evidence: Evidence, entry: Entry) -> bool:
        header = entry.header
        return header.id in self._verdict(evidence, header.record).applied

    def _state(self, evidence: Evidence, entry: Entry) -> int:
        """The state that the bag gives an entry."""
        header = entry.header
        standing_ = self._verdict(evidence, header.record).standings.get(header.id, "waiting")
        if header.kind > CO_AUTHORSHIP:
            return UNKNOWN_KIND
        if standing_ == "erased":
            return ERASED
        if not entry.body_held:
            return NOT_HELD
        if header.kind != CHANGE:
            return ROLE + header.kind if standing_ in (*_APPLIED, "voided") else NOT_APPLIED
        if not self._is_applied(evidence, entry):
            return NOT_APPLIED
        return SHOWN if self._fault(entry) is None else VOID

    def _fault(self, entry: Entry) -> str | None:
        form = self.bag.forms.get(entry.header.form or b"")
        if form is None or entry.change is None or entry.body is None:
            return "form-missing"
        return claims.fault(form, entry.change, entry.body.context, entry.header.claims)

    def _compared(self, evidence: Evidence, listed: Listed, entry: Entry) -> list[Finding]:
        header, found = entry.header, []
        place: dict[str, Any] = {"log": header.log, "seq": header.seq, "entry": header.id}
        certificate = evidence.certificate(header)
        if certificate is not None and certificate.party != listed.log.party:
            found.append(failure("publication-party", **place))
        said, state = listed.state, self._state(evidence, entry)
        is_denied = said is not None and (said in (ERASED, UNKNOWN_KIND) or said > ROLE)
        if is_denied and self._is_applied(evidence, entry):
            found.append(failure("publication-denied", **place))
        elif (SHOWN if said is None else said) != state:
            found.append(doubt("publication-standing", **place))
        shown = self.publication.shown.get(header.id)
        if shown is not None and entry.change is not None and not self._shows_all_cells(shown, entry):
            found.append(failure("publication-cells", **place))
        return found

    def _shows_all_cells(self, shown: Disclosure, entry: Entry) -> bool:
        opened = {
            (label(shown.form, one.position), row, question)
            for one in shown.opened
            for row, question, _ in one.cells or []
        }
        for put in entry.change.puts if entry.change is not None else ():
            name, *cell = put.key.split("/")
            position = shown.form.position(name, is_repeat=bool(cell))
            if not cell or position is None:
                continue
            decision = self.publication.decision(shown.form, position, shown.header.record)
            is_wanted = decision == SHOWN or (isinstance(decision, tuple) and cell[1] in decision[1])
            if is_wanted and (name, cell[0], cell[1]) not in opened:
                return False
        return True

    def _current(self, evidence: Evidence, record: bytes) -> list[Finding]:
        """What stands in the bag against what stands in the publication, where each has all of the other's."""
        verdict = self._verdict(evidence, record)
        listed = self.publication.listed
        shown = [one for one in self.publication.shown.values() if one.header.record == record]
        is_whole = all(one.header.id in evidence.entries for one in shown)
        if not is_whole or not all(id_ in listed for id_ in verdict.applied):
            return []
        stands = {("/".join(part for part in place if part), id_) for place, id_ in standing(shown, label)}
        ours = {(key, id_) for key, values in verdict.view.items() for _, id_ in values if self._is_open(shown, key)}
        if stands == ours:
            return []
        is_other = any(listed[id_].state != SHOWN for id_ in verdict.applied)
        return [(doubt if is_other else failure)("publication-current", detail=record.hex())]

    def _is_open(self, shown: list[Disclosure], key: str) -> bool:
        name, *cell = key.split("/")
        for one in shown:
            position = one.form.position(name, is_repeat=bool(cell))
            if position is not None:
                decision = self.publication.decision(one.form, position, one.header.record)
                return decision == SHOWN or (isinstance(decision, tuple) and bool(cell) and cell[1] in decision[1])
        return False
