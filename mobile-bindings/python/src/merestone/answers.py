"""Answers as Python has them, and as they go over the crossing."""

from __future__ import annotations

from typing import Any

from ._crossing import AnswerValue
from .evidence import Answer

VALUES: Any = AnswerValue
"""The generated classes of values, as a tree that no type checker follows."""


def lowered(answer: Answer) -> AnswerValue:
    """The value of an answer; `True` and `False` are yes and no, `None` is left blank.

    Raises:
        TypeError: it is none of ``None``, ``bool``, ``int`` and ``str``; fractions and dates are texts in forms.
    """
    value: AnswerValue
    match answer:
        case None:
            value = VALUES.BLANK()
        case bool():
            value = VALUES.YES_NO(yes=answer)
        case int():
            value = VALUES.NUMBER(number=answer)
        case str():
            value = VALUES.TEXT(text=answer)
        case _:
            raise TypeError(f"an answer is None, a bool, an int or a str, not {type(answer).__name__}")
    return value


def lifted(crossed: AnswerValue) -> Answer:
    """The answer of a value."""
    value: Any = crossed
    match value:
        case VALUES.YES_NO():
            return bool(value.yes)
        case VALUES.NUMBER():
            return int(value.number)
        case VALUES.TEXT():
            return str(value.text)
    return None
