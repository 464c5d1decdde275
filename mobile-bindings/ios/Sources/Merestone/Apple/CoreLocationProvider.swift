#if canImport(CoreLocation)
    import CoreLocation
    import Foundation

    /// Tells the newest place that the system knows, at once: an observer who saves does not wait for satellites.
    ///
    /// The system does not say what a place rests on, and an entry does. So only a place is told whose height and speed have
    /// bounds, which is taken for a satellite's: from wireless networks and radio masts alone the system has neither. Indoors,
    /// and where the person allowed an approximate place only, entries then say none.
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

        private static func place(of location: CLLocation) -> Place? {
            SystemPlace(
                latitude: location.coordinate.latitude, longitude: location.coordinate.longitude,
                accuracy: location.horizontalAccuracy, heightAccuracy: location.verticalAccuracy,
                speedAccuracy: location.speedAccuracy,
                isMadeUp: location.sourceInformation?.isSimulatedBySoftware ?? false
            ).place
        }
    }
#endif
