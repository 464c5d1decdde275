"""Zstandard frames (RFC 8878), as far as the conversation sends them: no dictionary but raw content."""

from dataclasses import dataclass, field

from .bits import CODE, Backward, Huffman, States, Table, make_table, read_huffman, read_table, table_of_one
from .hashing import xxh64
from .refusal import Refused, need

_MAGIC, _SKIPPABLE, _BLOCK_MAX = 0xFD2FB528, 0x184D2A5, 131_072


def _codes(plain: int, first: int, extra: list[int]) -> list[tuple[int, int]]:
    """Baseline and bits of each code: `plain` codes of one value each from `first`, then these widths."""
    codes, base = [(first + code, 0) for code in range(plain)], first + plain
    for width in extra:
        codes.append((base, width))
        base += 1 << width
    return codes


_LITERALS = _codes(16, 0, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
_MATCHES = _codes(32, 3, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
_OFFSET_CODE_MAX = 31
_DEFAULTS = (
    make_table([4, 3, *[2] * 11, 1, 1, 1, *[2] * 9, 3, 2, *[1] * 5, *[-1] * 4], 6),
    make_table([*[1] * 6, 2, 2, 2, *[1] * 15, *[-1] * 5], 5),
    make_table([1, 4, 3, *[2] * 6, *[1] * 37, *[-1] * 7], 6),
)
# Of literals, offsets and matches: the greatest accuracy, and the greatest symbol.
_LOG_MAX, _SYMBOL_MAX = (9, 8, 9), (len(_LITERALS) - 1, _OFFSET_CODE_MAX, len(_MATCHES) - 1)


def decompress(data: bytes, size: int, dictionary: bytes = b"") -> bytes:
    """All frames of `data`, which hold exactly `size` bytes together; it stops beyond them."""
    out, at = b"", 0
    while at < len(data):
        frame = _Frame(dictionary, len(dictionary) + size - len(out))
        at = frame.read(data, at)
        out += frame.out[len(dictionary) :]
    need(len(out) == size, CODE)
    return out


@dataclass
class _Frame:
    """`out` begins with what matches may reach back to."""

    before: bytes
    end: int
    out: bytearray = field(init=False)
    tables: list[Table | None] = field(default_factory=lambda: [None, None, None])
    huffman: Huffman | None = None
    recent: list[int] = field(default_factory=lambda: [1, 4, 8])

    def __post_init__(self) -> None:
        self.out = bytearray(self.before)

    def read(self, data: bytes, at: int) -> int:
        """Where the frame ends."""
        source = _Bytes(data, at)
        magic = source.number(4)
        if magic >> 4 == _SKIPPABLE:
            source.take(source.number(4))
            return source.at
        need(magic == _MAGIC, CODE)
        has_checksum, said = _head(source)
        begin, is_last = len(self.out), False
        while not is_last:
            head = source.number(3)
            is_last, kind, size = bool(head & 1), head >> 1 & 3, head >> 3
            need(kind != 3 and size <= _BLOCK_MAX, CODE)
            if kind == 2:
                self._block(source.take(size))
            else:
                self._add(source.take(size) if kind == 0 else source.take(1) * size)
        need(said is None or said == len(self.out) - begin, CODE)
        if has_checksum:
            need(source.number(4) == xxh64(bytes(self.out[begin:])) & 0xFFFFFFFF, CODE)
        return source.at

    def _add(self, data: bytes) -> None:
        need(len(self.out) + len(data) <= self.end, CODE)
        self.out += data

    def _block(self, data: bytes) -> None:
        source = _Bytes(data, 0)
        literals = self._literals(source)
        first = source.number(1)
        if first == 0:
            need(source.at == len(data), CODE)
            self._add(literals)
            return
        if first == 255:
            count = source.number(2) + 0x7F00
        else:
            count = first if first < 128 else (first - 128 << 8) + source.number(1)
        modes = source.number(1)
        need(modes & 3 == 0, CODE)
        tables = [self._table(source, index, modes >> 6 - 2 * index & 3) for index in range(3)]
        self._sequences(data[source.at :], count, tables, literals)

    def _table(self, source: "_Bytes", index: int, mode: int) -> Table:
        """0 the default, 1 one symbol, 2 described here, 3 that of the block before."""
        table: Table | None
        if mode == 0:
            table = _DEFAULTS[index]
        elif mode == 1:
            symbol = source.number(1)
            need(symbol <= _SYMBOL_MAX[index], CODE)
            table = table_of_one(symbol)
        elif mode == 2:
            table, taken = read_table(source.data[source.at :], _LOG_MAX[index], _SYMBOL_MAX[index])
            source.take(taken)
        else:
            table = self.tables[index]
        if table is None:
            raise Refused(CODE)
        self.tables[index] = table
        return table

    def _literals(self, source: "_Bytes") -> bytes:
        first = source.data[source.at] if source.at < len(source.data) else 0
        kind, form = first & 3, first >> 2 & 3
        if kind < 2:
            width, shift = (1, 3) if form in (0, 2) else (2, 4) if form == 1 else (3, 4)
            size = source.number(width) >> shift
            need(size <= _BLOCK_MAX, CODE)
            return source.take(size) if kind == 0 else source.take(1) * size
        width, bits = ((3, 10), (3, 10), (4, 14), (5, 18))[form]
        head = source.number(width) >> 4
        size, packed = head & (1 << bits) - 1, source.take(head >> bits)
        need(size <= _BLOCK_MAX, CODE)
        if kind == 2:
            self.huffman, taken = read_huffman(packed)
            packed = packed[taken:]
        if self.huffman is None:
            raise Refused(CODE)
        if form == 0:
            return self.huffman.decode(packed, size)
        sizes, streams = _Bytes(packed, 0), []
        lengths = [sizes.number(2) for _ in range(3)]
        for length in lengths:
            streams.append(sizes.take(length))
        streams.append(packed[sizes.at :])
        quarter = (size + 3) // 4
        counts = [quarter, quarter, quarter, size - 3 * quarter]
        need(counts[3] >= 0, CODE)
        return b"".join(self.huffman.decode(stream, count) for stream, count in zip(streams, counts))

    def _sequences(self, data: bytes, count: int, tables: list[Table], literals: bytes) -> None:
        bits, used = Backward(data), 0
        literal, offset, match = (States(table, bits) for table in tables)
        for index in range(count):
            code = offset.symbol
            reach = (1 << code) + bits.read(code)
            base, width = _MATCHES[match.symbol]
            length = base + bits.read(width)
            base, width = _LITERALS[literal.symbol]
            plain = base + bits.read(width)
            need(bits.left >= 0 and used + plain <= len(literals), CODE)
            self._add(literals[used : used + plain])
            used += plain
            self._copy(self._reach(reach, plain == 0), length)
            if index + 1 < count:
                for state in (literal, match, offset):
                    state.go_on(bits)
        need(bits.left == 0, CODE)
        self._add(literals[used:])

    def _reach(self, value: int, no_literals: bool) -> int:
        """The distance; 1 to 3 stand for those used last."""
        if value > 3:
            self.recent = [value - 3, *self.recent[:2]]
            return value - 3
        place = value - 1 + no_literals
        distance = self.recent[place] if place < 3 else self.recent[0] - 1
        self.recent = [distance, *(one for at, one in enumerate(self.recent) if at != min(place, 2))]
        return distance

    def _copy(self, distance: int, length: int) -> None:
        need(0 < distance <= len(self.out) and len(self.out) + length <= self.end, CODE)
        start = len(self.out) - distance
        piece = bytes(self.out[start : start + length])
        self.out += (piece * (length // len(piece) + 1))[:length]


@dataclass
class _Bytes:
    """Bytes that are read from the front; numbers are little endian."""

    data: bytes
    at: int

    def take(self, count: int) -> bytes:
        need(count <= len(self.data) - self.at, CODE)
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")


def _head(source: _Bytes) -> tuple[bool, int | None]:
    """Whether a checksum follows the frame, and the size that it says of its content."""
    first = source.number(1)
    is_single, width = bool(first & 32), (0, 2, 4, 8)[first >> 6]
    need(first & 8 == 0, CODE)
    if not is_single:
        source.take(1)
    identity = source.number((0, 1, 2, 4)[first & 3])
    need(identity == 0, CODE)
    if width == 0 and not is_single:
        return bool(first & 4), None
    size = source.number(width or 1)
    return bool(first & 4), size + 256 if width == 2 else size
