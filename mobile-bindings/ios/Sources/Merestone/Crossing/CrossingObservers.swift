import Foundation
internal import MerestoneCrossing

struct CrossingObservers: Observers {
    let phone: MerestoneCrossing.Phone

    func all() async throws -> [Observer] {
        try await crossing { try await phone.observers().map(Observer.init) }
    }

    func request(_ asked: Asked, passphrase: Passphrase) async throws -> Enrolment {
        try await crossing {
            try await Enrolment(phone.request(asked: .init(asked), passphrase: passphrase.text))
        }
    }

    func request(_ asked: Asked, vault: any KeyVault) async throws -> Enrolment {
        try await crossing {
            try await Enrolment(phone.requestInVault(asked: .init(asked), vault: VaultBridge(vault)))
        }
    }

    func requested(_ observer: ObserverKey) async throws -> Enrolment? {
        try await crossing { try await phone.requested(observer: observer.hex).map(Enrolment.init) }
    }

    func accept(_ certificate: String) async throws -> Observer {
        try await crossing { try await Observer(phone.accept(text: certificate)) }
    }

    func unlock(_ observer: ObserverKey, passphrase: Passphrase) async throws -> Unlocking {
        try await unlocking { try await phone.unlock(observer: observer.hex, passphrase: passphrase.text) }
    }

    func unlock(_ observer: ObserverKey, vault: any KeyVault) async throws -> Unlocking {
        try await unlocking { try await phone.unlockInVault(observer: observer.hex, vault: VaultBridge(vault)) }
    }

    func lock() async throws {
        try await crossing { try await phone.lock() }
    }

    func succeed(_ old: ObserverKey, by new: ObserverKey) async throws {
        try await crossing { try await phone.succeed(old: old.hex, new: new.hex) }
    }

    func acceptSuccession(_ proposed: Data) async throws {
        try await crossing { try await phone.acceptSuccession(proposed: proposed) }
    }

    /// A key that stays locked is a result: a person typed a wrong passphrase, or looked away.
    private func unlocking(_ call: @Sendable () async throws -> Void) async throws -> Unlocking {
        do {
            try await crossing(call)
            return .unlocked
        } catch MerestoneError.locked(let reason) {
            return .stillLocked(reason: reason)
        } catch MerestoneError.provider(isGone: false, let reason) {
            return .stillLocked(reason: reason)
        }
    }
}

extension Observer {
    init(_ line: MerestoneCrossing.ObserverLine) {
        self.init(
            key: ObserverKey(line.key), name: line.name, device: line.device, state: ObserverState(line.state),
            party: line.party, role: line.role, scopes: line.scopes.map(ScopeID.init), canSave: line.canSave,
            isUnlocked: line.isUnlocked
        )
    }
}

extension ObserverState {
    init(_ standing: MerestoneCrossing.ObserverStanding) {
        self =
            switch standing {
            case .requested: .requested
            case .certified: .certified
            case .cut: .cut
            }
    }
}

extension MerestoneCrossing.Asked {
    init(_ asked: Asked) {
        self.init(
            observer: asked.observer, device: asked.device, attestation: asked.attestation,
            replaces: asked.replaces?.hex
        )
    }
}

extension Enrolment {
    init(_ line: MerestoneCrossing.EnrolmentLine) {
        self.init(key: ObserverKey(line.key), text: line.text, words: line.words, qr: line.qr.map(QrCode.init))
    }
}

extension QrCode {
    init(_ line: MerestoneCrossing.QrLine) {
        self.init(modules: Int(line.modules), dark: line.dark)
    }
}
