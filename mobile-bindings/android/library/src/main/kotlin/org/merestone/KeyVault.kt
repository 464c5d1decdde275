package org.merestone

/**
 * Where an observer's key is kept: the app's keystore.
 *
 * Called on worker threads, never on the main thread; may block (for a fingerprint, say) and may call back into the phone.
 * Throw [KeyVaultException]; anything else that is thrown counts as [KeyVaultException.Refused], and only its class is told.
 */
public interface KeyVault {
    /**
     * Makes [secret] unreadable for everyone but [unwrap] of this vault.
     *
     * @param secret at most 96 bytes; do not keep them
     * @return at most 896 bytes, which are kept beside the store; authenticated: changed bytes must not unwrap
     */
    public fun wrap(secret: ByteArray): ByteArray

    /**
     * Gives back what [wrap] got.
     *
     * @throws KeyVaultException.Gone if [wrapped] can never be read again, for example after a new fingerprint
     */
    public fun unwrap(wrapped: ByteArray): ByteArray

    /**
     * Makes an Ed25519 key that never leaves the vault.
     *
     * @return its public half, 32 bytes; or `null` if the vault can only wrap: then the key is made in Rust and wrapped
     */
    public fun makeSigningKey(): ByteArray?

    /**
     * Signs with a key that [makeSigningKey] made.
     *
     * @param key its public half, 32 bytes
     * @param message at most some kilobytes; neither hashed nor changed before signing
     * @return the Ed25519 signature, 64 bytes
     */
    public fun sign(key: ByteArray, message: ByteArray): ByteArray

    /**
     * Destroys the signing key with this public half, if it holds it: the phone of its observer is being wiped. Of a key that
     * it does not hold, nothing. What it wraps other secrets with stays. What is thrown keeps nothing from being wiped.
     *
     * A vault that only wraps has nothing to do.
     */
    public fun forget(key: ByteArray) {}
}

/** What a [KeyVault] throws. Its reason stands in the error that the app gets: no name and no secret belongs into it. */
public sealed class KeyVaultException(reason: String, cause: Throwable? = null) : Exception(reason, cause) {
    /** Not now: the person did not show a finger, or the device is locked. Asking again may work. */
    public class Refused(reason: String, cause: Throwable? = null) : KeyVaultException(reason, cause)

    /** Never again: the key was deleted or made void. */
    public class Gone(reason: String, cause: Throwable? = null) : KeyVaultException(reason, cause)
}

/**
 * An observer's passphrase. Its text shows in no log.
 *
 * @param text what the person typed
 */
public class Passphrase(internal val text: String) {
    override fun toString(): String = "Passphrase(hidden)"
}
