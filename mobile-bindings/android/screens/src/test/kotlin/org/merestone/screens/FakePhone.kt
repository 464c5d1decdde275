package org.merestone.screens

import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.flow
import org.merestone.Answer
import org.merestone.Answering
import org.merestone.Asked
import org.merestone.Bags
import org.merestone.Change
import org.merestone.Courier
import org.merestone.Custody
import org.merestone.DamagedDraft
import org.merestone.Draft
import org.merestone.DraftId
import org.merestone.Drafts
import org.merestone.Enrolment
import org.merestone.EntryId
import org.merestone.Form
import org.merestone.FormHash
import org.merestone.FormLanguage
import org.merestone.Forms
import org.merestone.HeldAlone
import org.merestone.Interview
import org.merestone.KeyVault
import org.merestone.MerestoneException
import org.merestone.Missing
import org.merestone.Mission
import org.merestone.MissionId
import org.merestone.NearbyDevice
import org.merestone.Observer
import org.merestone.ObserverKey
import org.merestone.ObserverState
import org.merestone.Observers
import org.merestone.PageMark
import org.merestone.Passphrase
import org.merestone.Peer
import org.merestone.Phone
import org.merestone.Photos
import org.merestone.RecordId
import org.merestone.RecordQuery
import org.merestone.RecordSheet
import org.merestone.RecordState
import org.merestone.RecordSummary
import org.merestone.Records
import org.merestone.RecordsPage
import org.merestone.Room
import org.merestone.SaveId
import org.merestone.Saved
import org.merestone.Scope
import org.merestone.ScopeId
import org.merestone.Speech
import org.merestone.Step
import org.merestone.Sync
import org.merestone.SyncEvent
import org.merestone.SyncOptions
import org.merestone.SyncReport
import org.merestone.SyncState
import org.merestone.SyncTarget
import org.merestone.Unlocking
import java.io.File
import java.lang.reflect.InvocationHandler
import java.lang.reflect.Proxy
import java.time.Instant
import kotlin.time.Duration

/** A phone in memory, of which a test says what it holds and how it fails. */
class FakePhone : Phone by absent() {
    val held = mutableListOf<RecordSummary>()
    val custodies = mutableMapOf<RecordId, List<Custody>>()
    var alone = HeldAlone(0, 0, 0, 0)
    val strangers = listOf(File("holiday.jpg"))
    val begun = linkedMapOf<DraftId, FakeDraft>()
    val changed = MutableSharedFlow<Change>()
    var people = listOf(observer())
    var meeting: Flow<SyncEvent> = flow { awaitCancellation() }
    var sheet: RecordSheet? = null
    val resolved = mutableListOf<Answer>()
    val interviews = mutableListOf<FakeInterview>()
    var isWiped = false
    var met: SyncTarget? = null

    override val observers = FakeObservers()
    override val forms = FakeForms()
    override val drafts = FakeDrafts()
    override val records = FakeRecords()
    override val sync = FakeSync()
    override val isOpen get() = !isWiped

    override suspend fun mission() = Mission(MissionId("00".repeat(32)), "Border", emptyList(), listOf(NORTH))

    override suspend fun room() = Room(1_000_000, 12, isLow = false)

    override fun changes(): Flow<Change> = changed

    override suspend fun resume() = Unit

    override suspend fun shut() = Unit

    override fun close() = Unit

    override suspend fun wipe(): List<File> {
        isWiped = true
        return strangers
    }

    inner class FakeObservers : Observers by absent() {
        var passphrase = "right"
        var accepted: (String) -> Observer = { throw MerestoneException.Refused("mistyped", "not whole") }

        override suspend fun all() = people

        override suspend fun request(asked: Asked, passphrase: Passphrase) = enrolment()

        override suspend fun request(asked: Asked, vault: KeyVault) = enrolment()

        override suspend fun requested(observer: ObserverKey) = enrolment()

        override suspend fun accept(certificate: String) = accepted(certificate)

        override suspend fun unlock(observer: ObserverKey, passphrase: Passphrase): Unlocking =
            if (passphrase.toString().isNotEmpty() && this.passphrase == "right") {
                Unlocking.Unlocked
            } else {
                Unlocking.StillLocked("the passphrase is wrong")
            }

        override suspend fun unlock(observer: ObserverKey, vault: KeyVault): Unlocking = Unlocking.Unlocked

        override suspend fun lock() = Unit
    }

    inner class FakeForms : Forms by absent() {
        override suspend fun all() = listOf(FORM)

        override suspend fun add(file: File, beside: List<File>) = FORM.hash
    }

    inner class FakeDrafts : Drafts by absent() {
        override suspend fun all(observer: ObserverKey?) = begun.values.map {
            Draft(it.id, OLENA, NORTH.id, FORM.hash, it.record, it.answers.size, it.photos.size, isImport = false)
        }

        override suspend fun damaged() = emptyList<DamagedDraft>()

        override suspend fun begin(observer: ObserverKey, scope: ScopeId, form: FormHash) =
            opened(FakeDraft(DraftId("d1")))

        override suspend fun beginEdit(observer: ObserverKey, record: RecordId) =
            opened(FakeDraft(DraftId("d2"), record))

        override suspend fun goOn(draft: DraftId) = opened(begun.getValue(draft))

        override suspend fun discard(draft: DraftId) {
            begun.remove(draft)
        }

        override suspend fun saveNew(
            observer: ObserverKey,
            scope: ScopeId,
            form: FormHash,
            answers: Map<String, Answer>,
            once: SaveId?,
        ) = Saved(EntryId("e1"), RecordId("e1"), isRoomLow = false)

        private fun opened(draft: FakeDraft): Interview {
            begun[draft.id] = draft
            return FakeInterview(FORM, draft).also { interviews += it }
        }
    }

