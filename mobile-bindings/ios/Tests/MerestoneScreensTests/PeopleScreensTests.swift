import Merestone
import XCTest

@testable import MerestoneScreens

@MainActor
final class PeopleScreensTests: XCTestCase {
    private let phone = FakePhone()

    func test_an_only_observer_is_chosen_and_a_wrong_passphrase_is_said_beside_the_field() async {
        let screen = UnlockScreen(phone)
        await screen.open().value
        XCTAssertEqual(screen.state.chosen, olena)
        phone.passphrase = "another"
        await screen.unlock("wrong").value
        XCTAssertEqual(screen.state.refusal?.code, "unlock.refused")
        XCTAssertNil(screen.state.unlocked)
        phone.passphrase = "right"
        await screen.unlock("right").value
        XCTAssertEqual(screen.state.unlocked, olena)
        XCTAssertNil(screen.state.refusal)
    }

    func test_nobody_here_leads_to_enrolment_and_nobody_is_chosen_among_several() async {
        phone.people = []
        let screen = UnlockScreen(phone)
        XCTAssertFalse(screen.state.isNobodyHere)
        await screen.open().value
        XCTAssertTrue(screen.state.isNobodyHere)
        phone.people = [olenaHere(), olenaHere()]
        await screen.open().value
        XCTAssertNil(screen.state.chosen)
        await screen.unlock("right").value
        XCTAssertNil(screen.state.unlocked)
    }

    func test_a_request_names_what_is_missing_beside_its_field_and_makes_no_key_then() async {
        phone.people = []
        let screen = EnrolScreen(phone)
        await screen.open().value
        await screen.ask(observer: " ", device: "", passphrase: "", again: "x").value
        XCTAssertEqual(Set(screen.state.wrong.keys), [.observer, .device, .passphrase, .again])
        XCTAssertNil(screen.state.enrolment)
        await screen.ask(observer: "Olena", device: "Phone", passphrase: "right", again: "right").value
        XCTAssertTrue(screen.state.wrong.isEmpty)
        XCTAssertEqual(screen.state.enrolment?.words.count, 6)
    }

    func test_who_waits_for_a_certificate_sees_the_request_again_and_a_mistyped_certificate_is_said() async {
        phone.people = [olenaHere(.requested)]
        let screen = EnrolScreen(phone)
        await screen.open().value
        XCTAssertNotNil(screen.state.enrolment)
        await screen.accept(" ").value
        XCTAssertEqual(screen.state.refusal?.message.code, "enrol.certificate-missing")
        await screen.accept("CERTIFICAT").value
        XCTAssertEqual(screen.state.refusal?.typed, "CERTIFICAT")
        phone.accepted = { _ in olenaHere() }
        await screen.accept("CERTIFICATE").value
        XCTAssertEqual(screen.state.certified?.name, "Olena")
        XCTAssertNil(screen.state.refusal)
    }
}
