package org.merestone.screens

/** The phrases of this library in English. A translation is another table over the same [codes]. */
public object English {
    private val phrases: Map<String, String> = ENROLLING + FILLING + RECORDS + MEETING + MISSING + HANDING_IN + TROUBLES

    /** Every code that has a phrase, plural forms without their ending: what a translation must say. */
    public val codes: Set<String> = phrases.keys.mapTo(HashSet()) { it.substringBefore('#') }

    /** The phrase book. */
    public val book: PhraseTable = PhraseTable("en", phrases)
}

private val ENROLLING =
    mapOf(
        "unlock.refused" to "This passphrase does not open the key. Nothing was changed: try again.",
        "enrol.observer-missing" to "Write your name, as it shall stand in the certificate.",
        "enrol.device-missing" to "Give this phone a name that its officer will recognise.",
        "enrol.passphrase-missing" to "Choose a passphrase: it keeps your key while the app is closed.",
        "enrol.passphrases-differ" to "The two passphrases are not the same: type it once more.",
        "enrol.certificate-missing" to "Scan or paste the certificate that the officer gave you.",
        "refused.mistyped" to "This is not whole: a character is missing or wrong. Scan or copy it again.",
        "refused.other-mission" to "This belongs to another mission.",
        "refused.other-key" to "This certificate is for another phone or another observer.",
        "refused.no-party" to "No party of this mission signed this certificate.",
        "refused.name" to "A name has 1 to 64 bytes and no invisible characters.",
        "refused.too-many-observers" to "This phone has as many observers as it can.",
    )

private val FILLING =
    mapOf(
        "draft.new#one" to "{title}: {count} answer, {photos} photos",
        "draft.new#other" to "{title}: {count} answers, {photos} photos",
        "draft.edit#one" to "Change of {title}: {count} answer, {photos} photos",
        "draft.edit#other" to "Change of {title}: {count} answers, {photos} photos",
        "refused.photo" to "This is no photo that can be kept: {reason}.",
        "refused.too-many-photos" to
            "This entry has as many photos as it can: save it, and add more by changing the record.",
        "refused.nothing-changed" to "Nothing was changed, so there is nothing to save.",
        "refused.not-editable" to "This record cannot be changed here: {reason}.",
        "refused.not-a-writer" to "Only observers of the parties that write this record can change it.",
        "refused.draft-full" to "This draft is full: save it, and go on by changing the record.",
        "photo.not-there" to "There is no file {path}.",
        "photo.location-may-be-removed" to
            "This photo names no place. Another app took it, and the system may have removed the place: " +
            "take it with this app's camera to keep the place.",
        "photo.no-picture" to "No small picture could be made: others see it once they have the original.",
        "room.photos#one" to "Room for about one more photo.",
        "room.photos#other" to "Room for about {count} photos.",
        "room.low#one" to "Little room: about one more photo. Meet base camp, or make room.",
        "room.low#other" to "Little room: about {count} more photos. Meet base camp, or make room.",
    )

private val RECORDS =
    mapOf(
        "list.conflicts#one" to "{count} record with a conflict",
        "list.conflicts#other" to "{count} records with conflicts",
        "list.conflicts-more" to "More than {count} records with conflicts",
        "record.conflicts#one" to "{count} conflict",
        "record.conflicts#other" to "{count} conflicts",
        "record.resolved" to "Settled and signed. The other values stay in the history.",
        "record.withdrawn" to "Withdrawn and signed. Nothing was removed.",
        "record.said" to "Said and signed. A later change of the record makes it void, visibly.",
        "record.photo-saved" to "The photo is in {path}.",
        "refused.words-needed" to "An objection needs its reason in words.",
        "refused.by-path" to "An original is written into a file, not shown from here.",
        "standing.accepted" to "accepted",
        "standing.provisional" to "its signer's certificate is in no ledger yet",
        "standing.set-aside" to "set aside: its key was cut before",
        "standing.held" to "held: what it builds on is not here",
        "standing.unappliable" to "cannot be applied",
        "standing.out-of-role" to "its signer was not allowed to",
        "standing.waiting" to "waits for what it builds on",
        "standing.voided" to "void: the record was changed since",
        "standing.erased" to "erased, as the parties agreed",
        "standing.unknown-kind" to "of a newer version of the app",
        "step.change" to "wrote",
        "step.receipt" to "took notice",
        "step.host-comment" to "commented as the host",
        "step.concurrence" to "agreed",
        "step.objection" to "objected",
        "step.dissent" to "saw it otherwise",
        "step.ruling" to "ruled",
        "step.co-authorship" to "made it together with its author",
        "speech.receipt" to "Took notice",
        "speech.host-comment" to "Comment of the host",
        "speech.concurrence" to "Agrees",
        "speech.objection" to "Objects",
        "speech.dissent" to "Sees it otherwise",
        "speech.ruling" to "Rules",
        "speech.co-authorship" to "Made it together with its author",
    )

