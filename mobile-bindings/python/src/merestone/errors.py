"""What can go wrong, as the few things a program can act on."""

from __future__ import annotations


class MerestoneError(Exception):
    """A call that did not do what it was asked. Nothing that was saved before is lost."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        """For people who look after the program, in English.

        It holds no passphrase and no secret key, but it may name a file, a host or an id, a key's among them, and it
        holds what a keystore of the program's own gives as its reason: keep it out of crash reports.
        """


class Locked(MerestoneError):
    """Ask for the passphrase, or let the person unlock the keystore."""


class NotEnrolled(MerestoneError):
    """The key may not sign this: it has no certificate yet, none for this, or its party cut it."""

    def __init__(self, reason: str, is_cut: bool) -> None:
        super().__init__(reason)
        self.is_cut = is_cut
        """The party cut the key: what was saved stays, and nothing new can be."""


class NotThere(MerestoneError):
    """What was named is not here."""


class Refused(MerestoneError):
    """What was handed over cannot be taken like this; nothing was changed by it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        """A name that programs may rely on."""


class Storage(MerestoneError):
    """The disk did not do it; nothing of this step was kept."""

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault
        """``full``, ``damaged``, ``in-use``, ``newer`` or ``failed``."""


class Unreachable(MerestoneError):
    """Nobody was met."""

    def __init__(self, code: str, is_worth_retrying: bool, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.is_worth_retrying = is_worth_retrying
        """Whether the same call may succeed later without anybody changing anything."""


class ProviderFailed(MerestoneError):
    """What the program itself brought, a keystore for example, did not do it."""

    def __init__(self, reason: str, is_gone: bool) -> None:
        super().__init__(reason)
        self.is_gone = is_gone
        """It never will: the keystore lost the key, and the observer must enrol again."""


class Closed(MerestoneError):
    """The phone is closed, wiped or paused."""

    def __init__(self, reason: str, is_paused: bool) -> None:
        super().__init__(reason)
        self.is_paused = is_paused
        """It is only paused: `Phone.resume` opens it again."""


class Internal(MerestoneError):
    """A mistake of the program. The store is sound; please report it."""
