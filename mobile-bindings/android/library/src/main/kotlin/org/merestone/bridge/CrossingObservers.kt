package org.merestone.bridge

import org.merestone.Asked
import org.merestone.Enrolment
import org.merestone.KeyVault
import org.merestone.MerestoneException
import org.merestone.Observer
import org.merestone.ObserverKey
import org.merestone.ObserverState
import org.merestone.Observers
import org.merestone.Passphrase
import org.merestone.QrCode
import org.merestone.ScopeId
import org.merestone.Unlocking
import org.merestone.crossing.EnrolmentLine
import org.merestone.crossing.ObserverLine
import org.merestone.crossing.ObserverStanding
import org.merestone.crossing.QrLine
import org.merestone.crossing.Asked as RawAsked
import org.merestone.crossing.Phone as RawPhone

internal class CrossingObservers(private val raw: RawPhone) : Observers {
    override suspend fun all(): List<Observer> = crossing { raw.observers() }.map { it.told() }

    override suspend fun request(asked: Asked, passphrase: Passphrase): Enrolment =
        crossing { raw.request(asked.raw(), passphrase.text) }.told()

    override suspend fun request(asked: Asked, vault: KeyVault): Enrolment =
        crossing { raw.requestInVault(asked.raw(), OfferedVault(vault)) }.told()

    override suspend fun requested(observer: ObserverKey): Enrolment? = crossing { raw.requested(observer.hex) }?.told()

    override suspend fun accept(certificate: String): Observer = crossing { raw.accept(certificate) }.told()

    override suspend fun unlock(observer: ObserverKey, passphrase: Passphrase): Unlocking = try {
        crossing { raw.unlock(observer.hex, passphrase.text) }
        Unlocking.Unlocked
    } catch (locked: MerestoneException.Locked) {
        Unlocking.StillLocked(locked.reason)
    }

    override suspend fun unlock(observer: ObserverKey, vault: KeyVault): Unlocking = try {
        crossing { raw.unlockInVault(observer.hex, OfferedVault(vault)) }
        Unlocking.Unlocked
    } catch (locked: MerestoneException.Locked) {
        Unlocking.StillLocked(locked.reason)
    } catch (refused: MerestoneException.Provider) {
        if (refused.isGone) throw refused
        Unlocking.StillLocked(refused.reason)
    }

    override suspend fun lock(): Unit = crossing { raw.lock() }

    override suspend fun succeed(old: ObserverKey, new: ObserverKey): Unit = crossing { raw.succeed(old.hex, new.hex) }

    override suspend fun acceptSuccession(proposed: ByteArray): Unit = crossing { raw.acceptSuccession(proposed) }
}

private fun Asked.raw() = RawAsked(observer, device, attestation, replaces?.hex)

private fun EnrolmentLine.told() = Enrolment(ObserverKey(key), text, words, qr?.told())

internal fun QrLine.told() = QrCode(modules.count(), dark)

private fun ObserverLine.told() = Observer(
    key = ObserverKey(key),
    name = name,
    device = device,
    state = when (state) {
        ObserverStanding.REQUESTED -> ObserverState.REQUESTED
        ObserverStanding.CERTIFIED -> ObserverState.CERTIFIED
        ObserverStanding.CUT -> ObserverState.CUT
    },
    party = party?.toLong(),
    role = role,
    scopes = scopes.map(::ScopeId),
    canSave = canSave,
    isUnlocked = isUnlocked,
)
