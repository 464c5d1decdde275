import Foundation
internal import MerestoneCrossing

// What the app brings, as the generated code calls it.
// Of an error that is not one of ours only the type is told: its text may hold what belongs in no log.

final class VaultBridge: MerestoneCrossing.KeyVault {
    private let vault: any KeyVault

    init(_ vault: any KeyVault) {
        self.vault = vault
    }

    func wrap(secret: Data) throws -> Data {
        try asked { try vault.wrap(secret) }
    }

    func unwrap(wrapped: Data) throws -> Data {
        try asked { try vault.unwrap(wrapped) }
    }

    func makeSigningKey() throws -> Data? {
        try asked { try vault.makeSigningKey() }
    }

    func sign(key: Data, message: Data) throws -> Data {
        try asked { try vault.sign(key, message: message) }
    }

    func forget(key: Data) throws {
        try asked { try vault.forget(key) }
    }

    private func asked<T>(_ call: () throws -> T) throws -> T {
        do {
            return try call()
        } catch KeyVaultError.gone(let reason) {
            throw MerestoneCrossing.KeyVaultError.Gone(reason: reason)
        } catch KeyVaultError.refused(let reason) {
            throw MerestoneCrossing.KeyVaultError.Refused(reason: reason)
        } catch {
            throw MerestoneCrossing.KeyVaultError.Refused(reason: "the vault threw \(type(of: error))")
        }
    }
}

final class ClockBridge: MerestoneCrossing.ClockProvider {
    private let clock: any ClockProvider

    init(_ clock: any ClockProvider) {
        self.clock = clock
    }

    func read() throws -> MerestoneCrossing.ClockLine {
        let reading = try provided { try clock.read() }
        return MerestoneCrossing.ClockLine(
            wallMs: reading.wall.ms, uptimeMs: reading.uptimeMs, boot: reading.boot,
            offsetMin: Int16(clamping: reading.offsetMin), source: .init(reading.source)
        )
    }
}

final class LocationBridge: MerestoneCrossing.LocationProvider {
    private let location: any LocationProvider

    init(_ location: any LocationProvider) {
        self.location = location
    }

    func locate() throws -> MerestoneCrossing.PlaceLine? {
        try provided { try location.locate() }.map { place in
            .init(latE7: place.latitudeE7, lonE7: place.longitudeE7, accuracyM: place.accuracyM, source: .init(place.source))
        }
    }
}

final class ConnectivityBridge: MerestoneCrossing.ConnectivityProvider {
    private let connectivity: any ConnectivityProvider

    init(_ connectivity: any ConnectivityProvider) {
        self.connectivity = connectivity
    }

    func hint() throws -> MerestoneCrossing.LinkHint {
        let hint = try provided { try connectivity.hint() }
        return MerestoneCrossing.LinkHint(isMetered: hint.isMetered, isWifi: hint.isWifi)
    }
}

private func provided<T>(_ call: () throws -> T) throws -> T {
    do {
        return try call()
    } catch {
        throw MerestoneCrossing.ProviderError.Failed(reason: "the provider threw \(type(of: error))")
    }
}

final class LogBridge: MerestoneCrossing.LogSink {
    private let sink: any LogSink

    init(_ sink: any LogSink) {
        self.sink = sink
    }

    func log(level: MerestoneCrossing.LogLevel, line: String) {
        sink.log(LogLevel(level), line)
    }
}

extension LogLevel {
    init(_ level: MerestoneCrossing.LogLevel) {
        self =
            switch level {
            case .error: .error
            case .warning: .warning
            case .info: .info
            }
    }
}