private val MEETING =
    mapOf(
        "sync.meeting" to "Meeting …",
        "sync.progress" to
            "Received {received} entries and {photosin} photos, sent {sent} entries and {photosout} photos.",
        "sync.full" to "Synced with {who}: both hold the same.",
        "sync.as-wanted" to "All entries are exchanged with {who}. Photos that were not wanted may be missing.",
        "sync.unfinished" to "Not synced with {who} yet: something is missing. Meet again.",
        "sync.end.link-lost" to "The link was lost. Meet again: it goes on where it was cut.",
        "sync.end.link-aborted" to "The secure link failed. Try again.",
        "sync.end.mission-mismatch" to "The other device belongs to another mission.",
        "sync.end.not-enrolled" to "One of the two devices has no certificate of this mission.",
        "sync.end.busy" to "The other side is full. Try again in a minute.",
        "sync.end.too-slow" to "Nothing moved for too long. Try again with a better connection.",
        "sync.end.version" to "The other side is of another version: update both.",
        "sync.end.storage" to "One side could not store: make room there, and meet again.",
        "sync.refused#one" to "{count} statement was refused ({codes}).",
        "sync.refused#other" to "{count} statements were refused ({codes}).",
        "sync.scopes-not-shared#one" to
            "{count} scope of this phone was not exchanged: the other device has no part in it.",
        "sync.scopes-not-shared#other" to
            "{count} scopes of this phone were not exchanged: the other device has no part in them.",
        "sync.no-receipt" to "No receipt was given: {reason}.",
        "courier.written#one" to "{count} entry and {photos} photos and pictures are in {path}.",
        "courier.written#other" to "{count} entries and {photos} photos and pictures are in {path}.",
        "courier.left-out#one" to "{count} photo or picture was left out.",
        "courier.left-out#other" to "{count} photos and pictures were left out.",
        "courier.damaged#one" to "{count} item is damaged on this phone and was left out.",
        "courier.damaged#other" to "{count} items are damaged on this phone and were left out.",
        "courier.not-secret" to "The file is not encrypted: whoever finds the stick reads it.",
        "courier.read#one" to "{count} new entry and {photos} photos and pictures were taken.",
        "courier.read#other" to "{count} new entries and {photos} photos and pictures were taken.",
        "courier.other-scopes#one" to "{count} entry is of a scope that is not yours.",
        "courier.other-scopes#other" to "{count} entries are of scopes that are not yours.",
        "courier.refused#one" to "{count} item was refused ({codes}).",
        "courier.refused#other" to "{count} items were refused ({codes}).",
        "courier.not-there" to "There is no file {path}.",
    )

private val MISSING =
    mapOf(
        "sync.missing-here.entries#one" to "{count} entry of {who} is missing here.",
        "sync.missing-here.entries#other" to "{count} entries of {who} are missing here.",
        "sync.missing-here.bodies#one" to "{count} entry's content of {who} is missing here.",
        "sync.missing-here.bodies#other" to "{count} entries' contents of {who} are missing here.",
        "sync.missing-here.photos#one" to "{count} photo or picture of {who} is missing here.",
        "sync.missing-here.photos#other" to "{count} photos and pictures of {who} are missing here.",
        "sync.missing-here-unknown.entries#one" to "{count} entry of somebody not known here is missing here.",
        "sync.missing-here-unknown.entries#other" to "{count} entries of somebody not known here are missing here.",
        "sync.missing-here-unknown.bodies#one" to
            "{count} entry's content of somebody not known here is missing here.",
        "sync.missing-here-unknown.bodies#other" to
            "{count} entries' contents of somebody not known here are missing here.",
        "sync.missing-here-unknown.photos#one" to
            "{count} photo or picture of somebody not known here is missing here.",
        "sync.missing-here-unknown.photos#other" to
            "{count} photos and pictures of somebody not known here are missing here.",
        "sync.missing-there.entries#one" to "{count} entry of {who} has not reached the other side.",
        "sync.missing-there.entries#other" to "{count} entries of {who} have not reached the other side.",
        "sync.missing-there.bodies#one" to "{count} entry's content of {who} has not reached the other side.",
        "sync.missing-there.bodies#other" to "{count} entries' contents of {who} have not reached the other side.",
        "sync.missing-there.photos#one" to "{count} photo or picture of {who} has not reached the other side.",
        "sync.missing-there.photos#other" to "{count} photos and pictures of {who} have not reached the other side.",
        "sync.missing-there-unknown.entries#one" to
            "{count} entry of somebody not known here has not reached the other side.",
        "sync.missing-there-unknown.entries#other" to
            "{count} entries of somebody not known here have not reached the other side.",
        "sync.missing-there-unknown.bodies#one" to
            "{count} entry's content of somebody not known here has not reached the other side.",
        "sync.missing-there-unknown.bodies#other" to
            "{count} entries' contents of somebody not known here have not reached the other side.",
        "sync.missing-there-unknown.photos#one" to
            "{count} photo or picture of somebody not known here has not reached the other side.",
        "sync.missing-there-unknown.photos#other" to
            "{count} photos and pictures of somebody not known here have not reached the other side.",
        "sync.left-out#one" to "{count} photo or picture was left for a later meeting.",
        "sync.left-out#other" to "{count} photos and pictures were left for a later meeting.",
    )

