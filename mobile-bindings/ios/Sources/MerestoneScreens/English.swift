/// The phrases of this library in English. A translation is another table over the same ``codes``.
public enum English {
    /// Every code that has a phrase, plural forms without their ending: what a translation must say.
    public static let codes = Set(phrases.keys.map { String($0.prefix { $0 != "#" }) })

    /// The phrase book.
    public static let book = PhraseTable(language: "en", phrases: phrases)

    private static let phrases = [enrolling, filling, records, meeting, missing, handingIn, troubles].reduce(into: [:]) {
        $0.merge($1) { first, _ in first }
    }

    private static let enrolling = [
        "unlock.refused": "This passphrase does not open the key. Nothing was changed: try again.",
        "enrol.observer-missing": "Write your name, as it shall stand in the certificate.",
        "enrol.device-missing": "Give this phone a name that its officer will recognise.",
        "enrol.passphrase-missing": "Choose a passphrase: it keeps your key while the app is closed.",
        "enrol.passphrases-differ": "The two passphrases are not the same: type it once more.",
        "enrol.certificate-missing": "Scan or paste the certificate that the officer gave you.",
        "refused.mistyped": "This is not whole: a character is missing or wrong. Scan or copy it again.",
        "refused.other-mission": "This belongs to another mission.",
        "refused.other-key": "This certificate is for another phone or another observer.",
        "refused.no-party": "No party of this mission signed this certificate.",
        "refused.name": "A name has 1 to 64 bytes and no invisible characters.",
        "refused.too-many-observers": "This phone has as many observers as it can.",
    ]

    private static let filling = [
        "draft.new#one": "{title}: {count} answer, {photos} photos",
        "draft.new#other": "{title}: {count} answers, {photos} photos",
        "draft.edit#one": "Change of {title}: {count} answer, {photos} photos",
        "draft.edit#other": "Change of {title}: {count} answers, {photos} photos",
        "refused.photo": "This is no photo that can be kept: {reason}.",
        "refused.too-many-photos":
            "This entry has as many photos as it can: save it, and add more by changing the record.",
        "refused.nothing-changed": "Nothing was changed, so there is nothing to save.",
        "refused.not-editable": "This record cannot be changed here: {reason}.",
        "refused.not-a-writer": "Only observers of the parties that write this record can change it.",
        "refused.draft-full": "This draft is full: save it, and go on by changing the record.",
        "photo.not-there": "There is no file {path}.",
        "photo.location-may-be-removed":
            "This photo names no place. Another app took it, and the system may have removed the place: "
            + "take it with this app's camera to keep the place.",
        "photo.no-picture": "No small picture could be made: others see it once they have the original.",
        "room.photos#one": "Room for about one more photo.",
        "room.photos#other": "Room for about {count} photos.",
        "room.low#one": "Little room: about one more photo. Meet base camp, or make room.",
        "room.low#other": "Little room: about {count} more photos. Meet base camp, or make room.",
    ]

    private static let records = [
        "list.conflicts#one": "{count} record with a conflict",
        "list.conflicts#other": "{count} records with conflicts",
        "list.conflicts-more": "More than {count} records with conflicts",
        "record.conflicts#one": "{count} conflict",
        "record.conflicts#other": "{count} conflicts",
        "record.resolved": "Settled and signed. The other values stay in the history.",
        "record.withdrawn": "Withdrawn and signed. Nothing was removed.",
        "record.said": "Said and signed. A later change of the record makes it void, visibly.",
        "record.photo-saved": "The photo is in {path}.",
        "refused.words-needed": "An objection needs its reason in words.",
        "refused.by-path": "An original is written into a file, not shown from here.",
        "standing.accepted": "accepted",
        "standing.provisional": "its signer's certificate is in no ledger yet",
        "standing.set-aside": "set aside: its key was cut before",
        "standing.held": "held: what it builds on is not here",
        "standing.unappliable": "cannot be applied",
        "standing.out-of-role": "its signer was not allowed to",
        "standing.waiting": "waits for what it builds on",
        "standing.voided": "void: the record was changed since",
        "standing.erased": "erased, as the parties agreed",
        "standing.unknown-kind": "of a newer version of the app",
        "step.change": "wrote",
        "step.receipt": "took notice",
        "step.host-comment": "commented as the host",
        "step.concurrence": "agreed",
        "step.objection": "objected",
        "step.dissent": "saw it otherwise",
        "step.ruling": "ruled",
        "step.co-authorship": "made it together with its author",
        "speech.receipt": "Took notice",
        "speech.host-comment": "Comment of the host",
        "speech.concurrence": "Agrees",
        "speech.objection": "Objects",
        "speech.dissent": "Sees it otherwise",
        "speech.ruling": "Rules",
        "speech.co-authorship": "Made it together with its author",
    ]

