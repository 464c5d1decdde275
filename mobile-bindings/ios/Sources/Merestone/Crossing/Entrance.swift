import Foundation
internal import MerestoneCrossing

/// The free functions of the generated code.
enum Entrance {
    static var version: String { MerestoneCrossing.version() }

    static func marker(in folder: URL) -> URL {
        URL(fileURLWithPath: MerestoneCrossing.markerIn(folder: folder.path))
    }

    static func open(_ home: PhoneHome, _ settings: PhoneSettings) async throws -> any Phone {
        try await crossing {
            try await CrossingPhone.listening(
                MerestoneCrossing.openPhone(home: .init(home), settings: .init(settings)))
        }
    }

    static func create(_ home: PhoneHome, _ charter: Data, _ settings: PhoneSettings) async throws -> any Phone {
        try await crossing {
            try await CrossingPhone.listening(
                MerestoneCrossing.createPhone(home: .init(home), settings: .init(settings), charter: charter))
        }
    }

    static func wipe(_ home: PhoneHome, _ vault: (any KeyVault)?) async throws -> [URL] {
        try await crossing {
            try await MerestoneCrossing.wipePhone(home: .init(home), vault: vault.map(VaultBridge.init))
                .map(URL.init(fileURLWithPath:))
        }
    }

    static func audit(_ bag: URL, _ mission: MissionID, _ options: AuditOptions) async throws -> any AuditReport {
        try await crossing {
            let report = try await MerestoneCrossing.auditBag(
                path: bag.path, mission: mission.hex, options: .init(options))
            return try CrossingAuditReport(report)
        }
    }

    static func explain(_ code: String) -> Explanation? {
        MerestoneCrossing.explainCode(code: code).map(Explanation.init)
    }

    static func log(to sink: (any LogSink)?) {
        MerestoneCrossing.setLogSink(sink: sink.map(LogBridge.init))
    }
}

extension MerestoneCrossing.PhoneHome {
    init(_ home: PhoneHome) throws {
        let key = try MerestoneCrossing.StoreSecret(bytes: home.storeKey.bytes)
        self.init(folder: home.folder.path, marker: home.marker.path, storeKey: key)
    }
}

extension MerestoneCrossing.PhoneSettings {
    init(_ settings: PhoneSettings) {
        self.init(
            offsetMin: Int16(clamping: settings.offsetMin),
            clock: settings.clock.map(ClockBridge.init),
            location: settings.location.map(LocationBridge.init),
            connectivity: settings.connectivity.map(ConnectivityBridge.init)
        )
    }
}
