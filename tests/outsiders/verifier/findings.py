"""What a report says: a code, a weight, and the place it is about (bundle.md, Verdict)."""

from dataclasses import asdict, dataclass
from typing import Any

from .cbor import is_forbidden

_WEIGHTS = ("failure", "doubt", "note")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding; `detail` is for people and for codes inside codes."""

    weight: str
    code: str
    log: bytes | None = None
    seq: int | None = None
    entry: bytes | None = None
    statement: bytes | None = None
    file: str | None = None
    detail: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Without what is not said; ids in hex."""
        said = {key: value for key, value in asdict(self).items() if value is not None}
        plain = {key: value.hex() if isinstance(value, bytes) else value for key, value in said.items()}
        return plain if self.file is None else plain | {"file": _shown(self.file)}


def _shown(name: str) -> str:
    """The name of a file, of which nothing moves a reader's screen."""
    return "".join(f"\\u{{{ord(one):x}}}" if is_forbidden(one) else one for one in name)


def failure(code: str, **place: Any) -> Finding:
    """Evidence contradicts itself or is not authentic."""
    return Finding(weight="failure", code=code, **place)


def doubt(code: str, **place: Any) -> Finding:
    """Something cannot be decided from this bag."""
    return Finding(weight="doubt", code=code, **place)


def note(code: str, **place: Any) -> Finding:
    """True and worth reading; changes no verdict."""
    return Finding(weight="note", code=code, **place)


@dataclass(frozen=True)
class Report:
    """All findings, the heaviest first."""

    findings: list[Finding]

    @property
    def verdict(self) -> str:
        weights = {finding.weight for finding in self.findings}
        return "FAILED" if "failure" in weights else "INDETERMINATE" if "doubt" in weights else "PASSED"


def report(findings: list[Finding]) -> Report:
    """The findings, each once, in one order."""
    once = dict.fromkeys(findings)
    ordered = sorted(once, key=lambda one: (_WEIGHTS.index(one.weight), one.code, str(one.as_json())))
    return Report(ordered)