    private static let meeting = [
        "sync.meeting": "Meeting …",
        "sync.progress":
            "Received {received} entries and {photosin} photos, sent {sent} entries and {photosout} photos.",
        "sync.full": "Synced with {who}: both hold the same.",
        "sync.as-wanted": "All entries are exchanged with {who}. Photos that were not wanted may be missing.",
        "sync.unfinished": "Not synced with {who} yet: something is missing. Meet again.",
        "sync.end.link-lost": "The link was lost. Meet again: it goes on where it was cut.",
        "sync.end.link-aborted": "The secure link failed. Try again.",
        "sync.end.mission-mismatch": "The other device belongs to another mission.",
        "sync.end.not-enrolled": "One of the two devices has no certificate of this mission.",
        "sync.end.busy": "The other side is full. Try again in a minute.",
        "sync.end.too-slow": "Nothing moved for too long. Try again with a better connection.",
        "sync.end.version": "The other side is of another version: update both.",
        "sync.end.storage": "One side could not store: make room there, and meet again.",
        "sync.refused#one": "{count} statement was refused ({codes}).",
        "sync.refused#other": "{count} statements were refused ({codes}).",
        "sync.scopes-not-shared#one":
            "{count} scope of this phone was not exchanged: the other device has no part in it.",
        "sync.scopes-not-shared#other":
            "{count} scopes of this phone were not exchanged: the other device has no part in them.",
        "sync.no-receipt": "No receipt was given: {reason}.",
        "courier.written#one": "{count} entry and {photos} photos and pictures are in {path}.",
        "courier.written#other": "{count} entries and {photos} photos and pictures are in {path}.",
        "courier.left-out#one": "{count} photo or picture was left out.",
        "courier.left-out#other": "{count} photos and pictures were left out.",
        "courier.damaged#one": "{count} item is damaged on this phone and was left out.",
        "courier.damaged#other": "{count} items are damaged on this phone and were left out.",
        "courier.not-secret": "The file is not encrypted: whoever finds the stick reads it.",
        "courier.read#one": "{count} new entry and {photos} photos and pictures were taken.",
        "courier.read#other": "{count} new entries and {photos} photos and pictures were taken.",
        "courier.other-scopes#one": "{count} entry is of a scope that is not yours.",
        "courier.other-scopes#other": "{count} entries are of scopes that are not yours.",
        "courier.refused#one": "{count} item was refused ({codes}).",
        "courier.refused#other": "{count} items were refused ({codes}).",
        "courier.not-there": "There is no file {path}.",
    ]

    private static let missing = [
        "sync.missing-here.entries#one": "{count} entry of {who} is missing here.",
        "sync.missing-here.entries#other": "{count} entries of {who} are missing here.",
        "sync.missing-here.bodies#one": "{count} entry's content of {who} is missing here.",
        "sync.missing-here.bodies#other": "{count} entries' contents of {who} are missing here.",
        "sync.missing-here.photos#one": "{count} photo or picture of {who} is missing here.",
        "sync.missing-here.photos#other": "{count} photos and pictures of {who} are missing here.",
        "sync.missing-here-unknown.entries#one": "{count} entry of somebody not known here is missing here.",
        "sync.missing-here-unknown.entries#other": "{count} entries of somebody not known here are missing here.",
        "sync.missing-here-unknown.bodies#one": "{count} entry's content of somebody not known here is missing here.",
        "sync.missing-here-unknown.bodies#other":
            "{count} entries' contents of somebody not known here are missing here.",
        "sync.missing-here-unknown.photos#one": "{count} photo or picture of somebody not known here is missing here.",
        "sync.missing-here-unknown.photos#other":
            "{count} photos and pictures of somebody not known here are missing here.",
        "sync.missing-there.entries#one": "{count} entry of {who} has not reached the other side.",
        "sync.missing-there.entries#other": "{count} entries of {who} have not reached the other side.",
        "sync.missing-there.bodies#one": "{count} entry's content of {who} has not reached the other side.",
        "sync.missing-there.bodies#other": "{count} entries' contents of {who} have not reached the other side.",
        "sync.missing-there.photos#one": "{count} photo or picture of {who} has not reached the other side.",
        "sync.missing-there.photos#other": "{count} photos and pictures of {who} have not reached the other side.",
        "sync.missing-there-unknown.entries#one":
            "{count} entry of somebody not known here has not reached the other side.",
        "sync.missing-there-unknown.entries#other":
            "{count} entries of somebody not known here have not reached the other side.",
        "sync.missing-there-unknown.bodies#one":
            "{count} entry's content of somebody not known here has not reached the other side.",
        "sync.missing-there-unknown.bodies#other":
            "{count} entries' contents of somebody not known here have not reached the other side.",
        "sync.missing-there-unknown.photos#one":
            "{count} photo or picture of somebody not known here has not reached the other side.",
        "sync.missing-there-unknown.photos#other":
            "{count} photos and pictures of somebody not known here have not reached the other side.",
        "sync.left-out#one": "{count} photo or picture was left for a later meeting.",
        "sync.left-out#other": "{count} photos and pictures were left for a later meeting.",
    ]

