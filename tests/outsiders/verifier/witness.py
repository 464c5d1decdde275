"""Cosignatures, notes of version 2, quorum, and what a witness answers (witness.md)."""

import base64
from dataclasses import dataclass

from . import ed25519, merkle
from .bounds import liars_max
from .checkpoint import INVALID, SIZE_MAX, Checkpoint, is_ledger_line, open_parts, read_text
from .refusal import Refused, need
from .roster import Charter
from .signed_note import Line, Note, decode_base64, decode_decimal, key_hash, need_lines, read_line, split_note

NOTE_MAX, LINES_MAX, WITNESSES_MAX, REQUEST_MAX, PROOF_HASHES_MAX = 32_768, 100, 99, 36_864, 63
MALFORMED = "note-malformed"


@dataclass(frozen=True)
class Witness:
    """A witness that counts, and its party."""

    key: bytes
    party: int

    @property
    def name(self) -> str:
        return f"witness/{self.key[:8].hex()}"


@dataclass(frozen=True)
class Cosignature:
    """A witness's word, at its time, for a checkpoint's text."""

    witness: Witness
    time: int
    signature: bytes


@dataclass(frozen=True)
class CosignedNote:
    """A checkpoint and its cosignatures, ascending by key."""

    checkpoint: Checkpoint
    cosignatures: list[Cosignature]

    @property
    def data(self) -> bytes:
        """The note of version 2."""
        return self.checkpoint.data + b"".join(_line(one) for one in self.cosignatures)


def _line(cosignature: Cosignature) -> bytes:
    name = cosignature.witness.name
    raw = key_hash(name, 4, cosignature.witness.key) + cosignature.time.to_bytes(8, "big") + cosignature.signature
    return f"\u2014 {name} {base64.b64encode(raw).decode()}\n".encode()


def witnesses(charter: Charter) -> list[Witness]:
    """The witnesses that count: the first of every party, then the second, up to 99."""
    turns = max((len(party.witnesses) for party in charter.parties), default=0)
    listed = [
        Witness(party.witnesses[turn], party.number)
        for turn in range(turns)
        for party in charter.parties
        if turn < len(party.witnesses)
    ]
    return listed[:WITNESSES_MAX]


def _cosignature(witness: Witness, line: Line, text: bytes) -> Cosignature | None:
    if len(line.signature) != 72:
        return None
    time = int.from_bytes(line.signature[:8], "big")
    message = b"cosignature/v1\ntime %d\n" % time + text
    holds = time < 2**63 and ed25519.verify(witness.key, message, line.signature[8:])
    return Cosignature(witness, time, line.signature[8:]) if holds else None


def _judging(note: Note, charter: Charter) -> Charter:
    said = read_text(note.text)
    return charter if said is None else charter.judging(said.size)


def open_cosigned(data: bytes, charter: Charter) -> CosignedNote:
    """A note of version 1 or 2 in our form."""
    need(len(data) <= NOTE_MAX, MALFORMED)
    note, lines = need_lines(split_note(data), MALFORMED)
    charter = _judging(note, charter)
    need(len(lines) <= LINES_MAX, MALFORMED)
    checkpoint = open_parts(note, lines[0], charter.ledger)
    known = {(one.name, key_hash(one.name, 4, one.key)): one for one in witnesses(charter)}
    cosignatures: list[Cosignature] = []
    for line in lines[1:]:
        witness = known.get((line.name, line.key_hash))
        if witness is None:
            raise Refused("cosignature-unknown")
        need(not cosignatures or witness.key > cosignatures[-1].witness.key, "cosignature-order")
        cosignature = _cosignature(witness, line, note.text)
        if cosignature is None:
            raise Refused("cosignature-invalid")
        cosignatures.append(cosignature)
    return CosignedNote(checkpoint, cosignatures)


def open_cosignature(data: bytes, charter: Charter) -> CosignedNote:
    """A cosignature as a statement: a note of version 2 with exactly one line of a witness."""
    try:
        note = open_cosigned(data, charter)
        need(len(note.cosignatures) == 1)
    except Refused as refusal:
        raise Refused(INVALID if refusal.code == INVALID else "cosignature-invalid") from None
    return note


