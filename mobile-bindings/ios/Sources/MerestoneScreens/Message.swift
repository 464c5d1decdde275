/// Something to tell a person, without words: a stable code and what goes into its sentence.
///
/// A ``Phrasebook`` makes the sentence. Two messages with the same code mean the same in every language.
public struct Message: Hashable, Sendable {
    /// What it says, in lower case with points: `sync.unfinished`.
    public let code: String
    /// What stands in the sentence under these names: names of people, numbers as text, never secrets.
    public let args: [String: String]
    /// What the sentence counts, so that a language can choose its plural.
    public let count: Int?
    /// The library's own English sentence, for a phrase book that does not know the code.
    public let detail: String?

    /// A message of this code.
    public init(_ code: String, _ args: [String: String] = [:], count: Int? = nil, detail: String? = nil) {
        self.code = code
        self.args = args
        self.count = count
        self.detail = detail
    }

    /// A message that counts something: it stands in its sentence as `{count}`.
    public static func counting(_ code: String, _ count: Int, _ args: [String: String] = [:]) -> Message {
        Message(code, args.merging(["count": String(count)]) { own, _ in own }, count: count)
    }
}
