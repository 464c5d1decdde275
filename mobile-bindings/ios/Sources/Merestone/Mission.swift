/// What the parties agreed on, as far as an app shows it.
public struct Mission: Hashable, Sendable {
    public let id: MissionID
    /// As the parties wrote it.
    public let name: String
    /// By number.
    public let parties: [Party]
    /// In the order of the charter.
    public let scopes: [Scope]

    /// Made of its parts.
    public init(id: MissionID, name: String, parties: [Party], scopes: [Scope]) {
        self.id = id
        self.name = name
        self.parties = parties
        self.scopes = scopes
    }
}

/// A state or body that certifies observers.
public struct Party: Hashable, Sendable {
    /// Unique within the mission.
    public let number: UInt64
    public let name: String
    /// Its root key, 64 hex digits.
    public let key: String

    /// Made of its parts.
    public init(number: UInt64, name: String, key: String) {
        self.number = number
        self.name = name
        self.key = key
    }
}

/// A part of the mission, see ``ScopeID``.
public struct Scope: Hashable, Sendable {
    public let id: ScopeID
    public let name: String

    /// Made of its parts.
    public init(id: ScopeID, name: String) {
        self.id = id
        self.name = name
    }
}
