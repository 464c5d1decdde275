package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.merestone.Asked
import org.merestone.Enrolment
import org.merestone.KeyVault
import org.merestone.MerestoneException
import org.merestone.Observer
import org.merestone.ObserverKey
import org.merestone.ObserverState
import org.merestone.Passphrase
import org.merestone.Phone

/** How far the enrolment of an observer is. */
public data class EnrolState(
    /** The mission that the observer asks to join. */
    public val mission: String = "",
    /** What keeps the request from being made, beside its field. */
    public val wrong: Map<EnrolField, Message> = emptyMap(),
    /** What to show to the officer: text, QR code and six words to read aloud; nothing before it is asked. */
    public val enrolment: Enrolment? = null,
    /** What was handed over as a certificate and is none, and why. */
    public val refusal: Refusal? = null,
    /** The observer once certified: records can be saved. */
    public val certified: Observer? = null,
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState

/** A field of the request. */
public enum class EnrolField { OBSERVER, DEVICE, PASSPHRASE, AGAIN }

/**
 * Enrols an observer: makes a key and a request, shows it to the officer of a party, takes the certificate.
 *
 * Leaving in between loses nothing: [showAgain] shows the same request.
 *
 * @param vault where the key is kept if not under a passphrase
 * @param attestation what the phone's maker states about the keystore
 */
public class EnrolScreen(
    private val phone: Phone,
    scope: CoroutineScope,
    private val vault: KeyVault? = null,
    private val attestation: ByteArray? = null,
) : ScreenModel<EnrolState>(scope, EnrolState()) {
    /** Whether [askInVault] can be offered. */
    public val hasVault: Boolean get() = vault != null

    /** Reads the mission, and the request that is waiting for its certificate. To be called first. */
    public fun open(): Job = intent {
        val mission = phone.mission().name
        val waiting = phone.observers.all().lastOrNull { it.state == ObserverState.REQUESTED }
        val enrolment = waiting?.let { phone.observers.requested(it.key) }
        show { copy(mission = mission, enrolment = enrolment) }
    }

    /**
     * Makes a key under a passphrase, and the request.
     *
     * @param again the passphrase once more: a mistyped one could never be unlocked
     * @param replaces the observer's key before, which was lost or replaced
     */
    public fun ask(
        observer: String,
        device: String,
        passphrase: String,
        again: String,
        replaces: ObserverKey? = null,
    ): Job = lasting {
        val wrong = missing(observer, device).toMutableMap()
        if (passphrase.isEmpty()) wrong[EnrolField.PASSPHRASE] = Message("enrol.passphrase-missing")
        if (passphrase != again) wrong[EnrolField.AGAIN] = Message("enrol.passphrases-differ")
        asking(wrong) { phone.observers.request(asked(observer, device, replaces), Passphrase(passphrase)) }
    }

    /** Makes a key in the keystore, and the request. */
    public fun askInVault(observer: String, device: String, replaces: ObserverKey? = null): Job = lasting {
        val keys = vault ?: return@lasting
        asking(missing(observer, device)) { phone.observers.request(asked(observer, device, replaces), keys) }
    }

    /** Shows the request of an observer who waits for a certificate. */
    public fun showAgain(observer: ObserverKey): Job = intent {
        val enrolment = phone.observers.requested(observer)
        show { copy(enrolment = enrolment) }
    }

    /** Begins another request; the one that is shown stays valid. */
    public fun askAnother(): Unit = show { copy(enrolment = null, wrong = emptyMap()) }

    /** Takes the certificate, as it was typed, scanned or read from a file. */
    public fun accept(certificate: String): Job = lasting {
        if (certificate.isBlank()) {
            show { copy(refusal = Refusal(certificate, Message("enrol.certificate-missing"))) }
            return@lasting
        }
        try {
            val observer = phone.observers.accept(certificate.trim())
            show { copy(certified = observer, refusal = null) }
        } catch (refused: MerestoneException.Refused) {
            show { copy(refusal = Refusal(certificate, refusalMessage(refused))) }
        }
    }

    override fun EnrolState.marked(isBusy: Boolean, trouble: Trouble?): EnrolState =
        copy(isBusy = isBusy, trouble = trouble)

    private fun asked(observer: String, device: String, replaces: ObserverKey?) =
        Asked(observer.trim(), device.trim(), attestation, replaces)

    private fun missing(observer: String, device: String): Map<EnrolField, Message> = buildMap {
        if (observer.isBlank()) put(EnrolField.OBSERVER, Message("enrol.observer-missing"))
        if (device.isBlank()) put(EnrolField.DEVICE, Message("enrol.device-missing"))
    }

    private suspend fun asking(wrong: Map<EnrolField, Message>, request: suspend () -> Enrolment) {
        show { copy(wrong = wrong) }
        if (wrong.isNotEmpty()) return
        val enrolment = request()
        show { copy(enrolment = enrolment) }
    }
}
