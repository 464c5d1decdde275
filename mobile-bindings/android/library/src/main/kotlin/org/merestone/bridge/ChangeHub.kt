package org.merestone.bridge

import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import org.merestone.Change
import org.merestone.MerestoneException
import org.merestone.RecordId
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicReference
import org.merestone.crossing.Change as RawChange
import org.merestone.crossing.ChangeListener as RawListener

/**
 * Hands one listener's changes to any number of collectors, and listens only while there are any.
 *
 * @param listen sets the phone's listener
 */
internal class ChangeHub(private val listen: suspend (RawListener?) -> Unit) : RawListener {
    private val listening = Mutex()
    private val collectors = CopyOnWriteArrayList<Collector>()

    fun changes(): Flow<Change> = flow {
        val own = Collector()
        join(own)
        try {
            emit(Change(emptySet(), isEverything = true, hasStatements = true))
            for (signal in own.signals) own.take()?.let { emit(it) }
        } finally {
            withContext(NonCancellable) { leave(own) }
        }
    }

    /** Ends all flows. */
    fun end(): Unit = collectors.forEach { it.signals.close() }

    override fun onChanged(change: RawChange) {
        val told = Change(change.records.mapTo(HashSet(), ::RecordId), change.isEverything, change.hasStatements)
        collectors.forEach { it.add(told) }
    }

    private suspend fun join(collector: Collector): Unit = listening.withLock {
        if (collectors.isEmpty()) crossing { listen(this) }
        collectors += collector
    }

    private suspend fun leave(collector: Collector): Unit = listening.withLock {
        collectors -= collector
        try {
            if (collectors.isEmpty()) crossing { listen(null) }
        } catch (_: MerestoneException) {
            // A phone that is closed calls nobody.
        }
    }
}

private class Collector {
    val signals = Channel<Unit>(Channel.CONFLATED)
    private val waiting = AtomicReference<Change?>()

    fun add(change: Change) {
        waiting.accumulateAndGet(change) { earlier, later -> earlier?.plus(later!!) ?: later }
        signals.trySend(Unit)
    }

    fun take(): Change? = waiting.getAndSet(null)
}