    private static let handingIn = [
        "custody.only-here": "Only on this phone.",
        "custody.photos-only-here#one": "Others have the entry; {count} photo is only on this phone.",
        "custody.photos-only-here#other": "Others have the entry; {count} photos are only on this phone.",
        "custody.peers#one": "On {count} other device, not at base camp.",
        "custody.peers#other": "On {count} other devices, not at base camp.",
        "custody.base-camp": "At base camp.",
        "custody.base-camp-photos-missing#one": "At base camp, without {count} photo.",
        "custody.base-camp-photos-missing#other": "At base camp, without {count} photos.",
        "custody.some.only-here": "{count} of {entries} entries or their photos are only on this phone.",
        "custody.some.with-peers": "{count} of {entries} entries are on other devices and not wholly at base camp.",
        "loss.entries-only-here#one": "{count} entry is only on this phone.",
        "loss.entries-only-here#other": "{count} entries are only on this phone.",
        "loss.photos-only-here#one": "{count} photo is only on this phone.",
        "loss.photos-only-here#other": "{count} photos are only on this phone.",
        "loss.entries-not-at-camp#one": "{count} entry is on other devices, not at base camp.",
        "loss.entries-not-at-camp#other": "{count} entries are on other devices, not at base camp.",
        "loss.photos-not-at-camp#one": "{count} photo is on other devices, not at base camp.",
        "loss.photos-not-at-camp#other": "{count} photos are on other devices, not at base camp.",
        "loss.drafts#one": "{count} draft was never saved.",
        "loss.drafts#other": "{count} drafts were never saved.",
        "count.entries#one": "{count} entry",
        "count.entries#other": "{count} entries",
        "count.photos#one": "{count} photo",
        "count.photos#other": "{count} photos",
        "count.drafts#one": "{count} draft",
        "count.drafts#other": "{count} drafts",
        "hand-in.confirmation": "remove {what}",
        "hand-in.changed": "What would be lost has changed. Read it again; nothing was removed.",
        "hand-in.not-confirmed": "This is not what is asked for. Nothing was removed.",
    ]

    private static let troubles = [
        "trouble.locked": "Your key is locked. Unlock it, and do it again.",
        "trouble.cut":
            "Your party has cut this key: nothing new can be saved with it. What was saved stays. See your officer.",
        "trouble.not-enrolled": "This key has no certificate for that yet. Enrol, or see your officer.",
        "trouble.not-there": "This is not on this phone: {reason}.",
        "trouble.full": "The disk is full. What was saved is safe; make room, and do it again.",
        "trouble.damaged": "Something on the disk is damaged. Meet base camp: what can be fetched again is.",
        "trouble.in-use": "Another program has this phone's records open. Close it, and open the app again.",
        "trouble.newer":
            "A newer version of the app wrote what is on this phone. Update the app: nothing was changed.",
        "trouble.storage": "The disk did not do it: {reason}. Open the app again.",
        "trouble.key-gone": "The keystore has lost this key. Enrol again; what was saved stays.",
        "trouble.provider": "The keystore did not answer: {reason}. Try again.",
        "trouble.closed": "The app is closed or asleep. Open it again.",
        "trouble.internal": "A mistake of the program ({reason}). What was saved is safe. Please report it.",
        "unreachable": "Nobody was met: {reason}.",
    ]
}
