package org.merestone

/** The people who work on this phone. Each has an own key here, made on this phone. */
public interface Observers {
    /** All of them, those who wait for a certificate too. */
    public suspend fun all(): List<Observer>

    /**
     * Makes a key that [passphrase] wraps and gives the request that the observer's party must certify. The key is unlocked.
     *
     * @throws MerestoneException.Refused if a name is empty or too long, or the passphrase empty
     */
    public suspend fun request(asked: Asked, passphrase: Passphrase): Enrolment

    /**
     * Makes a key in [vault], or one that [vault] wraps if it cannot sign.
     *
     * @throws MerestoneException.Provider if the vault fails; then nothing was made
     */
    public suspend fun request(asked: Asked, vault: KeyVault): Enrolment

    /** The request of [observer] once more; `null` if it is certified or was never asked for here. */
    public suspend fun requested(observer: ObserverKey): Enrolment?

    /**
     * Takes the certificate that a party answered with.
     *
     * @param certificate as text, from a QR code or a file
     * @throws MerestoneException.Refused if it is none, is of another mission or of a key that is not here
     */
    public suspend fun accept(certificate: String): Observer

    /**
     * Unlocks a key until [lock] or the phone is closed.
     *
     * A wrong passphrase is a result, not an exception. Trying one takes most of a second, on purpose.
     *
     * @throws MerestoneException.NotThere if no such key is here
     * @throws MerestoneException.Refused with code `passphrase` if the passphrase is empty
     */
    public suspend fun unlock(observer: ObserverKey, passphrase: Passphrase): Unlocking

    /**
     * Unlocks a key that [vault] holds or wraps. A vault that refuses is a result, not an exception.
     *
     * @throws MerestoneException.Provider with `isGone` if the vault lost the key: enrol anew, with `replaces`
     */
    public suspend fun unlock(observer: ObserverKey, vault: KeyVault): Unlocking

    /** Locks all keys. Drafts stay. */
    public suspend fun lock()

    /**
     * States that an observer goes on under another key of this phone. Both keys are unlocked and certified by one party.
     *
     * @throws MerestoneException.Locked if one of them is locked
     */
    public suspend fun succeed(old: ObserverKey, new: ObserverKey)

    /**
     * Signs, with the new key, a succession that the party signed in the place of a key that is lost.
     *
     * @param proposed the bytes that the officer handed over
     */
    public suspend fun acceptSuccession(proposed: ByteArray)
}

/** How unlocking a key went. */
public sealed interface Unlocking {
    /** It is unlocked. */
    public data object Unlocked : Unlocking

    /**
     * It is still locked.
     *
     * @property reason for a developer
     */
    public data class StillLocked(public val reason: String) : Unlocking
}

/**
 * An observer of this phone.
 *
 * @property name as the certificate says, or as was asked for
 * @property device the name of this phone in the certificate
 * @property party number of the certifying party; `null` before
 * @property role `observer`, `reviewer`, `arbiter`, `camp` or `auditor`; `null` before a certificate
 * @property scopes where the observer may sign
 * @property canSave whether records can be saved with it once it is unlocked
 */
public data class Observer(
    public val key: ObserverKey,
    public val name: String,
    public val device: String,
    public val state: ObserverState,
    public val party: Long?,
    public val role: String?,
    public val scopes: List<ScopeId>,
    public val canSave: Boolean,
    public val isUnlocked: Boolean,
)

/** How far an observer's enrolment is. */
public enum class ObserverState {
    /** A request was made, no certificate accepted. */
    REQUESTED,

    /** A party certified the key. */
    CERTIFIED,

    /** The party cut the key off; what it signs from then on is set aside everywhere. */
    CUT,
}

/**
 * What is asked of a party.
 *
 * @property observer the person's name, at most 64 bytes
 * @property device a name for this phone, at most 64 bytes
 * @property attestation what the phone's maker states of it, for example a certificate chain of the keystore; at most
 *   8 192 bytes, for the officer to see as a file beside the request
 * @property replaces a key of the same person that was lost or replaced
 */
public class Asked(
    public val observer: String,
    public val device: String,
    public val attestation: ByteArray? = null,
    public val replaces: ObserverKey? = null,
)

/**
 * A request for a certificate, to show to one's party.
 *
 * @property text the request itself, at most 1 200 characters; signed, not secret
 * @property words six words that the observer reads aloud: the officer's machine shows the same, or it read another request
 * @property qr [text] as a QR code; `null` if it does not fit into one
 */
public data class Enrolment(
    public val key: ObserverKey,
    public val text: String,
    public val words: List<String>,
    public val qr: QrCode?,
)