private val HANDING_IN =
    mapOf(
        "custody.only-here" to "Only on this phone.",
        "custody.photos-only-here#one" to "Others have the entry; {count} photo is only on this phone.",
        "custody.photos-only-here#other" to "Others have the entry; {count} photos are only on this phone.",
        "custody.peers#one" to "On {count} other device, not at base camp.",
        "custody.peers#other" to "On {count} other devices, not at base camp.",
        "custody.base-camp" to "At base camp.",
        "custody.base-camp-photos-missing#one" to "At base camp, without {count} photo.",
        "custody.base-camp-photos-missing#other" to "At base camp, without {count} photos.",
        "custody.some.only-here" to "{count} of {entries} entries or their photos are only on this phone.",
        "custody.some.with-peers" to "{count} of {entries} entries are on other devices and not wholly at base camp.",
        "loss.entries-only-here#one" to "{count} entry is only on this phone.",
        "loss.entries-only-here#other" to "{count} entries are only on this phone.",
        "loss.photos-only-here#one" to "{count} photo is only on this phone.",
        "loss.photos-only-here#other" to "{count} photos are only on this phone.",
        "loss.entries-not-at-camp#one" to "{count} entry is on other devices, not at base camp.",
        "loss.entries-not-at-camp#other" to "{count} entries are on other devices, not at base camp.",
        "loss.photos-not-at-camp#one" to "{count} photo is on other devices, not at base camp.",
        "loss.photos-not-at-camp#other" to "{count} photos are on other devices, not at base camp.",
        "loss.drafts#one" to "{count} draft was never saved.",
        "loss.drafts#other" to "{count} drafts were never saved.",
        "count.entries#one" to "{count} entry",
        "count.entries#other" to "{count} entries",
        "count.photos#one" to "{count} photo",
        "count.photos#other" to "{count} photos",
        "count.drafts#one" to "{count} draft",
        "count.drafts#other" to "{count} drafts",
        "hand-in.confirmation" to "remove {what}",
        "hand-in.changed" to "What would be lost has changed. Read it again; nothing was removed.",
        "hand-in.not-confirmed" to "This is not what is asked for. Nothing was removed.",
    )

private val TROUBLES =
    mapOf(
        "trouble.locked" to "Your key is locked. Unlock it, and do it again.",
        "trouble.cut" to
            "Your party has cut this key: nothing new can be saved with it. What was saved stays. See your officer.",
        "trouble.not-enrolled" to "This key has no certificate for that yet. Enrol, or see your officer.",
        "trouble.not-there" to "This is not on this phone: {reason}.",
        "trouble.full" to "The disk is full. What was saved is safe; make room, and do it again.",
        "trouble.damaged" to "Something on the disk is damaged. Meet base camp: what can be fetched again is.",
        "trouble.in-use" to "Another program has this phone's records open. Close it, and open the app again.",
        "trouble.newer" to
            "A newer version of the app wrote what is on this phone. Update the app: nothing was changed.",
        "trouble.storage" to "The disk did not do it: {reason}. Open the app again.",
        "trouble.key-gone" to "The keystore has lost this key. Enrol again; what was saved stays.",
        "trouble.provider" to "The keystore did not answer: {reason}. Try again.",
        "trouble.closed" to "The app is closed or asleep. Open it again.",
        "trouble.internal" to "A mistake of the program ({reason}). What was saved is safe. Please report it.",
        "unreachable" to "Nobody was met: {reason}.",
    )
