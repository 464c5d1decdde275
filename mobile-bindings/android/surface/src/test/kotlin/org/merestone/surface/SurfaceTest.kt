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

    @Test
    fun `nothing but the audit's own façade reaches for the audit, so that a phone can leave both out`() {
        val classes = listOf("library", "screens").flatMap { classes(it) }
        val reaching = classes.filter { file -> AUDIT.any { it in file.readText(Charsets.ISO_8859_1) } }
        val names = reaching.map { it.nameWithoutExtension.substringBefore('$') }.toSet()
        assertEquals(setOf("CrossingAudit", "CrossingAuditKt"), names)
    }

    private fun compare(module: String) {
        val classes = classes(module).filterNot { it.parentFile.name == "bridge" }
        val now = StringBuilder().also {
            AbiToolsFactory().get().v2.printJvmDump(it, classes, AbiFilters.EMPTY)
        }.toString()
        assertTrue("bridge" !in now && "crossing" !in now, "what is generated shows in what an app can call")
        val agreed = File("$module.api")
        if (System.getenv("MERESTONE_WRITE_SURFACES") == "1") agreed.writeText(now)
        val says = "run with MERESTONE_WRITE_SURFACES=1, and look at what changed for apps"
        assertEquals(agreed.takeIf { it.exists() }?.readText().orEmpty(), now, says)
    }

    private fun classes(module: String) =
        File("../$module/target/classes").walk().filter { it.extension == "class" }.toList()

    private companion object {
        /** What the generated code has of the audit, as class files write it. */
        val AUDIT = listOf("AuditOptions", "AuditReport", "FindingLine", "ExplanationLine", "EvidencePage")
            .map { "org/merestone/crossing/$it" } + listOf("auditBag", "explainCode")
    }
}
