package org.merestone.bridge

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.runBlocking
import org.merestone.Change
import org.merestone.MerestoneException
import org.merestone.Mission
import org.merestone.MissionId
import org.merestone.Party
import org.merestone.PauseReport
import org.merestone.Phone
import org.merestone.Room
import org.merestone.Scope
import org.merestone.ScopeId
import java.io.File
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import org.merestone.crossing.Phone as RawPhone

internal class CrossingPhone(private val raw: RawPhone) : Phone {
    private val hub = ChangeHub { raw.setChangeListener(it) }
    private val rests = AtomicInteger()

    override val observers = CrossingObservers(raw)
    override val forms = CrossingForms(raw)
    override val drafts = CrossingDrafts(raw)
    override val records = CrossingRecords(raw)
    override val photos = CrossingPhotos(raw)
    override val sync = CrossingSync(raw, rests::get)
    override val courier = CrossingCourier(raw)
    override val bags = CrossingBags(raw)

    override val isOpen: Boolean
        get() = try {
            raw.isOpen()
        } catch (_: IllegalStateException) {
            false
        }

    override suspend fun mission(): Mission = crossing { raw.mission() }.run {
        Mission(
            id = MissionId(id),
            name = name,
            parties = parties.map { Party(it.number.toLong(), it.name, it.key) },
            scopes = scopes.map { Scope(ScopeId(it.id), it.name) },
        )
    }

    override suspend fun room(): Room =
        crossing { raw.room() }.run { Room(freeBytes?.size(), photosAbout?.size(), lowRoom) }

    override fun changes(): Flow<Change> = hub.changes()

    override suspend fun pause(budget: Duration): PauseReport = try {
        crossing { raw.suspend(budget.millis("budget")) }.run { PauseReport(wasBusy, isClosed, tookMs.toLong()) }
    } finally {
        rests.incrementAndGet()
    }

    override suspend fun resume(): Unit = crossing { raw.resume() }

    override suspend fun wipe(): List<File> {
        val left = crossing { raw.wipe() }.map(::File)
        end()
        return left
    }

    override fun close(): Unit = runBlocking { shut() }

    override suspend fun shut() {
        try {
            crossing { raw.shut() }
        } catch (_: MerestoneException.Closed) {
            // It was closed before.
        }
        end()
    }

    private fun end() {
        rests.incrementAndGet()
        hub.end()
        raw.close()
    }
}
