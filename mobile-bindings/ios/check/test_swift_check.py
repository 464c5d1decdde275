"""The check finds what is planted, and nothing where nothing is wrong."""

import unittest

from swift_check import Generated, Use, parsed, syntax_errors

GENERATED = b"""
open class Phone: PhoneProtocol, @unchecked Sendable {
open func records(query: Query, linesMax: UInt32)async throws  -> Page  { return 1 }
}
public struct Page: Equatable {
    public let lines: [String]
    public init(lines: [String], next: String?) { self.lines = lines }
}
public enum Target: Equatable {
    /// How: a note
    case ticket(
        /**
         * A note: like this.
         */text: String
    )
    case nobody
}
public func openPhone(home: String)async throws  -> Phone  { return 1 }
"""

FACADE = """
internal import MerestoneCrossing

struct Rooms {
    let phone: MerestoneCrossing.Phone

    func page() async throws -> Ours {
        try await MerestoneCrossing.openPhone(home: "x")
        return try await Ours(phone.records(query: q, linesMax: 1))
    }
}

extension Ours {
    init(_ page: MerestoneCrossing.Page) {
        self.init(lines: page.lines)
    }

    init(_ target: MerestoneCrossing.Target) {
        self =
            switch target {
            case .ticket(let text): .mine(text)
            case .nobody: .none
            }
    }
}

extension MerestoneCrossing.Target {
    init(_ ours: Ours) {
        self =
            switch ours {
            case .mine(let text): .ticket(text: text)
            case .none: .nobody
            }
    }
}

extension MerestoneCrossing.Page {
    init(_ ours: Ours) {
        self.init(lines: ours.all, next: nil)
    }
}
"""


def faults(facade: str) -> list[str]:
    return Use("facade.swift", parsed(facade.encode()), Generated(parsed(GENERATED))).wrong


class SwiftCheckTest(unittest.TestCase):
    def test_nothing_is_found_where_nothing_is_wrong(self) -> None:
        self.assertEqual(faults(FACADE), [])

    def test_each_planted_fault_is_found_once_and_where_it_is(self) -> None:
        planted = {
            "phone.records(query: q, linesMax: 1)": [
                ("phone.record(query: q, linesMax: 1)", "Phone has no record"),
                ("phone.records(query: q, lines: 1)", "phone.records takes"),
                ("phone.records(query: q)", "phone.records takes"),
                ("phone.records(q, linesMax: 1)", "phone.records takes"),
            ],
            "MerestoneCrossing.openPhone(home": [
                ("MerestoneCrossing.openPhones(home", "there is no openPhones"),
                ("MerestoneCrossing.openPhone(folder", "MerestoneCrossing.openPhone takes"),
            ],
            "page.lines": [("page.rows", "Page has no rows")],
            "case .nobody: .none": [("case .noone: .none", "Target has no case noone")],
            "case .none: .nobody": [("case .none: .noone", "Target has no case noone")],
            ".ticket(text: text)": [
                (".ticket(words: text)", ".ticket takes"),
                (".tickets(text: text)", "Target has no case tickets"),
            ],
            "all, next: nil": [("all", "self.init takes")],
            "phone: MerestoneCrossing.Phone": [("phone: MerestoneCrossing.Phones", "there is no type Phones")],
        }
        for right, wrongs in planted.items():
            self.assertIn(right, FACADE)
            for wrong, said in wrongs:
                with self.subTest(wrong):
                    found = faults(FACADE.replace(right, wrong, 1))
                    self.assertTrue(any(said in fault for fault in found), found)
                    line = FACADE[: FACADE.index(right)].count("\n") + 1
                    self.assertTrue(any(f":{line}:" in fault for fault in found), found)

    def test_what_is_not_swift_is_found(self) -> None:
        self.assertEqual(syntax_errors("a", parsed(b"let a = { (b: Int) in b }\n")), [])
        self.assertNotEqual(syntax_errors("a", parsed(b"func a( {\n")), [])


if __name__ == "__main__":
    unittest.main()
