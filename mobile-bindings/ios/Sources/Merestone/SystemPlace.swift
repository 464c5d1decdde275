/// A place as a phone's system gives it: without saying what it rests on.
struct SystemPlace {
    /// Degrees north.
    let latitude: Double
    /// Degrees east.
    let longitude: Double
    /// Radius in metres; negative if the place is none.
    let accuracy: Double
    /// Metres; not positive if the system knows no height.
    let heightAccuracy: Double
    /// Metres in a second; negative if the system knows no speed.
    let speedAccuracy: Double
    /// Whether the system says that a program made it up.
    let isMadeUp: Bool

    /// The place with what can be said of its source; `nil` if nothing can.
    ///
    /// An entry says who told a place, and "the system" is nobody. A height and a speed with bounds come from satellites:
    /// radio masts and wireless networks give neither. The system does not promise that, so this is a conclusion.
    var place: Place? {
        guard accuracy >= 0, accuracy < 1e9, abs(latitude) <= 90, abs(longitude) <= 180 else { return nil }
        guard isMadeUp || (heightAccuracy > 0 && speedAccuracy >= 0) else { return nil }
        return Place(
            latitudeE7: Int32((latitude * 1e7).rounded()), longitudeE7: Int32((longitude * 1e7).rounded()),
            accuracyM: UInt64(accuracy.rounded(.up)), source: isMadeUp ? .mocked : .satellite)
    }
}
