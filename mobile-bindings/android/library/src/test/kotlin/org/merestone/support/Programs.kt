package org.merestone.support

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.fail
import java.io.File
import java.nio.file.Files
import java.util.concurrent.TimeUnit

/** The project's own programs, as an officer, a base camp and an auditor use them. */
object Programs {
    const val PASSPHRASE = "correct horse battery staple"

    private val folder =
        File(
            System.getProperty("merestone.bin")
                ?: fail("-Dmerestone.bin names the folder of merestone and merestone-audit"),
        )

    /** Runs `merestone` to its end and gives what it printed as JSON. */
    fun merestone(work: File, vararg words: String): Json = Json(finished("merestone", work, *words, "--json"))

    /** Runs `merestone-audit` on a bag and gives its whole report as text. */
    fun audit(work: File, bag: File, mission: String): String =
        finished("merestone-audit", work, bag.path, "--mission", mission)

    /** Starts `merestone` and leaves it running. */
    fun start(work: File, vararg words: String): Running = Running(process("merestone", work, *words).start())

    private fun finished(program: String, work: File, vararg words: String): String {
        val ended = process(program, work, *words).start()
        ended.outputStream.close()
        val printed = ended.inputStream.bufferedReader().readText()
        val said = ended.errorStream.bufferedReader().readText()
        assertEquals(0, ended.waitFor(), "$program ${words.joinToString(" ")}\n$said")
        return printed
    }

    private fun process(program: String, work: File, vararg words: String): ProcessBuilder {
        val passphrase = File(work, "passphrase")
        if (!passphrase.exists()) passphrase.writeText("$PASSPHRASE\n")
        return ProcessBuilder(File(folder, program).path, *words).directory(work)
            .apply { environment()["MERESTONE_PASSPHRASE_FILE"] = passphrase.path }
    }
}

/** A program that goes on until it is stopped. */
class Running(private val process: Process) : AutoCloseable {
    private val lines = process.inputStream.bufferedReader()

    /** The next line that it prints as JSON. */
    fun line(): Json = Json(lines.readLine() ?: fail("it ended: ${process.errorStream.bufferedReader().readText()}"))

    override fun close() {
        process.destroy()
        if (!process.waitFor(20, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
    }
}

/** What a program printed as JSON; the tests look at single texts of it only. */
class Json(private val text: String) {
    operator fun get(name: String): String =
        Regex("\"$name\":\"?([^\",}]*)").find(text)?.groupValues?.get(1) ?: fail("no $name in $text")

    override fun toString(): String = text
}

/** A folder of its own, removed when the JVM ends. */
fun folder(name: String): File = Files.createTempDirectory("merestone-$name-").toFile().also { made ->
    Runtime.getRuntime().addShutdownHook(Thread { made.deleteRecursively() })
}

/** Runs a test that suspends. Gives nothing back: JUnit passes over tests that give something. */
fun blocking(test: suspend CoroutineScope.() -> Unit) = runBlocking { test() }
