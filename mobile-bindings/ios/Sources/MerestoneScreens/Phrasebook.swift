/// Makes words of messages, in one language.
public protocol Phrasebook: Sendable {
    /// The sentence, for a person. Never empty.
    func say(_ message: Message) -> String
}

/// A phrase book from a table: `code` or, for what is counted, `code#FORM` with the word that `plural` gives for the number.
///
/// `{name}` in a phrase is replaced by the argument of that name; what the message does not have stays as it is written.
/// A code that is not in the table is looked up in `otherwise`, so that a translation may have gaps.
public struct PhraseTable: Phrasebook {
    /// A language code: `en`.
    public let language: String
    /// Whether the language is written from right to left.
    public let isRightToLeft: Bool

    private let phrases: [String: String]
    private let otherwise: (any Phrasebook)?
    private let plural: @Sendable (Int) -> String

    /// A table of these phrases.
    public init(
        language: String, phrases: [String: String], isRightToLeft: Bool = false, otherwise: (any Phrasebook)? = nil,
        plural: @escaping @Sendable (Int) -> String = { $0 == 1 ? "one" : "other" }
    ) {
        self.language = language
        self.phrases = phrases
        self.isRightToLeft = isRightToLeft
        self.otherwise = otherwise
        self.plural = plural
    }

    public func say(_ message: Message) -> String {
        guard let phrase = phrase(message) else {
            return otherwise?.say(message) ?? message.detail.map(sentence) ?? message.code
        }
        return filled(phrase, message.args)
    }

    private func phrase(_ message: Message) -> String? {
        let counted = message.count.flatMap { count in
            phrases["\(message.code)#\(plural(count))"] ?? phrases["\(message.code)#other"]
        }
        return counted ?? phrases[message.code]
    }

    /// The library's own words begin in lower case and have no full stop.
    private func sentence(_ words: String) -> String {
        let begun = words.prefix(1).uppercased() + words.dropFirst()
        return begun.last.map { $0.isLetter || $0.isNumber } ?? false ? "\(begun)." : begun
    }

    private func filled(_ phrase: String, _ args: [String: String]) -> String {
        var said = ""
        var rest = phrase[...]
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}") else { break }
            said += rest[..<open]
            let name = rest[rest.index(after: open)..<close]
            let isName = !name.isEmpty && name.allSatisfy { ("a"..."z").contains($0) }
            guard isName else {
                said += "{"
                rest = rest[rest.index(after: open)...]
                continue
            }
            said += args[String(name)] ?? "{\(name)}"
            rest = rest[rest.index(after: close)...]
        }
        return said + rest
    }
}