def open_foreign(data: bytes, charter: Charter) -> CosignedNote:
    """A note as others write it, as the note that is kept of it."""
    note, lines = need_lines(split_note(data), MALFORMED)
    charter = _judging(note, charter)
    if charter.ledger is None:
        raise Refused(INVALID)
    ours = next((line for line in lines if is_ledger_line(line, note.text, *charter.ledger)), None)
    checkpoint = open_parts(note, ours, charter.ledger)
    kept: dict[bytes, Cosignature] = {}
    for line in lines:
        for witness in witnesses(charter):
            if line.key_hash == key_hash(line.name, 4, witness.key):
                found = _cosignature(witness, line, note.text)
                if found is not None:
                    kept[witness.key] = earlier(kept.get(witness.key), found)
    return CosignedNote(checkpoint, [kept[key] for key in sorted(kept)])


def earlier(held: Cosignature | None, found: Cosignature) -> Cosignature:
    """Which of two cosignatures of one witness merging keeps."""
    if held is None:
        return found
    return min(held, found, key=lambda one: (one.time, one.signature))


@dataclass(frozen=True)
class Tally:
    """How far a note is confirmed, by which parties."""

    confirmation: str
    signed: list[int]
    silent: list[int]


def tally(note: CosignedNote, charter: Charter) -> Tally:
    """The quorum's answer, by the charter that judges notes of its size."""
    charter = charter.judging(note.checkpoint.size)
    parties = sorted({one.party for one in witnesses(charter)})
    signed = sorted({one.witness.party for one in note.cosignatures})
    count = len(parties)
    final, provisional = (count + liars_max(count)) // 2 + 1, count // 2 + 1
    word = "final" if len(signed) >= final else "provisional" if len(signed) >= provisional else "unconfirmed"
    return Tally(word, signed, [party for party in parties if party not in signed])


def is_handed_out(note: CosignedNote, charter: Charter) -> bool:
    """Whether witnesses of so many parties cosigned the note that nobody who restores the ledger can have forgotten it."""
    charter = charter.judging(note.checkpoint.size)
    count = len({one.party for one in witnesses(charter)})
    least = (count + liars_max(count) + 1) // 2 if count else 0
    return len({one.witness.party for one in note.cosignatures}) >= least


def can_be_final(charter: Charter) -> bool:
    """Whether enough parties have witnesses for any checkpoint to be final."""
    count = len({one.party for one in witnesses(charter)})
    return (count + liars_max(count)) // 2 + 1 <= count


@dataclass(frozen=True)
class Latest:
    """The latest checkpoint that a witness cosigned."""

    size: int
    root: bytes


@dataclass(frozen=True)
class Answer:
    """A status, with 409 the size that is the latest, and what the witness keeps afterwards."""

    status: int
    latest: Latest


def add_checkpoint(data: bytes, latest: Latest | None, charter: Charter) -> Answer:
    """What a witness answers to a request, the first of the table that holds."""
    held = latest or Latest(0, merkle.root([]))
    parsed = _request(data)
    if parsed is None or charter.ledger is None:
        return Answer(400, held)
    old, path, note = parsed
    said = read_text(note.text)
    if said is None:
        return Answer(400, held)
    if said.origin != charter.ledger[0]:
        return Answer(404, held)
    lines = [read_line(line) for line in note.lines]
    if None in lines:
        return Answer(400, held)
    if not any(line is not None and is_ledger_line(line, note.text, *charter.ledger) for line in lines):
        return Answer(403, held)
    if old > said.size:
        return Answer(400, held)
    if old != held.size or (said.size == held.size and said.root != held.root):
        return Answer(409, held)
    if not merkle.is_consistent(held.size, said.size, held.root, said.root, path):
        return Answer(422, held)
    return Answer(200, Latest(said.size, said.root))


def _request(data: bytes) -> tuple[int, list[bytes], Note] | None:
    head, blank, rest = data.partition(b"\n\n")
    if len(data) > REQUEST_MAX or not blank:
        return None
    try:
        first, *hashes = head.decode().split("\n")
    except UnicodeDecodeError:
        return None
    old = decode_decimal(first[4:], SIZE_MAX) if first.startswith("old ") else None
    path = [decode_base64(line) for line in hashes]
    note = split_note(rest)
    if old is None or note is None or len(path) > PROOF_HASHES_MAX:
        return None
    if any(hash_ is None or len(hash_) != 32 for hash_ in path):
        return None
    return old, [hash_ for hash_ in path if hash_ is not None], note
