#!/usr/bin/env python3
"""What can be said of the Swift package without a Swift compiler.

swift_check.py PACKAGE GENERATED LIBRARY parses every Swift file with tree-sitter, compiles the C header, looks whether each
C symbol that Swift calls is declared and exported, and whether what the façade uses of the generated code is there.
Prints what is wrong, a line each, and ends with 1 if anything is.
"""

import re
import subprocess
import sys
from pathlib import Path

import tree_sitter
import tree_sitter_swift

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))
# Valid forms that this version of the grammar does not know, replaced by others of as many lines.
UNKNOWN_FORMS = [
    (rb"@_documentation\(visibility: private\)", b""),
    (rb"\{ \(\) \}", b"{ 0 }"),
    (rb"^internal import ", b"import "),
    (rb"nonisolated\(unsafe\) ", b""),
]
CROSSING = "MerestoneCrossing"


def parsed(source: bytes) -> tree_sitter.Node:
    for form, other in UNKNOWN_FORMS:
        source = re.sub(form, other, source, flags=re.M)
    return PARSER.parse(source).root_node


def walk(node: tree_sitter.Node):
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: tree_sitter.Node | None) -> str:
    return node.text.decode() if node is not None else ""


def syntax_errors(name: str, root: tree_sitter.Node) -> list[str]:
    wrong = [node for node in walk(root) if node.is_error or node.is_missing] if root.has_error else []
    return [f"{name}:{node.start_point[0] + 1}: not Swift: {text(node)[:60]!r}" for node in wrong]


class Generated:
    """The types of the generated code with what they have, and its free functions."""

    def __init__(self, root: tree_sitter.Node) -> None:
        self.functions: dict[str, set[tuple[str, ...]]] = {}
        self.types: dict[str, dict[str, set[tuple[str, ...]] | None]] = {}
        for node in root.children:
            if node.type == "function_declaration":
                self.functions.setdefault(text(node.child_by_field_name("name")), set()).add(labels_of(node))
            elif node.type in ("class_declaration", "protocol_declaration"):
                self.read_type(node)

    def read_type(self, node: tree_sitter.Node) -> None:
        members = self.types.setdefault(text(node.child_by_field_name("name")), {})
        body = node.child_by_field_name("body")
        for member in body.children if body is not None else []:
            if member.type in ("function_declaration", "protocol_function_declaration"):
                add(members, text(member.child_by_field_name("name")), labels_of(member))
            elif member.type == "init_declaration":
                add(members, "init", labels_of(member))
            elif member.type == "property_declaration":
                members.setdefault(text(member.child_by_field_name("name")), None)
            elif member.type == "enum_entry":
                self.read_cases(members, member)

    def read_cases(self, members: dict, entry: tree_sitter.Node) -> None:
        # `case a(b: C, d: E)` or `case a`: names before colons within the parentheses are labels.
        written = re.sub(r"///[^\n]*|/\*.*?\*/", "", text(entry), flags=re.S)
        match = re.match(r"\s*(?:indirect\s+)?case\s+`?(\w+)`?\s*(?:\((.*)\))?", written, flags=re.S)
        if match:
            add(members, match[1], tuple(re.findall(r"(\w+)\s*:", match[2] or "")))


def add(members: dict, name: str, labels: tuple[str, ...]) -> None:
    known = members.get(name)
    members[name] = (known or set()) | {labels}


def labels_of(function: tree_sitter.Node) -> tuple[str, ...]:
    labels = []
    for parameter in function.children:
        if parameter.type == "parameter":
            outer = parameter.child_by_field_name("external_name")
            labels.append(text(outer if outer is not None else parameter.child_by_field_name("name")).strip("`"))
    return tuple(labels)


