package org.merestone.terminal

import java.io.File
import java.util.concurrent.TimeUnit

/** Terminals in a tmux server of this test's own: keys go in, what a person sees comes out. */
class Tmux(folder: File) : AutoCloseable {
    private val socket = File(folder, "tmux").path

    /** Starts the app in a window of 80 columns and 24 rows. */
    fun start(name: String, home: File, charter: File): Window {
        val library = System.getProperty("jna.library.path")
        val classes = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val app = "exec java -Xmx192m -Djna.library.path=$library -cp $classes org.merestone.terminal.MainKt"
        val script = File(home.parentFile, "$name.sh")
        script.writeText("export LANG=C.UTF-8\n$app --home $home --charter $charter\n")
        // A session without its program would be gone, with what it said last.
        tmux("-u", "new-session", "-d", "-s", name, "-x", "80", "-y", "24", "sh $script; sleep 60")
        return Window(name)
    }

    override fun close() {
        tmux("kill-server")
    }

    private fun tmux(vararg arguments: String): String {
        val output = File.createTempFile("tmux", null)
        try {
            val process =
                ProcessBuilder(
                    "tmux",
                    "-S",
                    socket,
                    *arguments,
                ).redirectInput(File("/dev/null")).redirectErrorStream(true).redirectOutput(output).start()
            check(process.waitFor(WAIT_S, TimeUnit.SECONDS)) { "tmux does not answer" }
            return output.readText()
        } finally {
            output.delete()
        }
    }

    /** One app on its terminal. */
    inner class Window(private val name: String) {
        /** Ends the app as the system does when it needs its memory. */
        fun kill() {
            val shell = tmux("display-message", "-p", "-t", name, "#{pane_pid}").trim().toLong()
            ProcessHandle.of(shell).ifPresent { it.descendants().forEach(ProcessHandle::destroyForcibly) }
            await("that it is gone") {
                ProcessHandle.of(shell).map { found -> found.descendants().noneMatch(::isApp) }.orElse(true)
            }
        }

        private fun isApp(process: ProcessHandle) = process
            .info()
            .command()
            .orElse("")
            .endsWith("java")

        /** What is on the screen. */
        fun screen(): String = tmux("capture-pane", "-p", "-t", name).trimEnd()

        /** Presses keys by their names. */
        fun press(vararg keys: String) {
            tmux("send-keys", "-t", name, *keys)
        }

        /** Types a text. */
        fun type(text: String) {
            tmux("send-keys", "-t", name, "-l", text)
        }

        /** Types a text and presses Enter. */
        fun enter(text: String) {
            type(text)
            press("Enter")
        }

        /** Waits until the screen says [text]; gives the screen. */
        fun see(text: String): String = await("to see “$text”") { text in it.replace(Regex("\\s+"), " ") }

        /** Waits until the screen is as wanted. */
        fun await(what: String, isIt: (String) -> Boolean): String {
            val until = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_S)
            while (System.nanoTime() < until) {
                val shown = screen()
                if (isIt(shown)) {
                    keep(shown)
                    return shown
                }
                Thread.sleep(LOOK_MS)
            }
            throw AssertionError("$name waited in vain $what:\n${screen()}")
        }

        private fun keep(shown: String) {
            System.getenv("MERESTONE_SCREENS")?.let { File(it, "$name.txt").appendText("$shown\n${"~".repeat(80)}\n") }
        }
    }

    private companion object {
        /** As long as a slow machine under load needs to derive a key with a debug library. */
        const val WAIT_S = 60L

        /** How often a person would look. */
        const val LOOK_MS = 60L
    }
}
