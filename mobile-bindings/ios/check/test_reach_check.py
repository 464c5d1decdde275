"""A call of the crossing that no file makes is named; what the app implements is not asked for."""

import unittest

from reach_check import unreached

SURFACE = """func version() -> String

class Phone
    func room() async throws PhoneError -> RoomLine
    static func made() -> Phone
    static func new(bytes: Data) -> Phone

protocol KeyVault
    func wrap(secret: Data) throws KeyVaultError -> Data

struct RoomLine
    let bytes: UInt64
"""


class ReachCheckTest(unittest.TestCase):
    def test_what_nobody_calls_is_named(self) -> None:
        self.assertEqual(unreached(SURFACE, "phone.rooms() Phone.made()"), ["version", "room"])
        self.assertEqual(unreached(SURFACE, "Crossing.version() phone.room( ) Phone.made()"), [])


if __name__ == "__main__":
    unittest.main()
