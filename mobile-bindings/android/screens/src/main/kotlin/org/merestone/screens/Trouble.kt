package org.merestone.screens

import org.merestone.MerestoneException
import org.merestone.Problem
import org.merestone.StorageFault

/**
 * Why something was not done, and what can be done about it.
 *
 * @property message what to say
 * @property remedy what an app offers beside it
 */
public data class Trouble(public val message: Message, public val remedy: Remedy) {
    public companion object {
        /** What an app says of an error of the library; any other is a mistake of the program. */
        public fun of(error: Throwable): Trouble = when (error) {
            is MerestoneException.Locked -> {
                Trouble(said("trouble.locked", error), Remedy.UNLOCK)
            }

            is MerestoneException.NotEnrolled -> {
                notEnrolled(error)
            }

            is MerestoneException.NotThere -> {
                Trouble(said("trouble.not-there", error), Remedy.NONE)
            }

            is MerestoneException.Refused -> {
                Trouble(refusalMessage(error), Remedy.NONE)
            }

            is MerestoneException.Storage -> {
                storage(error)
            }

            is MerestoneException.Unreachable -> {
                unreachable(error)
            }

            is MerestoneException.Provider -> {
                provider(error)
            }

            is MerestoneException.Closed -> {
                Trouble(said("trouble.closed", error), Remedy.REOPEN)
            }

            is MerestoneException.Internal -> {
                Trouble(said("trouble.internal", error), Remedy.REPORT)
            }

            else -> {
                Trouble(
                    Message("trouble.internal", mapOf("reason" to error.javaClass.simpleName)),
                    Remedy.REPORT,
                )
            }
        }

        private fun notEnrolled(error: MerestoneException.NotEnrolled) = if (error.isCut) {
            Trouble(said("trouble.cut", error), Remedy.SEE_OFFICER)
        } else {
            Trouble(said("trouble.not-enrolled", error), Remedy.ENROL)
        }

        private fun storage(error: MerestoneException.Storage): Trouble = when (error.fault) {
            StorageFault.FULL -> Trouble(said("trouble.full", error), Remedy.MAKE_ROOM)
            StorageFault.DAMAGED -> Trouble(said("trouble.damaged", error), Remedy.SYNC)
            StorageFault.IN_USE -> Trouble(said("trouble.in-use", error), Remedy.REOPEN)
            StorageFault.NEWER -> Trouble(said("trouble.newer", error), Remedy.UPDATE)
            StorageFault.FAILED -> Trouble(said("trouble.storage", error), Remedy.REOPEN)
        }

        private fun unreachable(error: MerestoneException.Unreachable): Trouble {
            val remedy = if (error.isWorthRetrying) Remedy.TRY_AGAIN else Remedy.NONE
            return Trouble(said("unreachable", error), remedy)
        }

        private fun provider(error: MerestoneException.Provider) = if (error.isGone) {
            Trouble(said("trouble.key-gone", error), Remedy.ENROL)
        } else {
            Trouble(said("trouble.provider", error), Remedy.TRY_AGAIN)
        }

        private fun said(code: String, error: MerestoneException) =
            Message(code, mapOf("reason" to error.reason), detail = error.reason)
    }
}

/** What can be done about a [Trouble]. */
public enum class Remedy {
    /** There is nothing to offer: the person does something else. */
    NONE,

    /** Ask for the passphrase, or unlock the keystore. */
    UNLOCK,

    /** Go to enrolment. */
    ENROL,

    /** Only the party's officer can help. */
    SEE_OFFICER,

    /** Make room on the disk. */
    MAKE_ROOM,

    /** Meet another device: what is damaged here comes again. */
    SYNC,

    /** Do the same once more. */
    TRY_AGAIN,

    /** Open the phone again. */
    REOPEN,

    /** Install a newer version of the app. */
    UPDATE,

    /** Tell the makers. */
    REPORT,
}

/** What to say of something that was not taken: the code's own sentence, or the library's. */
internal fun refusalMessage(refused: MerestoneException.Refused): Message =
    Message("refused.${refused.code}", mapOf("reason" to refused.reason), detail = refused.reason)

/** What to say of an answer that a rule of the form does not allow: the form's author's own words come first. */
internal fun problemMessage(problem: Problem): Message =
    Message("problem.${problem.code}", mapOf("reason" to problem.message), detail = problem.message)
