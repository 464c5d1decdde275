package org.merestone.support

import org.junit.jupiter.api.Assumptions.assumeTrue
import java.io.File

/** Photos of the external fixture set. */
object Fixtures {
    private val set: File? = listOfNotNull(System.getenv("MERESTONE_SHARED"), "../shared", "../../../../../shared")
        .map { File(it, "fixtures") }.firstOrNull { it.isDirectory }

    /** A photo of the set; where there is no set, the test says so and is skipped. */
    fun photo(name: String): File {
        if (set == null) skip("the external fixture set is absent; set MERESTONE_SHARED")
        return File(set, "photos/$name")
    }
}

/** Says aloud that a test did not run its point, in the list that `tests/run` prints too. */
fun skip(reason: String): Nothing {
    val test = StackWalker.getInstance().walk { frames ->
        frames.filter { it.className.endsWith("Test") }.findFirst().map { it.className.substringAfterLast('.') }
    }.orElse("a test")
    System.getenv("MERESTONE_SKIPS")?.let { File(it).appendText("SKIPPED: kotlin $test: $reason\n") }
    assumeTrue(false, reason)
    error("the assumption above ends the test")
}
