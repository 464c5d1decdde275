#if canImport(CoreLocation)
    import CoreLocation
    import Foundation

    /// Tells the newest place that the system knows, at once: an observer who saves does not wait for satellites.
    ///
    /// The app asks for the permission and says why in its `Info.plist`; without it no place is told.
    public final class CoreLocationProvider: NSObject, LocationProvider, CLLocationManagerDelegate, @unchecked Sendable {
        /// Older places are not told: in two minutes a car is in another village.
        private static let ageMax: TimeInterval = 120

        private let manager: CLLocationManager
        private let lock = NSLock()
        private var newest: CLLocation?

        /// Begins to listen for places, until ``stop()``.
        @MainActor
        public override init() {
            manager = CLLocationManager()
            super.init()
            manager.delegate = self
            manager.desiredAccuracy = kCLLocationAccuracyBest
            manager.startUpdatingLocation()
        }

        /// Saves power while nothing is filled.
        @MainActor
        public func stop() {
            manager.stopUpdatingLocation()
        }

        /// Goes on after ``stop()``.
        @MainActor
        public func start() {
            manager.startUpdatingLocation()
        }

        public func locate() throws -> Place? {
            guard let location = lock.withLock({ newest }), -location.timestamp.timeIntervalSinceNow <= Self.ageMax else {
                return nil
            }
            return Self.place(of: location)
        }

        public func locationManager(_ manager: CLLocationManager, didUpdateLocations locations: [CLLocation]) {
            lock.withLock { newest = locations.last }
        }

        public func locationManager(_ manager: CLLocationManager, didFailWithError error: any Error) {
            lock.withLock { newest = nil }
        }

        /// A place that the system does not stand behind has a negative accuracy, and is none.
        private static func place(of location: CLLocation) -> Place? {
            guard location.horizontalAccuracy >= 0 else { return nil }
            let isMocked = location.sourceInformation?.isSimulatedBySoftware ?? false
            return Place(
                latitudeE7: Int32((location.coordinate.latitude * 1e7).rounded()),
                longitudeE7: Int32((location.coordinate.longitude * 1e7).rounded()),
                accuracyM: UInt64(location.horizontalAccuracy.rounded(.up)), source: isMocked ? .mocked : .satellite)
        }
    }
#endif
