package org.merestone.surface

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File

/** Whether an app gets all that the crossing offers: what no façade passes on might as well not be there. */
class ReachTest {
    private val bridge = File("../library/target/classes/org/merestone/bridge").walk()
        .filter { it.extension == "class" }.map(::ClassFile).toList()
    private val classes = bridge.flatMap { it.classes }.toSet()
    private val interfaces = bridge.flatMap { it.interfaces }.toSet()
    private val members = bridge.flatMap { it.members }.toSet()

    @Test
    fun `every call of the crossing is made, and every value that it gives is read`() {
        val offered = offered()
        assertTrue(offered.size > 400, "only ${offered.size} names were found: this test reads surface.txt wrongly")
        assertEquals(emptyList<Offer>(), offered.filterNot { it.isReached() })
    }

    @Test
    fun `a name that another type has too, or that the façade itself declares, is not reached by that`() {
        assertTrue(Offer("class", "Phone", "mission", isCall = true).isReached())
        assertFalse(Offer("class", "Answering", "mission", isCall = true).isReached())
        assertTrue(Offer("data class", "PeerLine", "device", isCall = false).isReached())
        assertFalse(Offer("data class", "CallerLine", "device", isCall = false).isReached())
        assertFalse(Offer("class", "Phone", "pause", isCall = true).isReached())
    }

    /** @property of what kind of type it is [within]; both are empty for a function of its own */
    private data class Offer(val of: String, val within: String, val name: String, val isCall: Boolean)

    /** The lines of the crossing's surface: a call, or a value of the type above it. */
    private fun offered(): List<Offer> {
        var of = ""
        var within = ""
        return File("../surface.txt").readLines().filter { it.isNotBlank() }.mapNotNull { line ->
            val call = CALL.find(line)?.groupValues?.get(1)
            if (!line.startsWith(' ')) {
                of = if (call == null) line.substringBeforeLast(' ') else ""
                within = if (call == null) line.substringAfterLast(' ') else ""
            }
            val name = call ?: VALUE.find(line)?.groupValues?.get(1)
            name?.let { Offer(of, within, it, isCall = call != null) }
        }
    }

    private fun Offer.isReached(): Boolean {
        val type = CROSSING + within
        return when (of) {
            "" -> "${CROSSING}Merestone_ffiKt.$name" in members

            // The compiler asks for every function of it, and for every value of what is made.
            "interface" -> type in interfaces

            "enum class" -> "$type.$name" in members

            "sealed class", "exception" -> "$type\$$name" in classes

            else -> "$type.${if (isCall) name else getter(name)}" in members || isMade(type)
        }
    }

    /** Whether one is made, where the compiler asks for it then. */
    private fun Offer.isMade(type: String) = (!isCall || name == "new") && "$type.<init>" in members

    /** What Kotlin calls the function that gives a value. */
    private fun getter(name: String) =
        if (Regex("is[A-Z].*").matches(name)) name else "get${name.replaceFirstChar(Char::uppercase)}"

    private companion object {
        const val CROSSING = "org/merestone/crossing/"
        val CALL = Regex("^ *(?:companion )?(?:suspend )?fun (\\w+)\\(")
        val VALUE = Regex("^ +(\\w+)")
    }
}
