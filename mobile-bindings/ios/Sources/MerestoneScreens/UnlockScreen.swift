import Merestone

/// Who can work on this phone, and whose key is unlocked.
public struct UnlockState: ScreenState, Hashable {
    public var mission = ""
    public var observers: [Observer] = []
    /// The one whose passphrase is asked for.
    public var chosen: ObserverKey?
    /// Why the key of ``chosen`` is still locked; nothing before the first try.
    public var refusal: Message?
    /// Whose key was unlocked: go on as this observer.
    public var unlocked: ObserverKey?
    public var isBusy = false
    public var trouble: Trouble?

    /// The one that is chosen.
    public var observer: Observer? { observers.first { $0.key == chosen } }

    /// Whether nobody ever enrolled on this phone: go to enrolment.
    public var isNobodyHere: Bool { !mission.isEmpty && observers.isEmpty }
}

/// Chooses an observer and unlocks the key.
public final class UnlockScreen: ScreenModel<UnlockState> {
    private let phone: any Phone
    private let vault: (any KeyVault)?

    /// - Parameter vault: where keys are that no passphrase wraps; nothing on a phone without one
    public init(_ phone: any Phone, vault: (any KeyVault)? = nil) {
        self.phone = phone
        self.vault = vault
        super.init(UnlockState())
    }

    /// Whether ``unlockInVault()`` can be offered.
    public var hasVault: Bool { vault != nil }

    /// Reads who is here. To be called first, and when a certificate was accepted. An only observer is chosen.
    @discardableResult
    public func open() -> Intent {
        intent {
            let mission = try await self.phone.mission()
            let observers = try await self.phone.observers.all()
            self.show {
                $0.mission = mission.name
                $0.observers = observers
                $0.chosen = $0.chosen ?? observers.only?.key ?? observers.filter(\.canSave).only?.key
            }
        }
    }

    /// Chooses whose key to unlock.
    public func choose(_ observer: ObserverKey) {
        show {
            $0.chosen = observer
            $0.refusal = nil
        }
    }

    /// Unlocks the chosen key. A wrong passphrase is said in the state; trying takes most of a second.
    @discardableResult
    public func unlock(_ passphrase: String) -> Intent {
        unlocking { try await self.phone.observers.unlock($0, passphrase: Passphrase(passphrase)) }
    }

    /// Unlocks the chosen key in the keychain, which asks for a finger or a face by itself.
    @discardableResult
    public func unlockInVault() -> Intent {
        unlocking { key in
            guard let vault = self.vault else { return nil }
            return try await self.phone.observers.unlock(key, vault: vault)
        }
    }

    /// Locks all keys; drafts stay.
    @discardableResult
    public func lock() -> Intent {
        intent {
            try await self.phone.observers.lock()
            self.show {
                $0.unlocked = nil
                $0.refusal = nil
            }
        }
    }

    private func unlocking(_ unlock: @escaping @MainActor (ObserverKey) async throws -> Unlocking?) -> Intent {
        intent {
            guard let key = self.state.chosen else { return }
            self.show { $0.refusal = nil }
            switch try await unlock(key) {
            case nil: return
            case .unlocked: self.show { $0.unlocked = key }
            case .stillLocked(let reason):
                self.show { $0.refusal = Message("unlock.refused", ["reason": reason]) }
            }
        }
    }
}

extension Array {
    /// The one element of an array that has one.
    fileprivate var only: Element? { count == 1 ? first : nil }
}
