"""`table.csv` of a publication, made from its disclosures alone (publication.md, What a reader works out)."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from .disclosure import Disclosure, Opened
from .forms import STANDARD, Form

_HEAD = "record,entry,party,label,row,question,value,stands"
# What of a record an answer is about: label, row and question, the last two empty where it is no cell.
Place = tuple[str, str, str]


def opened(found: Disclosure, label: Callable[[Form, int], str]) -> Iterator[tuple[Place, Opened, Any]]:
    """Every value that a disclosure opens, in the order of leaves and cells."""
    for one in found.opened:
        name = label(found.form, one.position)
        if one.cells is not None:
            for row, question, value in one.cells:
                yield (name, row, question), one, value
        elif not one.is_absent:
            yield (name, "", ""), one, one.value


def standing(shown: list[Disclosure], label: Callable[[Form, int], str]) -> set[tuple[Place, bytes]]:
    """The values that stand: no other entry that writes the same has theirs among its ancestors."""
    headers = {found.header.id: found.header for found in shown}
    above: dict[bytes, set[bytes]] = {}

    def ancestors(id_: bytes) -> set[bytes]:
        if id_ not in above:
            refs = [ref for ref in headers[id_].refs if ref in headers]
            above[id_] = set(refs).union(*(ancestors(ref) for ref in refs))
        return above[id_]

    writes: dict[Place, list[bytes]] = {}
    for found in shown:
        for place, one, _ in opened(found, label):
            if one.position >= STANDARD:
                writes.setdefault(place, []).append(found.header.id)
    return {
        (place, id_)
        for place, ids in writes.items()
        for id_ in ids
        if not any(id_ in ancestors(other) for other in ids if other != id_)
    }


def table(shown: list[Disclosure], parties: dict[bytes, int | None], label: Callable[[Form, int], str]) -> bytes:
    """The whole file."""
    lines = [_HEAD]
    for record in sorted({found.header.record for found in shown}):
        of = sorted((found for found in shown if found.header.record == record), key=lambda found: found.header.id)
        stands = standing(of, label)
        for found in of:
            id_, party = found.header.id, parties[found.header.id]
            for place, one, value in opened(found, label):
                said = "" if one.position < STANDARD else "yes" if (place, id_) in stands else "no"
                cells = [record.hex(), id_.hex(), "" if party is None else str(party), *place, _value(one, value), said]
                lines.append(",".join(map(_quoted, cells)))
    return "".join(f"{line}\n" for line in lines).encode()


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(one in cell for one in ',"\r\n') else cell


def _value(one: Opened, value: Any) -> str:
    match one.position:
        case 0:
            return " ".join(_decimal(part, 1) for part in value)
        case 1:
            return f"{_decimal(value[0], 7)} {_decimal(value[1], 7)} {value[2]}"
        case 2:
            return str(date(1970, 1, 1) + timedelta(days=value))
        case 3:
            return f"{value[0]} {value[3]}"
        case 6:
            return " ".join(photo[1].hex() for photo in value)
        case _:
            return _plain(value)


def _decimal(number: int, digits: int) -> str:
    whole, rest = divmod(abs(number), 10**digits)
    return f"{'-' if number < 0 else ''}{whole}.{rest:0{digits}}"


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(("=", "+", "-", "@", " ")) else value
    return str(value)
