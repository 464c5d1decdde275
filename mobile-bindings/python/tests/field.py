"""A mission with real programs for the officers, base camp and the auditor, and phones of this package."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from conftest import PROGRAMS

import merestone
from merestone._crossing import EnrolmentLine

PASSPHRASE = "correct horse battery staple"


class Mission:
    """Two parties, founded with the officers' own program."""

    def __init__(self, office: Path) -> None:
        self.office = office
        office.mkdir(parents=True, exist_ok=True)
        (office / "passphrase").write_text(PASSPHRASE + "\n", encoding="utf-8")
        keys = {name: self.run("mission", "key", "--out", f"{name}.key")["key"] for name in ("a", "b", "ledger")}
        founded = self.run(
            "mission", "found", "--name", "Border", "--party", f"State A={keys['a']}", "--party",
            f"State B={keys['b']}", "--scope", "North", "--ledger", f"border.example/ledger={keys['ledger']}",
            "--key", "a.key", "--out", "charter.cbor",
        )  # fmt: skip
        self.run("mission", "sign", "charter.cbor", "--key", "b.key")
        self.id = str(founded["mission"])
        self.scope = str(founded["scopes"][0]["id"])

    @property
    def charter(self) -> bytes:
        """What a new phone is made with."""
        return (self.office / "charter.cbor").read_bytes()

    def run(self, *words: str) -> dict[str, Any]:
        """Runs `merestone` to its end, and gives what it printed."""
        command = [str(PROGRAMS / "merestone"), *words, "--json"]
        done = subprocess.run(command, cwd=self.office, env=self._env, text=True, capture_output=True)
        assert done.returncode == 0, f"merestone {' '.join(words)}\n{done.stderr}"
        return dict(json.loads(done.stdout)) if done.stdout.strip() else {}

    def certify(self, enrolment: EnrolmentLine, party: str = "a", role: str = "observer") -> str:
        """What an officer answers to a request, after the six words were compared."""
        request = self.office / f"{enrolment.key}.request"
        request.write_text(enrolment.text, encoding="utf-8")
        return self._certify(request.name, " ".join(enrolment.words), party, role)

    def cut(self, key: str, camp: Camp) -> Path:
        """Ends a key that State A certified, by what base camp holds of it."""
        file = self.office / f"{key}.cut"
        self.run(
            "roster", "cut", key, "--reason", "stolen", "--key", "a.key", "--home", str(camp.home), "--out", str(file)
        )
        return file

    def audit_by_command(self, bag: Path) -> str:
        """What `merestone-audit` prints of a bag that passes."""
        command = [str(PROGRAMS / "merestone-audit"), str(bag), "--mission", self.id]
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout

    @contextmanager
    def camp(self) -> Iterator[Camp]:
        """A base camp in a process of its own."""
        home = self.office / "camp"
        if not home.exists():
            self.run("device", "init", "charter.cbor", "--home", "camp")
            asked = self.run(
                "device", "request", "--observer", "Base camp", "--device", "laptop", "--home", "camp", "--out",
                "camp.request",
            )  # fmt: skip
            self._certify("camp.request", " ".join(asked["words"]), "b", "camp")
            self.run("device", "accept", "camp.request.certificate", "--home", "camp")
        command = [
            str(PROGRAMS / "merestone"), "serve", "--home", "camp", "--listen", "127.0.0.1:0", "--ledger-key",
            "ledger.key", "--quiet", "--json",
        ]  # fmt: skip
        with subprocess.Popen(
            command, cwd=self.office, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                line = process.stdout.readline()
                assert line, process.stderr and process.stderr.read()
                ready = json.loads(line)
                yield Camp(home, ready["address"], ready["ticket_text"])
            finally:
                process.terminate()

    @property
    def _env(self) -> dict[str, str]:
        return os.environ | {"MERESTONE_PASSPHRASE_FILE": str(self.office / "passphrase")}

    def _certify(self, request: str, words: str, party: str, role: str) -> str:
        certificate = f"{request}.certificate"
        self.run(
            "roster", "certify", request, "--role", role, "--charter", "charter.cbor", "--key", f"{party}.key",
            "--words", words, "--out", certificate,
        )  # fmt: skip
        return (self.office / certificate).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Camp:
    """A base camp that answers."""

    home: Path
    address: str
    ticket: str


@dataclass(frozen=True)
class Inspector:
    """A phone with one observer whose key is unlocked."""

    name: str
    phone: merestone.Phone
    key: str
    scope: str

    @classmethod
    async def enrol(
        cls,
        name: str,
        mission: Mission,
        folder: Path,
        *,
        secret: str | merestone.KeyVault = PASSPHRASE,
        providers: merestone.Providers | None = None,
        party: str = "a",
    ) -> Inspector:
        """Makes a phone, asks for a certificate, takes it, and unlocks the key."""
        phone = await merestone.Phone.create(folder, mission.charter, offset_min=120, providers=providers)
        enrolment = await phone.observers.request(name, f"{name}'s phone", secret)
        observer = await phone.observers.accept(mission.certify(enrolment, party))
        assert observer.key == enrolment.key
        await phone.observers.unlock(observer.key, secret)
        return cls(name, phone, observer.key, mission.scope)

    async def form(self, kind: str = "inspection") -> str:
        """The hash of a form."""
        return str((await self.phone.forms.of_kind(kind)).hash)

    async def save(self, post: str) -> str:
        """Saves an inspection of a post, and gives the record."""
        answers: dict[str, merestone.Answer] = {"post": post, "day": "2026-03-02", "status": "open", "queue_low": 3}
        return str((await self.phone.drafts.save_new(self.key, self.scope, await self.form(), answers)).record)


class PlainVault(merestone.KeyVault):
    """A keystore of the platform, as far as a test needs one: it wraps by a key that it keeps."""

    def __init__(self) -> None:
        self.pad = os.urandom(32)
        self.fails: BaseException | None = None
        self.forgotten: list[bytes] = []

    def wrap(self, secret: bytes) -> bytes:
        self._fail()
        return self._turned(secret)

    def unwrap(self, wrapped: bytes) -> bytes:
        self._fail()
        return self._turned(wrapped)

    def make_signing_key(self) -> bytes | None:
        self._fail()
        return None

    def sign(self, key: bytes, message: bytes) -> bytes:
        raise merestone.KeystoreRefused("this keystore signs nothing")

    def forget(self, key: bytes) -> None:
        self.forgotten.append(key)

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails

    def _turned(self, value: bytes) -> bytes:
        stream = b"".join(sha256(self.pad + bytes([n])).digest() for n in range(len(value) // 32 + 1))
        return bytes(a ^ b for a, b in zip(value, stream, strict=False))
