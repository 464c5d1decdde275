import Foundation
import Merestone

// A process of its own for the tests: does what its first word says to the phone in the folder of its second, prints what
// came of it, and stays until nobody listens any more.

@Sendable func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
}

/// Saves one record after the other, and says each when it is saved.
@Sendable func save(_ phone: any Phone, _ observer: ObserverKey, _ passphrase: Passphrase) async throws {
    _ = try await phone.observers.unlock(observer, passphrase: passphrase)
    guard let form = try await phone.forms.all().first(where: { $0.kind == "inspection" }),
        let scope = try await phone.mission().scopes.first
    else { return say("no form") }
    for number in 1...10_000 {
        let answers = ["post": Answer.text("Post \(number)")]
        say(try await phone.drafts.saveNew(observer, scope: scope.id, form: form.hash, answers: answers).record.hex)
    }
}

/// The phone that is held open, if one is.
@Sendable func done(_ word: String, _ home: PhoneHome, _ more: [String]) async throws -> (any Phone)? {
    switch word {
    case "wipe":
        try await MerestoneLibrary.wipe(home)
        say("wiped")
        return nil
    case "open":
        let phone = try await MerestoneLibrary.open(home)
        say("open")
        return phone
    case "time":
        let clock = ContinuousClock()
        let began = clock.now
        let phone = try await MerestoneLibrary.open(home)
        let opened = clock.now
        _ = try await phone.records.page(RecordQuery(), after: nil, max: 50)
        say("\((opened - began) / .milliseconds(1)) \((clock.now - opened) / .milliseconds(1))")
        return phone
    case "sync":
        let phone = try await MerestoneLibrary.open(home)
        _ = try await phone.observers.unlock(ObserverKey(more[0]), passphrase: Passphrase(more[1]))
        _ = try await phone.records.page(RecordQuery(), after: nil, max: 50)
        say("open")
        _ = readLine()
        let report = try await phone.sync.meetOnce(ObserverKey(more[0]), .address(more[2]))
        if report.isFullySynced { say("\(report.state.entriesReceived)") }
        return phone
    default:
        let phone = try await MerestoneLibrary.open(home)
        try await save(phone, ObserverKey(more[0]), Passphrase(more[1]))
        return phone
    }
}

let words = Array(CommandLine.arguments.dropFirst())
let home = PhoneHome.beside(URL(fileURLWithPath: words[1]), storeKey: StoreKey(Data(count: 32)))
var held: (any Phone)?
do {
    held = try await done(words[0], home, Array(words.dropFirst(2)))
} catch MerestoneError.storage(let fault, _) {
    say("\(fault)")
}
while !FileHandle.standardInput.availableData.isEmpty {}
withExtendedLifetime(held) {}
