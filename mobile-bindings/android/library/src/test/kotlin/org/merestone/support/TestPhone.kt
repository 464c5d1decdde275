package org.merestone.support

import kotlinx.coroutines.flow.toList
import org.merestone.Answer
import org.merestone.Asked
import org.merestone.Form
import org.merestone.KeyVault
import org.merestone.Merestone
import org.merestone.ObserverKey
import org.merestone.Passphrase
import org.merestone.Phone
import org.merestone.PhoneHome
import org.merestone.PhoneSettings
import org.merestone.RecordSummary
import org.merestone.Saved
import org.merestone.StoreKey
import java.io.File

val passphrase = Passphrase(Programs.PASSPHRASE)

/** The home of a phone in [folder]. */
fun homeIn(folder: File): PhoneHome = PhoneHome.beside(folder, StoreKey(ByteArray(32)))

/** A phone with one observer who is certified and unlocked. */
class TestPhone(val mission: TestMission, val folder: File, val phone: Phone, val observer: ObserverKey) :
    AutoCloseable {
    val home: PhoneHome get() = homeIn(folder)

    suspend fun inspection(): Form = phone.forms.all().first { it.kind == "inspection" }

    /** Saves an inspection of a post in one call. */
    suspend fun save(post: String, vararg answers: Pair<String, Answer>): Saved = phone.drafts.saveNew(
        observer,
        mission.scope,
        inspection().hash,
        mapOf("post" to Answer.Text(post), "day" to Answer.Text("2026-03-02")) + answers,
    )

    suspend fun list(): List<RecordSummary> = phone.records.all().toList()

    override fun close(): Unit = phone.close()

    companion object {
        suspend fun make(
            name: String,
            mission: TestMission = TestMission.shared,
            vault: KeyVault? = null,
            folder: File = folder("phone"),
            settings: PhoneSettings = PhoneSettings(offsetMin = 120),
        ): TestPhone {
            val phone = Merestone.create(homeIn(File(folder, "store")), mission.charter, settings)
            val asked = Asked(name, "$name's phone")
            val enrolment =
                if (vault == null) phone.observers.request(asked, passphrase) else phone.observers.request(asked, vault)
            phone.observers.accept(mission.certify(enrolment))
            return TestPhone(mission, File(folder, "store"), phone, enrolment.key)
        }
    }
}
