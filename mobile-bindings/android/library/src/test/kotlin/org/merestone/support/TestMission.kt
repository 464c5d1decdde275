package org.merestone.support

import org.merestone.Enrolment
import org.merestone.FormHash
import org.merestone.MissionId
import org.merestone.ObserverKey
import org.merestone.ScopeId
import java.io.File

/** A mission of two parties, founded with the officers' own program. */
class TestMission {
    /** Where the officers' files lie. */
    val office: File = folder("office")

    /** What a new phone is made with. */
    val charter: ByteArray

    val id: MissionId

    val scope: ScopeId

    init {
        val parties = listOf("State A", "State B").zip(listOf("a.key", "b.key"))
        val named = parties.flatMap { (name, file) -> listOf("--party", "$name=${makeKey(file)}") }
        val ledger = "border.example/ledger=${makeKey("ledger.key")}"
        val founded = Programs.merestone(
            office, "mission", "found", "--name", "Border", *named.toTypedArray(), "--scope", "North",
            "--ledger", ledger, "--key", "a.key", "--out", "charter.cbor",
        )
        Programs.merestone(office, "mission", "sign", "charter.cbor", "--key", "b.key")
        id = MissionId(founded["mission"])
        scope = ScopeId(Regex("\"scopes\":\\[\\{\"id\":\"([0-9a-f]+)").find(founded.toString())!!.groupValues[1])
        charter = File(office, "charter.cbor").readBytes()
    }

    /** What an officer of the party of [key] answers a request with. */
    fun certify(enrolment: Enrolment, key: String = "a.key", role: String = "observer"): String {
        File(office, "${enrolment.key}.request").writeText(enrolment.text)
        return certify("${enrolment.key}.request", enrolment.words.joinToString(" "), key, role)
    }

    /** Ends a key that party A certified, at what [home] holds of it; gives the file of the cut. */
    fun cut(observer: ObserverKey, home: File): File {
        val file = File(office, "$observer.cut")
        Programs.merestone(
            office, "roster", "cut", observer.hex, "--reason", "lost", "--key", "a.key", "--home", home.path,
            "--out", file.path,
        )
        return file
    }

    /** Makes a base camp with the mission's ledger and starts it. */
    fun camp(): TestCamp {
        val home = File(office, "camp")
        if (!home.exists()) {
            Programs.merestone(office, "device", "init", "charter.cbor", "--home", "camp")
            val asked = Programs.merestone(
                office, "device", "request", "--observer", "Base camp", "--device", "laptop", "--home", "camp",
                "--out", "camp.request",
            )
            val words = Regex("\"words\":\\[([^]]*)").find(asked.toString())!!.groupValues[1]
            certify("camp.request", words.replace("\"", "").replace(",", " "), "b.key", "camp")
            Programs.merestone(office, "device", "accept", "camp.request.certificate", "--home", "camp")
        }
        return TestCamp(
            home,
            Programs.start(
                office, "serve", "--home", "camp", "--listen", "127.0.0.1:0", "--ledger-key", "ledger.key", "--quiet",
                "--json",
            ),
        )
    }

    private fun certify(request: String, words: String, key: String, role: String): String {
        Programs.merestone(
            office, "roster", "certify", request, "--role", role, "--charter", "charter.cbor", "--key", key,
            "--words", words, "--out", "$request.certificate",
        )
        return File(office, "$request.certificate").readText()
    }

    private fun makeKey(file: String): String = Programs.merestone(office, "mission", "key", "--out", file)["key"]

    companion object {
        /** One for all tests of a JVM: founding takes seconds, and no test changes it. */
        val shared: TestMission by lazy { TestMission() }
    }
}

/** A base camp in a process of its own. */
class TestCamp(val home: File, private val running: Running) : AutoCloseable {
    private val ready = running.line()

    val address: String = ready["address"]

    val ticket: String = ready["ticket_text"]

    override fun close(): Unit = running.close()
}
