package org.merestone.bridge

import org.merestone.MerestoneException
import org.merestone.StorageFault
import java.nio.charset.CharacterCodingException
import java.util.concurrent.CancellationException
import org.merestone.crossing.InternalException as RawInternal
import org.merestone.crossing.PhoneException as RawException
import org.merestone.crossing.StorageFault as RawFault

/** One call over the crossing; what it throws becomes one of ours. */
internal inline fun <T> crossing(call: () -> T): T = try {
    call()
} catch (thrown: Exception) {
    throw translated(thrown)
}

/** What an app gets for what the generated code throws. Cancellation stays what it is. */
internal fun translated(thrown: Exception): Exception = when (thrown) {
    is CancellationException -> thrown

    is RawException -> translated(thrown)

    // Without its cause: that is a panic's own message, which may hold what belongs in no crash report.
    is RawInternal -> MerestoneException.Internal("the program made a mistake")

    is CharacterCodingException ->
        MerestoneException.Refused(MerestoneException.Refused.NOT_UNICODE, "a text is not Unicode", thrown)

    // What the generated code throws for an object that was closed, and nothing else.
    is IllegalStateException -> MerestoneException.Closed(isPaused = false, "it was closed", thrown)

    else -> thrown
}

private fun translated(thrown: RawException): MerestoneException = when (thrown) {
    is RawException.Locked -> MerestoneException.Locked(thrown.reason, thrown)

    is RawException.NotEnrolled -> MerestoneException.NotEnrolled(thrown.isCut, thrown.reason, thrown)

    is RawException.NotThere -> MerestoneException.NotThere(thrown.reason, thrown)

    is RawException.Refused -> MerestoneException.Refused(thrown.code, thrown.reason, thrown)

    is RawException.Storage -> MerestoneException.Storage(fault(thrown.fault), thrown.reason, thrown)

    is RawException.Unreachable ->
        MerestoneException.Unreachable(thrown.code, thrown.isWorthRetrying, thrown.reason, thrown)

    is RawException.Provider -> MerestoneException.Provider(thrown.isGone, thrown.reason, thrown)

    is RawException.Closed -> MerestoneException.Closed(thrown.isSuspended, thrown.reason, thrown)

    is RawException.Internal -> MerestoneException.Internal(thrown.reason, thrown)
}

private fun fault(fault: RawFault): StorageFault = when (fault) {
    RawFault.FULL -> StorageFault.FULL
    RawFault.DAMAGED -> StorageFault.DAMAGED
    RawFault.IN_USE -> StorageFault.IN_USE
    RawFault.NEWER -> StorageFault.NEWER
    RawFault.FAILED -> StorageFault.FAILED
}
