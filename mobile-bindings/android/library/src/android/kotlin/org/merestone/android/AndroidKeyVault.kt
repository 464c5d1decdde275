package org.merestone.android

import android.os.Build
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import android.security.keystore.StrongBoxUnavailableException
import android.security.keystore.UserNotAuthenticatedException
import org.merestone.KeyVault
import org.merestone.KeyVaultException
import java.security.GeneralSecurityException
import java.security.KeyPairGenerator
import java.security.KeyStore
import java.security.PrivateKey
import java.security.ProviderException
import java.security.Signature
import java.security.UnrecoverableKeyException
import java.security.spec.ECGenParameterSpec
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * Keys in Android's keystore.
 *
 * On Android 13 and newer the observer's Ed25519 key is made inside, if the phone's keystore has that curve; elsewhere it is
 * made in Rust and wrapped by an AES key that never leaves the keystore; from Android 9 on (API 28) that one lies in the
 * separate chip (StrongBox) where there is one.
 * Compiled against Android's classes; not run on a phone by this project's tests.
 *
 * @param alias names the keys of this vault among those of the app; another vault of the same alias is the same vault
 * @param confirmation whether a person must show a finger, a face or the screen lock
 */
public class AndroidKeyVault(private val alias: String, private val confirmation: Confirmation = Confirmation.None) :
    KeyVault {
    /** When a person must confirm. */
    public sealed interface Confirmation {
        /** Never. From Android 9 on (API 28) the keys work only while the phone is unlocked; below, always. */
        public data object None : Confirmation

        /**
         * Once in a while: within [seconds] of it the keys work. If it is longer ago, calls answer
         * [KeyVaultException.Refused]: show the system's `BiometricPrompt` and call again. The screen lock confirms as a
         * finger or a face does, so whoever knows its code can sign. Removing the screen lock makes the keys void
         * ([KeyVaultException.Gone]); enrolling another finger or face does not.
         */
        public data class Recent(public val seconds: Int) : Confirmation
    }

    private val store = KeyStore.getInstance(STORE).apply { load(null) }

    override fun wrap(secret: ByteArray): ByteArray = keystore {
        val cipher = Cipher.getInstance(AES).apply { init(Cipher.ENCRYPT_MODE, wrappingKey() ?: makeWrappingKey()) }
        cipher.iv + cipher.doFinal(secret)
    }

    override fun unwrap(wrapped: ByteArray): ByteArray = keystore {
        val key = wrappingKey() ?: throw KeyVaultException.Gone("the keystore has no such key")
        if (wrapped.size < NONCE_BYTES) throw KeyVaultException.Gone("the wrapped key is cut short")
        val cipher = Cipher.getInstance(AES)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, wrapped, 0, NONCE_BYTES))
        cipher.doFinal(wrapped, NONCE_BYTES, wrapped.size - NONCE_BYTES)
    }

    override fun makeSigningKey(): ByteArray? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU) return null
        return try {
            rawKey(signingAlias(System.nanoTime())) { makeSigningKey(it) }
        } catch (_: GeneralSecurityException) {
            null // This keystore does not have the curve.
        } catch (_: ProviderException) {
            null
        }
    }

    override fun sign(key: ByteArray, message: ByteArray): ByteArray = keystore {
        val name = signingAlias(key) ?: throw KeyVaultException.Gone("the keystore has no such key")
        Signature.getInstance(ED25519).run {
            initSign(store.getKey(name, null) as PrivateKey)
            update(message)
            sign()
        }
    }

    override fun forget(key: ByteArray): Unit = keystore { signingAlias(key)?.let(store::deleteEntry) }

    /** Removes all keys of this vault. What they wrapped or signed for cannot be opened or continued any more. */
    public fun forget() {
        store.aliases().asSequence().filter { it == wrappingAlias || it.startsWith(signingAlias) }.toList()
            .forEach(store::deleteEntry)
    }

    private val wrappingAlias get() = "$alias.wrap"
    private val signingAlias get() = "$alias.sign."

    private fun signingAlias(number: Long) = "$signingAlias$number"

    private fun signingAlias(key: ByteArray): String? =
        store.aliases().asSequence().firstOrNull { it.startsWith(signingAlias) && publicKey(it) contentEquals key }

    private fun wrappingKey(): SecretKey? = store.getKey(wrappingAlias, null) as SecretKey?

    private fun makeWrappingKey(): SecretKey = try {
        makeWrappingKey(Build.VERSION.SDK_INT >= Build.VERSION_CODES.P)
    } catch (_: StrongBoxUnavailableException) {
        makeWrappingKey(inStrongBox = false)
    }

    private fun makeWrappingKey(inStrongBox: Boolean): SecretKey {
        val spec = spec(wrappingAlias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(256)
        if (inStrongBox && Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) spec.setIsStrongBoxBacked(true)
        return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, STORE).apply {
            init(spec.build())
        }.generateKey()
    }

    private fun makeSigningKey(name: String) {
        // No StrongBox has this curve.
        val spec = spec(name, KeyProperties.PURPOSE_SIGN)
            .setAlgorithmParameterSpec(ECGenParameterSpec("ed25519"))
            .setDigests(KeyProperties.DIGEST_NONE)
        KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, STORE)
            .apply { initialize(spec.build()) }.generateKeyPair()
    }

    private fun spec(name: String, purposes: Int): KeyGenParameterSpec.Builder {
        val spec = KeyGenParameterSpec.Builder(name, purposes)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) spec.setUnlockedDeviceRequired(true)
        val recent = confirmation as? Confirmation.Recent ?: return spec
        spec.setUserAuthenticationRequired(true)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            val ways = KeyProperties.AUTH_BIOMETRIC_STRONG or KeyProperties.AUTH_DEVICE_CREDENTIAL
            spec.setUserAuthenticationParameters(recent.seconds, ways)
        } else {
            @Suppress("DEPRECATION")
            spec.setUserAuthenticationValidityDurationSeconds(recent.seconds)
        }
        return spec
    }

    private inline fun rawKey(name: String, make: (String) -> Unit): ByteArray? {
        make(name)
        return publicKey(name)
    }

    /** The 32 bytes at the end of an Ed25519 key's X.509 form. */
    private fun publicKey(name: String): ByteArray? =
        store.getCertificate(name)?.publicKey?.encoded?.takeLast(KEY_BYTES)?.toByteArray()

    private inline fun <T> keystore(ask: () -> T): T = try {
        ask()
    } catch (invalidated: KeyPermanentlyInvalidatedException) {
        throw KeyVaultException.Gone("the key was made void", invalidated)
    } catch (lost: UnrecoverableKeyException) {
        throw KeyVaultException.Gone("the key cannot be read", lost)
    } catch (changed: AEADBadTagException) {
        throw KeyVaultException.Gone("the wrapped key is of another vault, or damaged", changed)
    } catch (unconfirmed: UserNotAuthenticatedException) {
        throw KeyVaultException.Refused("a person must confirm", unconfirmed)
    } catch (failed: GeneralSecurityException) {
        throw KeyVaultException.Refused("the keystore failed", failed)
    } catch (failed: ProviderException) {
        throw KeyVaultException.Refused("the keystore failed", failed)
    }

    private companion object {
        const val STORE = "AndroidKeyStore"
        const val AES = "AES/GCM/NoPadding"
        const val ED25519 = "Ed25519"
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
        const val KEY_BYTES = 32
    }
}
