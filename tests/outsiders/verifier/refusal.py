"""The one way in which a check says no."""


class Refused(Exception):
    """What was read breaks a rule; `code` is the rule's stable name in core/spec."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def need(holds: bool, code: str = "shape") -> None:
    """Refuses with `code` unless the rule holds."""
    if not holds:
        raise Refused(code)
