import Foundation
internal import MerestoneCrossing

extension Place {
    init(_ line: MerestoneCrossing.PlaceLine) {
        self.init(
            latitudeE7: line.latE7, longitudeE7: line.lonE7, accuracyM: line.accuracyM, source: PlaceSource(line.source))
    }
}

extension PlaceSource {
    init(_ kind: MerestoneCrossing.PlaceKind) {
        self =
            switch kind {
            case .satellite: .satellite
            case .hand: .hand
            case .registry: .registry
            case .mocked: .mocked
            }
    }
}

extension MerestoneCrossing.PlaceKind {
    init(_ source: PlaceSource) {
        self =
            switch source {
            case .satellite: .satellite
            case .hand: .hand
            case .registry: .registry
            case .mocked: .mocked
            }
    }
}

extension ClockSource {
    init(_ kind: MerestoneCrossing.ClockKind) {
        self =
            switch kind {
            case .device: .device
            case .satellite: .satellite
            case .network: .network
            }
    }
}

extension MerestoneCrossing.ClockKind {
    init(_ source: ClockSource) {
        self =
            switch source {
            case .device: .device
            case .satellite: .satellite
            case .network: .network
            }
    }
}

extension Date {
    /// Milliseconds since 1970; what no such number can say is taken for the nearest that can.
    var ms: Int64 {
        Int64(exactly: (timeIntervalSince1970 * 1_000).rounded()) ?? (timeIntervalSince1970 < 0 ? .min : .max)
    }

    init(ms: Int64) {
        self.init(timeIntervalSince1970: Double(ms) / 1_000)
    }
}
