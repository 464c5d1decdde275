package org.merestone.support

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.fail
import org.merestone.Answer
import org.merestone.Merestone
import org.merestone.MerestoneException
import org.merestone.ObserverKey
import org.merestone.PhoneHome
import org.merestone.RecordQuery
import org.merestone.SyncTarget
import java.io.File

/** Another JVM with the same library. */
class OtherProcess private constructor(private val process: Process) : AutoCloseable {
    private val lines = process.inputStream.bufferedReader()

    fun line(): String = lines.readLine() ?: fail("it ended: ${process.errorStream.bufferedReader().readText()}")

    /** Ends it as the system ends an app: without a word. What it printed can still be read. */
    fun kill() {
        ProcessBuilder("kill", "-9", process.pid().toString()).start().waitFor()
        process.waitFor()
    }

    /** What it printed until it ended, whole lines only. */
    fun rest(): List<String> {
        val text = lines.readText()
        return text.substringBeforeLast('\n', "").lines().filter { it.isNotEmpty() }
    }

    override fun close(): Unit = kill()

    companion object {
        fun start(vararg words: String): OtherProcess {
            val java = File(System.getProperty("java.home"), "bin/java").path
            val classes = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
            val library = "-Djna.library.path=" + System.getProperty("jna.library.path")
            val main = "org.merestone.support.OtherProcessKt"
            return OtherProcess(ProcessBuilder(java, "-Xmx128m", library, "-cp", classes, main, *words).start())
        }
    }
}

/** Does what its first word says to the phone in the folder of its second; prints what came of it, and stays until it is killed. */
fun main(words: Array<String>) = runBlocking {
    val home by lazy { homeIn(File(words[1])) }
    try {
        when (words[0]) {
            "wipe" -> Merestone.wipe(home).also { println("wiped") }
            "open" -> Merestone.open(home).also { println("open") }
            "time" -> timeOpening { home }
            "sync" -> syncOnce(home, ObserverKey(words[2]), words[3])
            else -> saveOn(home, ObserverKey(words[2]))
        }
    } catch (storage: MerestoneException.Storage) {
        println(storage.fault)
    }
    Thread.sleep(60_000)
}

private suspend fun timeOpening(home: () -> PhoneHome) {
    val begun = System.nanoTime()
    Merestone.version
    val loaded = System.nanoTime()
    val phone = Merestone.open(home())
    val opened = System.nanoTime()
    phone.records.page(RecordQuery(), max = 50)
    println(listOf(loaded - begun, opened - loaded, System.nanoTime() - opened).joinToString(" ") { "${it / 1e6}" })
}

/** Prints what it held before and at most, in KiB, and how many entries came. */
private suspend fun syncOnce(home: PhoneHome, observer: ObserverKey, address: String) {
    val phone = Merestone.open(home)
    phone.observers.unlock(observer, passphrase)
    phone.records.page(RecordQuery(), max = 50)
    val before = Measures.residentKib()
    val report = phone.sync.meetOnce(observer, SyncTarget.Address(address))
    check(report.isFullySynced) { "$report" }
    println("$before ${Measures.residentKib(peak = true)} ${report.state.entriesReceived}")
}

private suspend fun saveOn(home: PhoneHome, observer: ObserverKey) {
    val phone = Merestone.open(home)
    phone.observers.unlock(observer, passphrase)
    val form = phone.forms.all().first { it.kind == "inspection" }
    val scope = phone.mission().scopes.first().id
    for (number in 1..10_000) {
        val answers = mapOf("post" to Answer.Text("Post $number"))
        println(phone.drafts.saveNew(observer, scope, form.hash, answers).record.hex)
    }
}
