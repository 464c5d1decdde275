package org.merestone.surface

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File

/** Whether an app gets all that the crossing offers: what no façade passes on might as well not be there. */
class ReachTest {
    private val bridge = listOf("main", "audit").flatMap { File("../library/src/$it").walk() }
        .filter { it.isFile && it.parentFile.name == "bridge" }.joinToString("\n") { it.readText() }

    @Test
    fun `every call of the crossing is made, and every value that it gives is read`() {
        val offered = offered()
        assertTrue(offered.size > 300, "only ${offered.size} names were found: this test reads surface.txt wrongly")
        assertEquals(emptyList<Offer>(), offered.filterNot { it.isReached() })
    }

    private data class Offer(val within: String, val name: String, val isCall: Boolean)

    /** The lines of the crossing's surface: a call, or a value of the type above it. */
    private fun offered(): List<Offer> {
        var within = ""
        return File("../surface.txt").readLines().filter { it.isNotBlank() }.mapNotNull { line ->
            val call = CALL.find(line)?.groupValues?.get(1)
            if (!line.startsWith(' ')) within = line.substringAfterLast(' ')
            val name = call ?: VALUE.find(line)?.groupValues?.get(1)
            name?.let { Offer(if (line.startsWith(' ')) within else "", it, isCall = call != null) }
        }
    }

    /** What is handed in is complete already: the compiler asks for each value. */
    private fun Offer.isReached() = if (isCall) {
        Regex("\\b$name\\(").containsMatchIn(bridge)
    } else {
        Regex("\\b(Raw)?$within\\(").containsMatchIn(bridge) || Regex("\\b$name\\b").containsMatchIn(bridge)
    }

    private companion object {
        val CALL = Regex("^ *(?:suspend )?fun (\\w+)\\(")
        val VALUE = Regex("^ +(\\w+)")
    }
}
