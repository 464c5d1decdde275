import Foundation
import Merestone
import XCTest

// start
func firstDay(
    home: PhoneHome, charter: Data, officer: (Enrolment) throws -> String, photo: URL, ticket: String
) async throws -> SyncReport {
    let phone = try await MerestoneLibrary.create(home, charter: charter, settings: PhoneSettings())
    // A new observer asks to be let in. The officer's machine shows the same six words, or it read another request.
    let asked = Asked(observer: "Olena", device: "Phone 3")
    let passphrase = Passphrase("correct horse battery staple")
    let enrolment = try await phone.observers.request(asked, passphrase: passphrase)
    print(enrolment.words.joined(separator: " "))
    let observer = try await phone.observers.accept(officer(enrolment))

    // Every answer is durable when its call returns; what was saved is signed.
    guard let form = try await phone.forms.all().first(where: { $0.kind == "inspection" }),
        let scope = observer.scopes.first
    else { throw CocoaError(.fileNoSuchFile) }
    let interview = try await phone.drafts.begin(observer.key, scope: scope, form: form.hash)
    _ = try await interview.answer("post", .text("North gate"))
    _ = try await interview.attach(PhotoFile(file: photo, caption: "The queue", isAppCaptured: true))
    for problem in try await interview.problems() { print(problem.key, problem.message) }
    let saved = try await interview.save()

    // Base camp's ticket came as text or as a QR code. "Synced" is said only when both sides hold the same.
    let report = try await phone.sync.meetOnce(observer.key, .ticket(ticket))
    print(report.isFullySynced ? "synced" : report.advice)
    for entry in try await phone.records.custody(of: saved.record) {
        print(entry.isHandedOver ? "at base camp" : "not yet")
    }
    try await phone.close()
    return report
}
// end

/// The page's first ten minutes. `check.sh` holds the block on the page to the one above.
final class StartTests: XCTestCase {
    func test_the_first_day_on_the_page_ends_synced() async throws {
        let mission = try TestMission(madeFolder("office", self))
        let camp = try mission.camp()
        defer { camp.running.stop() }
        let folder = try madeFolder("start", self).appendingPathComponent("store")
        let photo = try Fixtures.photo("phones/jolla.jpg")
        let home = PhoneHome.beside(folder, storeKey: StoreKey(Data(count: 32)))
        let report = try await firstDay(
            home: home, charter: mission.charter, officer: mission.certify, photo: photo, ticket: camp.ticket)
        XCTAssertTrue(report.isFullySynced, "\(report)")
    }
}
