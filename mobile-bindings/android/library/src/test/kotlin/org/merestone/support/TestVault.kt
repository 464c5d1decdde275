package org.merestone.support

import org.merestone.KeyVault
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.Signature
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.spec.GCMParameterSpec

/**
 * A keystore of the JVM: what an Android Keystore does, without the hardware.
 *
 * @param canSign whether it holds Ed25519 keys, or can only wrap
 */
class TestVault(private val canSign: Boolean = true) : KeyVault {
    private val wrapping = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey()
    private val signing = HashMap<String, KeyPair>()

    /** What each call does first. */
    @Volatile
    var before: () -> Unit = {}

    override fun wrap(secret: ByteArray): ByteArray {
        before()
        val cipher = Cipher.getInstance("AES/GCM/NoPadding").apply { init(Cipher.ENCRYPT_MODE, wrapping) }
        return cipher.iv + cipher.doFinal(secret)
    }

    override fun unwrap(wrapped: ByteArray): ByteArray {
        before()
        val cipher = Cipher.getInstance("AES/GCM/NoPadding")
        cipher.init(Cipher.DECRYPT_MODE, wrapping, GCMParameterSpec(128, wrapped, 0, 12))
        return cipher.doFinal(wrapped, 12, wrapped.size - 12)
    }

    @Synchronized
    override fun makeSigningKey(): ByteArray? {
        before()
        if (!canSign) return null
        val pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair()
        // The public half stands at the end of its X.509 form.
        val key = pair.public.encoded.takeLast(32).toByteArray()
        signing[key.joinToString()] = pair
        return key
    }

    /** How many signing keys it holds. */
    @get:Synchronized
    val held: Int get() = signing.size

    @Synchronized
    override fun forget(key: ByteArray) {
        signing.remove(key.joinToString())
    }

    @Synchronized
    override fun sign(key: ByteArray, message: ByteArray): ByteArray {
        before()
        val pair = signing.getValue(key.joinToString())
        return Signature.getInstance("Ed25519").run {
            initSign(pair.private)
            update(message)
            sign()
        }
    }
}
