import XCTest

@testable import Merestone

/// What an entry may say of a place whose source the system does not name.
final class SystemPlaceTests: XCTestCase {
    func test_a_place_with_bounded_height_and_speed_is_a_satellites_and_any_other_is_none() {
        let outdoors = system()
        XCTAssertEqual(
            outdoors.place,
            Place(latitudeE7: 500_123_457, longitudeE7: -200_000_000, accuracyM: 5, source: .satellite))
        XCTAssertNil(system(heightAccuracy: -1).place, "a wireless network knows no height")
        XCTAssertNil(system(heightAccuracy: 0).place)
        XCTAssertNil(system(speedAccuracy: -1).place, "a radio mast knows no speed")
        XCTAssertNil(system(accuracy: -1).place, "the system takes it back")
    }

    func test_a_place_that_a_program_made_up_says_so_whatever_it_carries() {
        XCTAssertEqual(system(heightAccuracy: -1, speedAccuracy: -1, isMadeUp: true).place?.source, .mocked)
        XCTAssertEqual(system(isMadeUp: true).place?.source, .mocked)
    }

    func test_numbers_that_are_no_place_are_none_and_end_nothing() {
        for odd in [Double.nan, .infinity, -.infinity, 1e300, 90.5] {
            XCTAssertNil(system(latitude: odd).place)
            XCTAssertNil(system(longitude: odd * 2).place)
        }
        for odd in [Double.nan, .infinity, 1e300] { XCTAssertNil(system(accuracy: odd).place) }
        XCTAssertNil(system(heightAccuracy: .nan).place)
        XCTAssertNil(system(speedAccuracy: .nan).place)
        let corner = system(latitude: -90, longitude: 180, accuracy: 0).place
        XCTAssertEqual(
            corner, Place(latitudeE7: -900_000_000, longitudeE7: 1_800_000_000, accuracyM: 0, source: .satellite))
    }

    private func system(
        latitude: Double = 50.012_345_67, longitude: Double = -20, accuracy: Double = 4.2, heightAccuracy: Double = 6,
        speedAccuracy: Double = 0.5, isMadeUp: Bool = false
    ) -> SystemPlace {
        SystemPlace(
            latitude: latitude, longitude: longitude, accuracy: accuracy, heightAccuracy: heightAccuracy,
            speedAccuracy: speedAccuracy, isMadeUp: isMadeUp)
    }
}
