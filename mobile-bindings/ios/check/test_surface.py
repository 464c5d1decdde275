"""A symbol is a line below its type, and a public declaration that is only parsed stands as it was written."""

import unittest

from surface import as_written, of_module


def symbol(path: str, said: str) -> dict:
    parts = path.split(".")
    return {
        "identifier": {"precise": path},
        "pathComponents": parts,
        "declarationFragments": [{"spelling": word + " "} for word in said.split(" ")[:-1]] + [{"spelling": said.split(" ")[-1]}],
    }


GRAPH = {
    "symbols": [symbol("Phone.room()", "func room()\n async"), symbol("Phone", "protocol Phone : AnyObject"), symbol("Base", "class Base")],
    "relationships": [
        {"kind": "conformsTo", "source": "Phone", "target": "s1", "targetFallback": "Swift.AnyObject"},
        {"kind": "conformsTo", "source": "Phone", "target": "s2", "targetFallback": "Swift.Sendable"},
        {"kind": "conformsTo", "source": "Phone", "target": "s3", "targetFallback": "Swift.Copyable"},
        {"kind": "inheritsFrom", "source": "Phone", "target": "Base"},
        {"kind": "memberOf", "source": "Phone.room()", "target": "Phone"},
    ],
}

WRITTEN = """
/// A vault.
public final class Vault: KeyVault {
    public enum Presence { case no }
    case person
    public init(
        tag: String = "a", prompt: @escaping (Int) -> Void = { _ in }
    ) {
        switch x { case .person: break }
    }
    public let size = 4
    func hidden() {}
}
"""


class SurfaceTest(unittest.TestCase):
    def test_each_symbol_is_a_line_with_what_it_conforms_to(self) -> None:
        wanted = ["-\tclass Base", "-\tprotocol Phone : AnyObject : Base, Sendable", "Phone\tfunc room() async"]
        self.assertEqual(of_module([GRAPH]), wanted)

    def test_public_declarations_stand_without_their_bodies(self) -> None:
        wanted = [
            "public final class Vault: KeyVault",
            "public enum Presence",
            "case person",
            'public init( tag: String = "a", prompt: @escaping (Int) -> Void = { _ in } )',
            "public let size",
        ]
        self.assertEqual(as_written({"a.swift": WRITTEN}), [f"a.swift\t{line}" for line in wanted])


if __name__ == "__main__":
    unittest.main()
