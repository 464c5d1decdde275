package org.merestone.bridge

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.channelFlow
import org.merestone.Answering
import org.merestone.NearbyDevice
import org.merestone.ObserverKey
import org.merestone.Sync
import org.merestone.SyncEvent
import org.merestone.SyncOptions
import org.merestone.SyncReport
import org.merestone.SyncTarget
import org.merestone.crossing.NearbyLine
import org.merestone.crossing.NearbyListener
import org.merestone.crossing.SyncListener
import kotlin.time.Duration
import org.merestone.crossing.Phone as RawPhone
import org.merestone.crossing.SyncState as RawState

/** @param rests how often the phone was paused, closed or wiped: whatever listened before listens no more */
internal class CrossingSync(private val raw: RawPhone, private val rests: () -> Int) : Sync {
    override fun meet(observer: ObserverKey, target: SyncTarget, options: SyncOptions): Flow<SyncEvent> = channelFlow {
        val events = LastWins { trySend(it) }
        val listener = object : SyncListener {
            override fun onProgress(state: RawState) = events.tell(SyncEvent.Progress(state.told()))
        }
        val report = crossing { raw.syncWith(observer.hex, target.raw(), options.raw(), listener) }
        events.end(SyncEvent.Ended(report.told()))
    }.buffer(Channel.CONFLATED)

    override suspend fun meetOnce(observer: ObserverKey, target: SyncTarget, options: SyncOptions): SyncReport =
        crossing { raw.syncWith(observer.hex, target.raw(), options.raw(), null) }.told()

    override fun nearby(observer: ObserverKey, window: Duration): Flow<NearbyDevice> = channelFlow {
        val told = HashSet<NearbyDevice>()
        val tell = { line: NearbyLine ->
            val device = line.told()
            if (synchronized(told) { told.add(device) }) trySend(device)
        }
        val listener = object : NearbyListener {
            override fun onFound(peer: NearbyLine) {
                tell(peer)
            }
        }
        // The listener is told on another thread, so the last ones may only be in the result.
        crossing { raw.findNearby(observer.hex, window.millis("window"), listener) }.forEach { tell(it) }
    }.buffer(Channel.UNLIMITED)

    override suspend fun answer(observer: ObserverKey, address: String, isAdvertised: Boolean): Answering {
        val begun = rests()
        return CrossingAnswering(crossing { raw.serve(observer.hex, address, isAdvertised) }) { rests() != begun }
    }

    override suspend fun networkChanged(local: String?): Unit = crossing { raw.networkChanged(local) }
}

/** Lets nothing follow the end: progress is told on another thread, and may be late. */
private class LastWins(private val send: (SyncEvent) -> Unit) {
    private var isOver = false

    @Synchronized
    fun tell(event: SyncEvent) {
        if (!isOver) send(event)
    }

    @Synchronized
    fun end(event: SyncEvent) {
        isOver = true
        send(event)
    }
}
