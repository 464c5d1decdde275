"""The bit streams and the two entropy coders of Zstandard (RFC 8878, section 4): FSE and Huffman."""

from dataclasses import dataclass

from .refusal import need

CODE = "shape"


class Backward:
    """A stream that is read from its last bit; the highest set bit of the last byte only marks the end."""

    def __init__(self, data: bytes) -> None:
        need(len(data) > 0 and data[-1] != 0, CODE)
        self._number = int.from_bytes(data, "little")
        self.left = self._number.bit_length() - 1

    def read(self, count: int) -> int:
        """Bits beyond the beginning are 0, and `left` is then negative."""
        self.left -= count
        if self.left >= 0:
            return self._number >> self.left & (1 << count) - 1
        return (self._number << -self.left) & (1 << count) - 1


@dataclass(frozen=True)
class Table:
    """An FSE table: of each state its symbol, how many bits come next, and what is added to them."""

    log: int
    symbols: list[int]
    widths: list[int]
    bases: list[int]


def table_of_one(symbol: int) -> Table:
    """A table that says one symbol and takes no bits."""
    return Table(0, [symbol], [0], [0])


def read_table(data: bytes, log_max: int, symbols_max: int) -> tuple[Table, int]:
    """The table that a description gives, and the bytes the description takes."""
    number, at = int.from_bytes(data, "little"), 4
    log = (number & 15) + 5
    need(log <= log_max, CODE)
    remaining, counts = (1 << log) + 1, []
    while remaining > 1:
        width = remaining.bit_length()
        threshold = 1 << width - 1
        spare = 2 * threshold - 1 - remaining
        value = number >> at & 2 * threshold - 1
        if value & threshold - 1 < spare:
            value, at = value & threshold - 1, at + width - 1
        else:
            value, at = value - spare if value >= threshold else value, at + width
        counts.append(value - 1)
        remaining -= abs(value - 1)
        repeat = 3 if value == 1 else 0
        while repeat == 3:
            repeat, at = number >> at & 3, at + 2
            counts += [0] * repeat
        need(remaining >= 1 and len(counts) <= symbols_max + 1 and at <= 8 * len(data), CODE)
    return make_table(counts, log), (at + 7) // 8


def make_table(counts: list[int], log: int) -> Table:
    """The table of these counts; -1 is a symbol of less than one state."""
    size = 1 << log
    symbols, high = [0] * size, size
    for symbol, count in enumerate(counts):
        if count == -1:
            high -= 1
            symbols[high] = symbol
    at, step = 0, (size >> 1) + (size >> 3) + 3
    for symbol, count in enumerate(counts):
        for _ in range(max(count, 0)):
            symbols[at] = symbol
            at = at + step & size - 1
            while at >= high:
                at = at + step & size - 1
    need(at == 0, CODE)
    following = [abs(count) for count in counts]
    widths, bases = [], []
    for symbol in symbols:
        state = following[symbol]
        following[symbol] += 1
        width = log - state.bit_length() + 1
        widths.append(width)
        bases.append((state << width) - size)
    return Table(log, symbols, widths, bases)


class States:
    """One state that goes through a table."""

    def __init__(self, table: Table, bits: Backward) -> None:
        self.table, self.state = table, bits.read(table.log)

    @property
    def symbol(self) -> int:
        return self.table.symbols[self.state]

    def go_on(self, bits: Backward) -> None:
        self.state = self.table.bases[self.state] + bits.read(self.table.widths[self.state])


@dataclass(frozen=True)
class Huffman:
    """A code: for each word of `log` bits the symbol and how many of the bits it has."""

    log: int
    words: list[tuple[int, int]]

    def decode(self, data: bytes, count: int) -> bytes:
        """Exactly `count` symbols, which take all bits."""
        bits, out = Backward(data), bytearray()
        for _ in range(count):
            symbol, width = self.words[bits.read(self.log)]
            bits.left += self.log - width
            out.append(symbol)
        need(bits.left == 0, CODE)
        return bytes(out)


def read_huffman(data: bytes) -> tuple[Huffman, int]:
    """The code that a description gives, and the bytes the description takes."""
    need(len(data) > 0, CODE)
    head = data[0]
    if head < 128:
        need(len(data) > head, CODE)
        weights, taken = _weights(data[1 : 1 + head]), 1 + head
    else:
        count = head - 127
        taken = 1 + (count + 1) // 2
        need(len(data) >= taken, CODE)
        weights = [data[1 + index // 2] >> (4 if index % 2 == 0 else 0) & 15 for index in range(count)]
    total = sum(1 << weight - 1 for weight in weights if weight)
    need(total > 0, CODE)
    log = total.bit_length()
    rest = (1 << log) - total
    need(log <= 11 and rest & rest - 1 == 0 and len(weights) < 256, CODE)
    weights.append(rest.bit_length())
    words = [
        (symbol, log + 1 - weight)
        for weight in range(1, log + 1)
        for symbol, said in enumerate(weights)
        if said == weight
        for _ in range(1 << weight - 1)
    ]
    need(len(words) == 1 << log, CODE)
    return Huffman(log, words), taken


def _weights(data: bytes) -> list[int]:
    """Weights by two states in turn, until the bits are used up."""
    table, taken = read_table(data, 6, 255)
    bits = Backward(data[taken:])
    turn, other = States(table, bits), States(table, bits)
    weights: list[int] = []
    while True:
        need(len(weights) < 254 and bits.left >= 0, CODE)
        weights.append(turn.symbol)
        if table.widths[turn.state] > bits.left:
            weights.append(other.symbol)
            return weights
        turn.go_on(bits)
        turn, other = other, turn
