"""The observers of a phone: asking for a certificate, and unlocking keys."""

from __future__ import annotations

from . import _crossing as crossing
from ._crossing import Asked, EnrolmentLine, KeyVault, ObserverLine, asked


class Observers:
    """Who uses the phone. Observers are named by their key, 64 hex digits."""

    def __init__(self, phone: crossing.Phone) -> None:
        self._phone = phone

    async def all(self) -> list[ObserverLine]:
        """Everyone who asked for a certificate or has one."""
        return await asked(self._phone.observers())

    async def request(
        self,
        observer: str,
        device: str,
        secret: str | KeyVault,
        *,
        attestation: bytes | None = None,
        replaces: str | None = None,
    ) -> EnrolmentLine:
        """Makes a key and asks for its certificate: show the text or QR code to an officer, and read out the six words.

        Args:
            observer: the person's name.
            device: the device's name.
            secret: a passphrase that wraps the key, or a keystore of the platform that does.
            attestation: what the maker of the keystore says about the key.
            replaces: a key that this one is to follow.

        Raises:
            Refused: a name is empty or too long, or the passphrase is empty.
        """
        wish = Asked(observer=observer, device=device, attestation=attestation, replaces=replaces)
        if isinstance(secret, KeyVault):
            return await asked(self._phone.request_in_vault(wish, secret))
        return await asked(self._phone.request(wish, secret))

    async def requested(self, observer: str) -> EnrolmentLine | None:
        """The request again, until the certificate is there."""
        return await asked(self._phone.requested(observer))

    async def accept(self, certificate: str) -> ObserverLine:
        """Takes the certificate as the text that the officer gave."""
        return await asked(self._phone.accept(certificate))

    async def unlock(self, observer: str, secret: str | KeyVault) -> None:
        """Unlocks the key until `lock`, `Phone.close` or the end of the process.

        Raises:
            Locked: the passphrase is wrong, or the keystore refuses now.
            Refused: the passphrase is empty.
            ProviderFailed: the keystore lost the key.
        """
        if isinstance(secret, KeyVault):
            await asked(self._phone.unlock_in_vault(observer, secret))
        else:
            await asked(self._phone.unlock(observer, secret))

    async def succeed(self, old: str, new: str) -> None:
        """States that an observer goes on under another key of this phone: both unlocked, certified by one party."""
        await asked(self._phone.succeed(old, new))

    async def accept_succession(self, proposed: bytes) -> None:
        """Adds the new key's signature to a succession that the party signed for a key that is lost."""
        await asked(self._phone.accept_succession(proposed))

    async def lock(self) -> None:
        """Forgets all unlocked keys."""
        await asked(self._phone.lock())