    inner class FakeRecords : Records by absent() {
        var reads = 0

        override suspend fun page(query: RecordQuery, after: PageMark?, max: Int): RecordsPage {
            reads += 1
            val found =
                held
                    .filter { query.text == null || it.title.contains(query.text!!) }
                    .filter { query.hasConflict == null || it.hasConflict == query.hasConflict }
                    .filter { query.isWithdrawn == null || it.isWithdrawn == query.isWithdrawn }
            val from = after?.let { mark -> marks.indexOf(mark) } ?: 0
            val until = (from + max).coerceAtMost(found.size)
            return RecordsPage(
                found.subList(from.coerceAtMost(until), until),
                marks[until].takeIf {
                    until < found.size
                },
                false,
            )
        }

        override fun all(query: RecordQuery, pageSize: Int) = held.toList().asFlow()

        override suspend fun catchUp() = Unit

        override suspend fun sheet(record: RecordId, language: Int?) = sheet

        override suspend fun history(record: RecordId, language: Int?) = emptyList<Step>()

        override suspend fun resolve(
            observer: ObserverKey,
            record: RecordId,
            key: String,
            answer: Answer,
            once: SaveId?,
        ): Saved {
            resolved += answer
            return Saved(EntryId("e2"), record, isRoomLow = false)
        }

        override suspend fun withdraw(observer: ObserverKey, record: RecordId, once: SaveId?) =
            Saved(EntryId("e2"), record, false)

        override suspend fun say(observer: ObserverKey, speech: Speech, once: SaveId?) =
            Saved(EntryId("e2"), speech.record, false)

        override suspend fun restate(observer: ObserverKey, entry: EntryId, once: SaveId?) =
            Saved(entry, RecordId("r"), false)

        override suspend fun custody(entry: EntryId): Custody? = null

        override suspend fun custody(record: RecordId) = custodies[record].orEmpty()

        override suspend fun heldAlone() = alone

        override suspend fun writeExhibit(entry: EntryId, questions: List<String>, file: File) = Unit

        private val marks = List(10_000) { PageMark("$it") }
    }

    inner class FakeSync : Sync by absent() {
        override fun meet(observer: ObserverKey, target: SyncTarget, options: SyncOptions): Flow<SyncEvent> {
            met = target
            return meeting
        }

        override suspend fun meetOnce(observer: ObserverKey, target: SyncTarget, options: SyncOptions) = report()

        override fun nearby(observer: ObserverKey, window: Duration): Flow<NearbyDevice> = listOf("a", "b", "a")
            .map {
                NearbyDevice(it, listOf("10.0.0.1:1"), speaksOurs = true)
            }.asFlow()

        override suspend fun answer(observer: ObserverKey, address: String, isAdvertised: Boolean): Answering =
            error("nobody waits here")

        override suspend fun networkChanged(local: String?) = Unit
    }
}

/** What a test does not speak of: calling it fails the test. */
inline fun <reified T : Any> absent(): T {
    val type = T::class.java
    val none =
        InvocationHandler { _, method, _ -> throw UnsupportedOperationException("${type.simpleName}.${method.name}") }
    return type.cast(Proxy.newProxyInstance(type.classLoader, arrayOf(type), none))
}

val NORTH = Scope(ScopeId("5c".repeat(8)), "North")

val FORM =
    Form(
        FormHash("f0".repeat(32)),
        "inspection",
        "Inspection",
        "1",
        true,
        listOf(FormLanguage("English", "en", false), FormLanguage("العربية", "ar", true)),
        0,
    )

fun observer(state: ObserverState = ObserverState.CERTIFIED) = Observer(
    OLENA,
    "Olena",
    "Phone",
    state,
    1,
    "observer",
    listOf(NORTH.id),
    state == ObserverState.CERTIFIED,
    false,
)

fun enrolment() = Enrolment(OLENA, "REQUEST", listOf("a", "b", "c", "d", "e", "f"), null)

fun record(number: Int, hasConflict: Boolean = false, isWithdrawn: Boolean = false) = RecordSummary(
    RecordId("%064x".format(number)),
    NORTH.id,
    "inspection",
    "Post $number",
    "Olena",
    RecordState.WHOLE,
    hasConflict,
    isWithdrawn,
    1,
    0,
    Instant.EPOCH,
)

fun report(isFull: Boolean = true, isAsWanted: Boolean = true, endCode: String = "done", photos: Int = 0) = SyncReport(
    SyncState(Peer("State B", "Marek", "Phone", "observer", false), 1, 2, 0, 0, 10, 20, isFull),
    isFull,
    isAsWanted,
    endCode,
    endCode,
    "",
    emptyList(),
    0,
    0,
    photos,
    emptyList(),
    null,
    if (photos > 0) listOf(Missing("Marek", "State B", "Phone", 0, 0, photos.toLong())) else emptyList(),
    emptyList(),
    0,
    0,
    0,
)

fun custody(peers: Int = 0, isAtCamp: Boolean = false, photos: Int = 0, elsewhere: Int = 0, atCamp: Int = 0): Custody {
    val isOnlyHere = (peers == 0 && !isAtCamp) || elsewhere < photos
    return Custody(EntryId("e"), peers, isAtCamp, photos, elsewhere, atCamp, isOnlyHere, isAtCamp && atCamp == photos)
}
