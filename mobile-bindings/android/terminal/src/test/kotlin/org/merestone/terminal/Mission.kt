package org.merestone.terminal

import java.io.File
import java.util.concurrent.TimeUnit

/** A mission of two parties, founded by the `merestone` program, with the officers' keys and a base camp. */
class Mission(private val folder: File) : AutoCloseable {
    private val merestone = File(System.getProperty("merestone.bin"), "merestone").absolutePath
    private val passphrase = File(folder, "passphrase").apply { writeText("officer\n") }
    private var serving: Process? = null

    /** The mission's charter, signed by all. */
    val charter = File(folder, "charter.cbor")

    init {
        val keys = listOf("a", "b", "ledger").associateWith { key(run("mission", "key", "--out", "$it.key")) }
        run(
            "mission",
            "found",
            "--name",
            "Border",
            "--party",
            "State A=${keys["a"]}",
            "--party",
            "State B=${keys["b"]}",
            "--scope",
            "North",
            "--ledger",
            "border.example/ledger=${keys["ledger"]}",
            "--key",
            "a.key",
            "--out",
            charter.name,
        )
        run("mission", "sign", charter.name, "--key", "b.key")
    }

    /** Certifies a request that an app wrote into a file; the officer hears the six words. */
    fun certify(request: File, words: String, role: String = "observer"): File {
        val certificate = File(folder, "${request.name}.certificate")
        run(
            "roster",
            "certify",
            request.path,
            "--charter",
            charter.name,
            "--key",
            "a.key",
            "--role",
            role,
            "--words",
            words,
            "--out",
            certificate.name,
        )
        return certificate
    }

    /** Makes a base camp that answers; gives its ticket. */
    fun serve(): String {
        run("device", "init", charter.name, "--home", "camp")
        val request = File(folder, "camp.request")
        val who = arrayOf("--observer", "Base camp", "--device", "Laptop", "--home", "camp")
        val asked = run("device", "request", *who, "--out", request.name)
        run("device", "accept", certify(request, wordsOf(asked), "camp").name, "--home", "camp")
        val log = File(folder, "serve.log")
        val command =
            command("serve", "--home", "camp", "--listen", "127.0.0.1:0", "--quiet", "--ledger-key", "ledger.key")
        serving = command.redirectErrorStream(true).redirectOutput(log).start()
        val until = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_S)
        while (System.nanoTime() < until) {
            ADDRESS.find(log.readText())?.let { return it.value }
            Thread.sleep(LOOK_MS)
        }
        error("base camp does not serve: ${log.readText()}")
    }

    override fun close() {
        serving?.destroy()
        serving?.waitFor(WAIT_S, TimeUnit.SECONDS)
    }

    private fun run(vararg arguments: String): String {
        val log = File.createTempFile("merestone", null, folder)
        val process = command(*arguments).redirectErrorStream(true).redirectOutput(log).start()
        check(process.waitFor(WAIT_S, TimeUnit.SECONDS)) { "merestone ${arguments.take(2)} does not end" }
        val said = log.readText()
        check(process.exitValue() == 0) { "merestone ${arguments.take(2)}: $said" }
        return said
    }

    private fun command(vararg arguments: String): ProcessBuilder {
        val builder = ProcessBuilder(merestone, *arguments).directory(folder).redirectInput(File("/dev/null"))
        builder.environment()["MERESTONE_PASSPHRASE_FILE"] = passphrase.path
        return builder
    }

    private companion object {
        const val WAIT_S = 60L
        const val LOOK_MS = 50L
        val KEY = Regex("[0-9a-f]{64}")
        val ADDRESS = Regex("[0-9a-f]{64}@127\\.0\\.0\\.1:[0-9]+")

        fun key(said: String): String = KEY.find(said)?.value ?: error("no key in $said")
    }
}

/** Six words in a row, as screens show them. */
internal fun wordsOf(screen: String): String {
    val words = screen.lines().firstNotNullOfOrNull { SIX_WORDS.matchEntire(it.trim()) }?.groupValues?.get(1)
    return words?.split(Regex("\\s+"))?.joinToString(" ") ?: error("no six words in $screen")
}

private val SIX_WORDS = Regex("""(?:six words\s+)?([a-z]+(?:\s+[a-z]+){5})""")
