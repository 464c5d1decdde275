import Foundation
import Merestone

let olena = ObserverKey(String(repeating: "aa", count: 32))
let north = Scope(id: ScopeID(String(repeating: "5c", count: 8)), name: "North")
let form = Form(
    hash: FormHash(String(repeating: "f0", count: 32)), kind: "inspection", title: "Inspection", version: "1",
    canBeAsked: true,
    languages: [
        FormLanguage(name: "English", code: "en", isRightToLeft: false),
        FormLanguage(name: "العربية", code: "ar", isRightToLeft: true),
    ],
    defaultLanguage: 0
)
let enrolment = Enrolment(key: olena, text: "REQUEST", words: ["a", "b", "c", "d", "e", "f"], qr: nil)

func olenaHere(_ state: ObserverState = .certified) -> Observer {
    Observer(
        key: olena, name: "Olena", device: "Phone", state: state, party: 1, role: "observer", scopes: [north.id],
        canSave: state == .certified, isUnlocked: false)
}

func saved(_ entry: String) -> Saved {
    Saved(entry: EntryID(entry), record: RecordID("e1"), isRoomLow: false)
}

func record(_ number: Int, hasConflict: Bool = false, isWithdrawn: Bool = false) -> RecordSummary {
    RecordSummary(
        id: RecordID("r\(number)"), scope: north.id, kind: "inspection", title: "Post \(number)", observer: "Olena",
        state: .whole, hasConflict: hasConflict, isWithdrawn: isWithdrawn, entries: 1, photos: 0,
        updated: Date(timeIntervalSince1970: 0))
}

func report(
    isFull: Bool = true, isAsWanted: Bool = true, endCode: String = "done", photos: Int = 0
) -> SyncReport {
    let peer = Peer(party: "State A", observer: "Marek", device: "Phone", role: "observer", isCut: false)
    let state = SyncState(
        peer: peer, entriesSent: 1, entriesReceived: 2, photosSent: 0, photosReceived: 0, bytesSent: 10,
        bytesReceived: 20, isFullySynced: isFull)
    let missing = Missing(
        observer: "Marek", party: "State B", device: "Phone", entries: 0, bodies: 0, photos: UInt64(photos))
    return SyncReport(
        state: state, isFullySynced: isFull, isSyncedAsWanted: isAsWanted, endCode: endCode, endSays: endCode,
        advice: "", scopesNotShared: [], missingLogs: 0, missingBodies: 0, missingPhotos: photos, refused: [],
        noReceipt: nil, missingHere: photos > 0 ? [missing] : [])
}

func custody(
    peers: Int = 0, isAtCamp: Bool = false, photos: Int = 0, elsewhere: Int = 0, atCamp: Int = 0
) -> Custody {
    Custody(
        entry: EntryID("e"), peers: peers, isAtBaseCamp: isAtCamp, photos: photos, photosElsewhere: elsewhere,
        photosAtBaseCamp: atCamp, isOnlyHere: (peers == 0 && !isAtCamp) || elsewhere < photos,
        isHandedOver: isAtCamp && atCamp == photos)
}
