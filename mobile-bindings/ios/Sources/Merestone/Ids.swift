/// Names a thing by lowercase hex.
///
/// It is not checked when it is made: what takes an id answers ``MerestoneError/refused(code:reason:)`` when the text is
/// none, and ``MerestoneError/notThere(reason:)`` when this phone has nothing of it.
public protocol HexID: Hashable, Sendable, CustomStringConvertible {
    /// The digits.
    var hex: String { get }
    /// The thing that these digits name.
    init(_ hex: String)
}

extension HexID {
    /// The digits.
    public var description: String { hex }
}

/// A mission: everything that is signed names it.
public struct MissionID: HexID {
    /// 64 digits.
    public let hex: String

    /// The id of these 64 digits.
    public init(_ hex: String) {
        self.hex = hex
    }
}

/// A part of a mission whose records are synced and handed over together.
public struct ScopeID: HexID {
    /// 16 digits.
    public let hex: String

    /// The id of these 16 digits.
    public init(_ hex: String) {
        self.hex = hex
    }
}

/// The public key of an observer on one phone. The same person on another phone has another key.
public struct ObserverKey: HexID {
    /// 64 digits.
    public let hex: String

    /// The id of these 64 digits.
    public init(_ hex: String) {
        self.hex = hex
    }
}

/// A record: one inspection, incident or other document that grows by entries. It is the id of the entry that
/// created it.
public struct RecordID: HexID {
    /// 64 digits.
    public let hex: String

    /// The id of these 64 digits.
    public init(_ hex: String) {
        self.hex = hex
    }
}

/// One signed step of a record.
public struct EntryID: HexID {
    /// 64 digits.
    public let hex: String

    /// The id of these 64 digits.
    public init(_ hex: String) {
        self.hex = hex
    }
}

/// One edition of a form. Two phones hold the same form when the hash is the same.
public struct FormHash: HexID {
    /// 64 digits.
    public let hex: String

    /// The id of these 64 digits.
    public init(_ hex: String) {
        self.hex = hex
    }
}

/// The bytes of one photo, or of a smaller picture that was made of it.
public struct PhotoHash: HexID {
    /// 64 digits.
    public let hex: String

    /// The id of these 64 digits.
    public init(_ hex: String) {
        self.hex = hex
    }
}

/// What is being filled and was not saved yet. It never leaves this phone.
public struct DraftID: HexID {
    /// 32 digits.
    public let hex: String

    /// The id of these 32 digits.
    public init(_ hex: String) {
        self.hex = hex
    }
}

/// One saving, so that asking for it again does not save twice: chosen at random for that saving alone.
public struct SaveID: HexID {
    /// 32 digits.
    public let hex: String

    /// The id of these 32 digits.
    public init(_ hex: String) {
        self.hex = hex
    }

    /// A new one, of 16 bytes of the system's generator.
    public static func random() -> SaveID {
        let (high, low) = (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max))
        let digits = [high, low].map { String(repeating: "0", count: 16 - String($0, radix: 16).count) + String($0, radix: 16) }
        return SaveID(digits.joined())
    }
}
