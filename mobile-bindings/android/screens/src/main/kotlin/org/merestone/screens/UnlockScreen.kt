package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.merestone.KeyVault
import org.merestone.Observer
import org.merestone.ObserverKey
import org.merestone.Passphrase
import org.merestone.Phone
import org.merestone.Unlocking

/** Who can work on this phone, and whose key is unlocked. */
public data class UnlockState(
    public val mission: String = "",
    public val observers: List<Observer> = emptyList(),
    /** The one whose passphrase is asked for. */
    public val chosen: ObserverKey? = null,
    /** Why the key of [chosen] is still locked; nothing before the first try. */
    public val refusal: Message? = null,
    /** Whose key was unlocked: go on as this observer. */
    public val unlocked: ObserverKey? = null,
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState {
    /** The one that is chosen. */
    public val observer: Observer? get() = observers.find { it.key == chosen }

    /** Whether nobody ever enrolled on this phone: go to enrolment. */
    public val isNobodyHere: Boolean get() = mission.isNotEmpty() && observers.isEmpty()
}

/**
 * Chooses an observer and unlocks the key.
 *
 * @param vault where keys are that no passphrase wraps; nothing on a phone without a keystore
 */
public class UnlockScreen(private val phone: Phone, scope: CoroutineScope, private val vault: KeyVault? = null) :
    ScreenModel<UnlockState>(scope, UnlockState()) {
    /** Whether [unlockInVault] can be offered. */
    public val hasVault: Boolean get() = vault != null

    /** Reads who is here. To be called first, and when a certificate was accepted. An only observer is chosen. */
    public fun open(): Job = intent {
        val (mission, observers) = Pair(phone.mission(), phone.observers.all())
        show {
            val chosen = chosen ?: observers.singleOrNull()?.key ?: observers.singleOrNull { it.canSave }?.key
            copy(mission = mission.name, observers = observers, chosen = chosen)
        }
    }

    /** Chooses whose key to unlock. */
    public fun choose(observer: ObserverKey): Unit = show { copy(chosen = observer, refusal = null) }

    /** Unlocks the chosen key. A wrong passphrase is said in the state; trying takes most of a second. */
    public fun unlock(passphrase: String): Job = unlocking { phone.observers.unlock(it, Passphrase(passphrase)) }

    /** Unlocks the chosen key in the keystore, which asks for a finger or a face by itself. */
    public fun unlockInVault(): Job = unlocking { key -> vault?.let { phone.observers.unlock(key, it) } }

    /** Locks all keys; drafts stay. */
    public fun lock(): Job = intent {
        phone.observers.lock()
        show { copy(unlocked = null, refusal = null) }
    }

    override fun UnlockState.marked(isBusy: Boolean, trouble: Trouble?): UnlockState =
        copy(isBusy = isBusy, trouble = trouble)

    private fun unlocking(unlock: suspend (ObserverKey) -> Unlocking?): Job = intent {
        val key = now.chosen ?: return@intent
        show { copy(refusal = null) }
        when (val outcome = unlock(key)) {
            null -> {
                Unit
            }

            Unlocking.Unlocked -> {
                show { copy(unlocked = key) }
            }

            is Unlocking.StillLocked -> {
                show { copy(refusal = Message("unlock.refused", mapOf("reason" to outcome.reason))) }
            }
        }
    }
}