class Use:
    """Looks whether one file of the façade uses only what the generated code has."""

    def __init__(self, name: str, root: tree_sitter.Node, generated: Generated) -> None:
        self.name, self.generated = name, generated
        self.wrong: list[str] = []
        self.visit(root, {}, None)

    def visit(self, node: tree_sitter.Node, known: dict[str, str], receiver: str | None) -> None:
        """`known` are names of this scope with their generated type, `receiver` what `self.init` and `.case` are of."""
        if node.type == "class_declaration":
            known, receiver = dict(known), crossing_type(text(node.child_by_field_name("name"))) or receiver
            body = node.child_by_field_name("body")
            for member in body.children if body is not None else []:
                self.learn_property(member, known)
        elif node.type in ("init_declaration", "function_declaration"):
            known = dict(known)
            for parameter in node.children:
                if parameter.type == "parameter":
                    self.learn(known, parameter.child_by_field_name("name"), text(parameter).partition(":")[2])
        elif node.type == "switch_statement":
            self.check_switch(node, known)
        elif node.type == "call_expression":
            self.check_call(node, known, receiver)
        elif node.type == "navigation_expression":
            self.check_member(node, known)
        elif node.type == "prefix_expression" and receiver and self.is_enum(receiver):
            self.check_case(node, receiver)
        elif node.type == "user_type":
            self.check_type(node)
        for child in node.children:
            self.visit(child, known, receiver)

    def learn_property(self, member: tree_sitter.Node, known: dict[str, str]) -> None:
        if member.type == "property_declaration":
            self.learn(known, member.child_by_field_name("name"), text(member).partition(":")[2])

    def learn(self, known: dict[str, str], name: tree_sitter.Node | None, kind: str) -> None:
        found = crossing_type(kind)
        if found:
            known[text(name)] = found
        else:
            known.pop(text(name), None)

    def check_type(self, node: tree_sitter.Node) -> None:
        kind = crossing_type(text(node))
        if kind and kind not in self.generated.types:
            self.say(node, f"there is no type {kind}")

    def check_member(self, node: tree_sitter.Node, known: dict[str, str]) -> None:
        target, member = text(node.child_by_field_name("target")), text(node.child_by_field_name("suffix"))[1:]
        if target == CROSSING:
            if member not in self.generated.types and member not in self.generated.functions:
                self.say(node, f"there is no {member}")
        elif target in known and member not in self.generated.types.get(known[target], {}):
            self.say(node, f"{known[target]} has no {member}")

    def check_case(self, node: tree_sitter.Node, receiver: str) -> None:
        match = re.fullmatch(r"\.(\w+)", text(node))
        if match and match[1] not in (*self.members(receiver), "init"):
            self.say(node, f"{receiver} has no case {match[1]}")

    def check_call(self, node: tree_sitter.Node, known: dict[str, str], receiver: str | None) -> None:
        called, labels = node.children[0], call_labels(node)
        callee = text(called)
        target, _, member = callee.rpartition(".")
        if target == CROSSING:
            options = self.generated.functions.get(member) or self.members(member).get("init")
        elif re.fullmatch(rf"{CROSSING}\.\w+", target):
            options = self.members(target.removeprefix(CROSSING + ".")).get(member)
            if options is None:
                self.say(node, f"{target} has no {member}")
        elif target in known:
            options = self.members(known[target]).get(member)
        elif receiver and callee == "self.init":
            options = self.members(receiver).get("init")
        elif receiver and self.is_enum(receiver) and target == "" and callee.startswith(".") and member != "init":
            options = self.members(receiver).get(member)
        else:
            return
        if options and labels not in options:
            self.say(node, f"{callee} takes {' or '.join(map(str, sorted(options)))}, not {labels}")

    def check_switch(self, node: tree_sitter.Node, known: dict[str, str]) -> None:
        subject = text(node.child_by_field_name("expr"))
        if subject not in known:
            return
        cases = self.members(known[subject])
        for entry in node.children:
            if entry.type == "switch_entry":
                for case in re.findall(r"(?:^case|,)\s+(?:let\s+)?\.(\w+)", text(entry).partition(":\n")[0].split(": ")[0]):
                    if case not in cases:
                        self.say(entry, f"{known[subject]} has no case {case}")

    def is_enum(self, kind: str) -> bool:
        return "init" not in self.members(kind)

    def members(self, kind: str) -> dict:
        return self.generated.types.get(kind, {})

    def say(self, node: tree_sitter.Node, what: str) -> None:
        self.wrong.append(f"{self.name}:{node.start_point[0] + 1}: {what}")


def crossing_type(written: str) -> str | None:
    """`Phone` of `MerestoneCrossing.Phone`, also where it is an optional or a default follows."""
    match = re.match(rf"\s*\(?(?:any\s+)?{CROSSING}\.(\w+)", written)
    return match[1] if match else None


def call_labels(call: tree_sitter.Node) -> tuple[str, ...]:
    labels = []
    for node in walk_until(call.children[-1], "value_arguments"):
        for argument in node.children:
            if argument.type == "value_argument":
                label = argument.child_by_field_name("name")
                labels.append(text(label) if label is not None else "_")
    return tuple(labels)


def walk_until(node: tree_sitter.Node, kind: str) -> list[tree_sitter.Node]:
    if node.type == kind:
        return [node]
    return [child for child in node.children if child.type == kind]


def symbols(generated: Path, library: Path) -> list[str]:
    pattern = r"\b((?:uniffi|ffi)_merestone_ffi_\w+)\b"
    swift, header = (generated / f"{CROSSING}.swift").read_text(), (generated / f"{CROSSING}FFI.h").read_text()
    called, declared = set(re.findall(pattern, swift)), set(re.findall(pattern + r"\s*\(", header))
    listed = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    exported = {line.split()[-1] for line in listed.splitlines()}
    return [f"{name} is called and not declared in the header" for name in sorted(called - declared)] + [
        f"{name} is called and not exported" for name in sorted(called & declared - exported)
    ]


def header_faults(generated: Path) -> list[str]:
    # gcc does not know the nullability of pointers.
    command = ["clang", "-std=c11", "-Wall", "-Werror", "-fsyntax-only", "-x", "c", generated / f"{CROSSING}FFI.h"]
    try:
        done = subprocess.run([*command, "-Wno-pragma-once-outside-header"], capture_output=True, text=True)
    except FileNotFoundError:
        print("SKIPPED: the C header was not compiled, there is no clang")
        return []
    return [] if done.returncode == 0 else [f"the C header: {done.stderr.strip()}"]


def main(package: Path, generated: Path, library: Path) -> int:
    root = parsed((generated / f"{CROSSING}.swift").read_bytes())
    wrong = syntax_errors(f"{CROSSING}.swift", root)
    code, files = Generated(root), [*package.glob("Sources/**/*.swift"), *package.glob("Tests/**/*.swift")]
    files = [file for file in sorted([*files, package / "Package.swift"]) if file.name != f"{CROSSING}.swift"]
    for file in files:
        name, own = str(file.relative_to(package)), parsed(file.read_bytes())
        wrong += syntax_errors(name, own)
        if "/Crossing/" in name:
            wrong += Use(name, own, code).wrong
        elif CROSSING in file.read_text() and file.name != "Package.swift":
            wrong.append(f"{name}: only Sources/Merestone/Crossing may know the generated code")
    wrong += header_faults(generated) + symbols(generated, library)
    print("\n".join(wrong) or f"{len(files) + 1} Swift files parse, and what the façade uses is there")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4])))
