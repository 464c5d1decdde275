package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.merestone.CourierContents
import org.merestone.CourierOrder
import org.merestone.CourierRead
import org.merestone.CourierWritten
import org.merestone.MerestoneException
import org.merestone.ObserverKey
import org.merestone.Phone
import java.io.File

/** Carrying entries on a stick. */
public data class CourierState(
    /** What is in the file that was looked into. */
    public val contents: CourierContents? = null,
    /** What was done last, a line each. */
    public val done: List<Message> = emptyList(),
    /** A path that was not taken, and why. */
    public val refusal: Refusal? = null,
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState

/** Writes and reads files that carry entries where no network reaches. They are not encrypted, and say no receipt. */
public class CourierScreen(private val phone: Phone, private val observer: ObserverKey, scope: CoroutineScope) :
    ScreenModel<CourierState>(scope, CourierState()) {
    /** Writes all that this phone holds, or what a device lacked when it last said what it holds. */
    public fun write(
        file: File,
        madeFor: ObserverKey? = null,
        withoutOriginals: Boolean = false,
        bytesMax: Long? = null,
    ): Job = withFile(file) {
        val written = phone.courier.write(observer, CourierOrder(file, madeFor, withoutOriginals, bytesMax))
        show { copy(done = written.lines(file)) }
    }

    /** Says what is in a file, and takes nothing. */
    public fun inspect(file: File): Job = withFile(file) {
        val contents = phone.courier.inspect(file)
        show { copy(contents = contents) }
    }

    /** Takes what is in a file; each entry is judged by its own signatures. */
    public fun read(file: File): Job = withFile(file) {
        val read = phone.courier.read(observer, file)
        show { copy(done = read.lines()) }
    }

    override fun CourierState.marked(isBusy: Boolean, trouble: Trouble?): CourierState =
        copy(isBusy = isBusy, trouble = trouble)

    private fun withFile(file: File, work: suspend () -> Unit): Job = lasting {
        show { copy(contents = null, done = emptyList(), refusal = null) }
        try {
            work()
        } catch (refused: MerestoneException.Refused) {
            show { copy(refusal = Refusal(file.path, refusalMessage(refused))) }
        } catch (absent: MerestoneException.NotThere) {
            show { copy(refusal = Refusal(file.path, Message("courier.not-there", mapOf("path" to file.path)))) }
        }
    }
}

private fun CourierWritten.lines(file: File): List<Message> = listOfNotNull(
    Message.counting("courier.written", entries, "photos" to blobs.toString(), "path" to file.path),
    leftOut.takeIf { it > 0 }?.let { Message.counting("courier.left-out", it) },
    damaged.takeIf { it > 0 }?.let { Message.counting("courier.damaged", it) },
    Message("courier.not-secret"),
)

private fun CourierRead.lines(): List<Message> = listOfNotNull(
    Message.counting("courier.read", entriesNew, "photos" to blobsNew.toString()),
    entriesOfOtherScopes.takeIf { it > 0 }?.let { Message.counting("courier.other-scopes", it) },
    refused.takeIf { it.isNotEmpty() }?.let {
        Message.counting("courier.refused", it.size.toLong(), "codes" to it.distinct().joinToString(", "))
    },
)
