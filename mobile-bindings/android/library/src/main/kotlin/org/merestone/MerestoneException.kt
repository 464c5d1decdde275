package org.merestone

/**
 * What went wrong, by what an app can do about it.
 *
 * The class and its fields are for the app; [reason] is for people, in English. It may name a file, a host, an id or an
 * observer's key, and repeats the reason of a [KeyVaultException]: keep it out of crash reports. No passphrase and no secret
 * key stands in it.
 * Cancellation is not among them: a cancelled coroutine gets its `CancellationException`.
 *
 * @property reason one sentence without a full stop
 */
public sealed class MerestoneException(public val reason: String, cause: Throwable? = null) :
    Exception(reason, cause) {
    /** The observer's key is locked: ask for the passphrase, or unlock the keystore, and call again. */
    public class Locked(reason: String, cause: Throwable? = null) : MerestoneException(reason, cause)

    /**
     * The key may not sign this: it has no certificate yet, none for this, or its party cut it.
     *
     * @property isCut whether the party cut the key: what was saved stays, and nothing new can be
     */
    public class NotEnrolled(public val isCut: Boolean, reason: String, cause: Throwable? = null) :
        MerestoneException(reason, cause)

    /** What was named is not on this phone. */
    public class NotThere(reason: String, cause: Throwable? = null) : MerestoneException(reason, cause)

    /**
     * What was handed over cannot be taken. Nothing changed and nothing was lost.
     *
     * @property code stable, for choosing what to say; `Merestone.explain` knows those that an audit uses too
     */
    public class Refused(public val code: String, reason: String, cause: Throwable? = null) :
        MerestoneException(reason, cause) {
        public companion object {
            /** [code] of a text that is not Unicode, for example half of a surrogate pair. */
            public const val NOT_UNICODE: String = "not-unicode"
        }
    }

    /**
     * The disk did not do what it should. What was saved before is sound, unless [fault] is [StorageFault.DAMAGED].
     *
     * @property fault what to do about it
     */
    public class Storage(public val fault: StorageFault, reason: String, cause: Throwable? = null) :
        MerestoneException(reason, cause)

    /**
     * The other device was not reached or not understood.
     *
     * @property code stable
     * @property isWorthRetrying whether the same call may go through later without anything being changed
     */
    public class Unreachable(
        public val code: String,
        public val isWorthRetrying: Boolean,
        reason: String,
        cause: Throwable? = null,
    ) : MerestoneException(reason, cause)

    /**
     * The app's own keystore, clock or other provider failed.
     *
     * @property isGone whether the key is gone for good; if not, the call may be repeated
     */
    public class Provider(public val isGone: Boolean, reason: String, cause: Throwable? = null) :
        MerestoneException(reason, cause)

    /**
     * The phone was closed, wiped or paused before the call or during it.
     *
     * @property isPaused whether [Phone.resume] makes it work again
     */
    public class Closed(public val isPaused: Boolean, reason: String, cause: Throwable? = null) :
        MerestoneException(reason, cause)

    /** A mistake of ours. The store is sound; please report it with [reason]. */
    public class Internal(reason: String, cause: Throwable? = null) : MerestoneException(reason, cause)
}

/** What the disk did. */
public enum class StorageFault {
    /** It is full; nothing of this call was kept. */
    FULL,

    /** Bytes are not what was written. What other devices have comes back with the next sync. */
    DAMAGED,

    /** Another process, or another [Phone] of this one, has the store open. */
    IN_USE,

    /** A newer version of the library wrote it: update the app. */
    NEWER,

    /** Anything else, for example a folder that cannot be written: open the phone again. */
    FAILED,
}
