"""What a program may bring that knows better than the library: clocks, a place, what the link costs.

Subclass these; they are called on threads of the library, and may call back into the phone.
Raise what is named here; anything else that is raised counts as `NotKnown` or `KeystoreRefused`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._crossing import ClockProvider, ConnectivityProvider, KeyVaultError, LocationProvider, ProviderError

__all__ = [
    "ClockProvider",
    "ConnectivityProvider",
    "KeystoreGone",
    "KeystoreRefused",
    "LocationProvider",
    "NotKnown",
    "Providers",
]

# The generated errors are trees that no type checker follows.
_keystore: Any = KeyVaultError
_provider: Any = ProviderError

KeystoreRefused: type[Exception] = _keystore.Refused
"""A keystore does not do it now: the person did not unlock it. Made with words for people."""
KeystoreGone: type[Exception] = _keystore.Gone
"""A keystore never will: it lost the key. Made with words for people."""
NotKnown: type[Exception] = _provider.Failed
"""A clock, a place or a link is not known. Made with words for people."""


@dataclass(frozen=True, slots=True)
class Providers:
    """What a phone asks its program for; what is absent is done without."""

    clock: ClockProvider | None = None
    """Read before each step that may sign; the system's clock where it raises."""
    location: LocationProvider | None = None
    """Asked once when an interview is saved; without a place where it raises."""
    connectivity: ConnectivityProvider | None = None
    """Asked when a meeting begins: originals are not fetched over a metered link unless that is asked for."""
