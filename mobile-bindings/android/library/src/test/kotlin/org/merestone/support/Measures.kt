package org.merestone.support

import java.io.File

/** What this process holds, as the system says. */
object Measures {
    /** Resident memory in KiB; peak with [peak]. */
    fun residentKib(peak: Boolean = false): Long {
        val name = if (peak) "VmHWM:" else "VmRSS:"
        return File("/proc/self/status").readLines().first { it.startsWith(name) }.split(Regex("\\s+"))[1].toLong()
    }

    /** Kotlin's own memory in KiB, after collecting what nobody holds. */
    fun heapKib(): Long {
        repeat(3) {
            System.gc()
            Thread.sleep(50)
        }
        val runtime = Runtime.getRuntime()
        return (runtime.totalMemory() - runtime.freeMemory()) / 1024
    }

    /** Open files under [folder]. */
    fun openFiles(folder: File): List<String> = File("/proc/self/fd").listFiles().orEmpty()
        .mapNotNull { runCatching { it.toPath().toRealPath().toString() }.getOrNull() }
        .filter { it.startsWith(folder.canonicalPath + "/") }
}
