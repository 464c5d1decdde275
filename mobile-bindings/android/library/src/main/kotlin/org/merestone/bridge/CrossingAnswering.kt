package org.merestone.bridge

import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import org.merestone.Answering
import org.merestone.Caller
import org.merestone.MerestoneException
import org.merestone.Ticket
import kotlin.time.Duration
import org.merestone.crossing.Answering as RawAnswering

/** @param isOver whether the phone has stopped listening by itself */
internal class CrossingAnswering(private val raw: RawAnswering, private val isOver: () -> Boolean) : Answering {
    override val address: String = raw.address()

    override val isAdvertised: Boolean = raw.isAdvertised()

    override suspend fun ticket(name: String?): Ticket = crossing { raw.ticket(name) }.run { Ticket(text, qr?.told()) }

    override suspend fun callers(): List<Caller> = crossing { raw.callers() }.map { it.told() }

    override fun callersNow(every: Duration): Flow<List<Caller>> = flow {
        while (!isOver()) {
            val now = try {
                callers()
            } catch (_: MerestoneException.Closed) {
                return@flow
            }
            emit(now)
            delay(every)
        }
    }.distinctUntilChanged()

    override suspend fun stop() {
        crossing { raw.stop() }
        raw.close()
    }

    override fun close(): Unit = raw.close()
}
