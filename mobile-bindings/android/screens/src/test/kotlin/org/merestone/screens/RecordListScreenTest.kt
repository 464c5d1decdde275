package org.merestone.screens

import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.merestone.Change

@OptIn(ExperimentalCoroutinesApi::class)
class RecordListScreenTest {
    private val phone = FakePhone()

    private suspend fun TestScope.open(pageLines: Int = 10) = RecordListScreen(phone, backgroundScope, pageLines).also {
        it.open().join()
    }

    private suspend fun TestScope.tell(change: Change) {
        phone.changed.emit(change)
        runCurrent()
    }

    @Test
    fun `pages follow each other to the end`() = runTest {
        phone.held += List(25) { record(it) }
        val list = open()
        assertEquals(10, list.state.value.lines.size)
        assertTrue(list.state.value.hasMore)
        list.more().join()
        list.more().join()
        list.more().join()
        assertEquals(phone.held, list.state.value.lines)
        assertFalse(list.state.value.hasMore)
    }

    @Test
    fun `the place stays while records come and go, and moves to what stands where it stood`() = runTest {
        phone.held += List(12) { record(it) }
        val list = open()
        list.follow()
        runCurrent()
        list.point(record(7).id)
        phone.held.add(0, record(100))
        tell(Change(setOf(record(100).id), isEverything = false, hasStatements = false))
        assertEquals(
            record(100),
            list.state.value.lines
                .first(),
        )
        assertEquals(record(7).id, list.state.value.place)
        assertEquals(8, list.state.value.at())
        phone.held.removeIf { it.id == record(7).id }
        tell(Change(emptySet(), isEverything = true, hasStatements = false))
        assertEquals(record(8).id, list.state.value.place)
    }

    @Test
    fun `moving past the end reads more and stops at the last`() = runTest {
        phone.held += List(15) { record(it) }
        val list = open()
        list.move(12).join()
        assertEquals(record(12).id, list.state.value.place)
        list.move(99).join()
        assertEquals(record(14).id, list.state.value.place)
        list.move(-99).join()
        assertEquals(record(0).id, list.state.value.place)
    }

    @Test
    fun `withdrawn records are left out until they are asked for, and a search can be taken back`() = runTest {
        phone.held += listOf(record(1), record(2, isWithdrawn = true), record(3))
        val list = open()
        assertEquals(
            listOf("Post 1", "Post 3"),
            list.state.value.lines
                .map { it.title },
        )
        list.filter { copy(isWithdrawn = null) }.join()
        assertEquals(3, list.state.value.lines.size)
        list.search(" Post 2 ").join()
        assertEquals(
            listOf("Post 2"),
            list.state.value.lines
                .map { it.title },
        )
        list.search("").join()
        list.clear().join()
        assertFalse(list.state.value.isFiltered)
        assertEquals(2, list.state.value.lines.size)
    }

    @Test
    fun `the badge counts conflicts wherever they are, and says when there are more`() = runTest {
        phone.held += List(20) { record(it) }
        assertNull(open().state.value.badge)
        phone.held += record(30, hasConflict = true)
        assertEquals("1 record with a conflict", English.book.say(open().state.value.badge!!))
        phone.held += List(120) { record(40 + it, hasConflict = true) }
        assertEquals("More than 100 records with conflicts", English.book.say(open().state.value.badge!!))
    }

    @Test
    fun `nothing is read again for a change that changes nothing`() = runTest {
        val list = open()
        list.follow()
        runCurrent()
        val reads = phone.records.reads
        tell(Change(emptySet(), isEverything = false, hasStatements = false))
        assertEquals(reads, phone.records.reads)
        assertTrue(list.state.value.isRead)
    }
}
