package org.merestone.surface

import org.jetbrains.kotlin.abi.tools.AbiToolsFactory
import org.jetbrains.kotlin.abi.tools.api.AbiFilters
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File

/** What an app can call, line by line: a change of it is a change of the committed files, and of whoever uses them. */
class SurfaceTest {
    @Test
    fun `the library is what was agreed`() = compare("library")

    @Test
    fun `the screens are what was agreed`() = compare("screens")

    private fun compare(module: String) {
        val classes = File("../$module/target/classes").walk().filter { it.extension == "class" }
            .filterNot { it.startsWith("../$module/target/classes/org/merestone/bridge") }.toList()
        val now = StringBuilder().also {
            AbiToolsFactory().get().v2.printJvmDump(it, classes, AbiFilters.EMPTY)
        }.toString()
        assertTrue("bridge" !in now && "crossing" !in now, "what is generated shows in what an app can call")
        val agreed = File("$module.api")
        if (System.getenv("MERESTONE_WRITE_SURFACES") == "1") agreed.writeText(now)
        val says = "run with MERESTONE_WRITE_SURFACES=1, and look at what changed for apps"
        assertEquals(agreed.takeIf { it.exists() }?.readText().orEmpty(), now, says)
    }
}
