package org.example.merestone

import android.content.Context
import androidx.work.BackoffPolicy
import androidx.work.Constraints
import androidx.work.CoroutineWorker
import androidx.work.ExistingWorkPolicy
import androidx.work.NetworkType
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import androidx.work.workDataOf
import org.merestone.KeyVaultException
import org.merestone.MerestoneException
import org.merestone.ObserverKey
import org.merestone.Phone
import org.merestone.SyncReport
import org.merestone.SyncTarget
import org.merestone.Unlocking
import java.util.concurrent.TimeUnit

/**
 * Meets base camp when there is a network, also while the app is in the background or its process was ended: then it opens
 * the phone by itself. The observer's key must be one that the keystore gives without a person, and the screen be unlocked
 * (see [Phones.vault]); where only a person can help it fails, and the app asks anew when the person is there.
 *
 * An example to copy: it is in no package, and compiled here against stand-ins for androidx.work.
 * When the system stops the work, the coroutine is cancelled and the link ends; the next run goes on where this one was.
 */
class SyncWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    override suspend fun doWork(): Result {
        val observer = ObserverKey(inputData.getString(OBSERVER) ?: return Result.failure())
        val ticket = SyncTarget.Ticket(inputData.getString(TICKET) ?: return Result.failure())
        val phones = (applicationContext as BorderApp).phones
        return try {
            val phone = phones.open() ?: return Result.failure()
            if (!phone.isUnlocked(observer, phones)) return Result.failure()
            graded(phone.sync.meetOnce(observer, ticket))
        } catch (unreachable: MerestoneException.Unreachable) {
            if (unreachable.isWorthRetrying) again() else Result.failure()
        } catch (closed: MerestoneException.Closed) {
            if (closed.isPaused) again() else Result.failure()
        } catch (_: MerestoneException) {
            // Locked, cut, a ticket that is none, a full disk: the app says it when it meets in the foreground.
            Result.failure()
        } catch (_: KeyVaultException) {
            Result.failure() // The store's key, with the screen locked.
        }
    }

    private suspend fun Phone.isUnlocked(observer: ObserverKey, phones: Phones): Boolean {
        val here = observers.all().find { it.key == observer } ?: return false
        return here.isUnlocked || observers.unlock(observer, phones.vault) == Unlocking.Unlocked
    }

    /** What this link was to bring is enough: on a metered one camera files wait, and no run would ever bring them. */
    private fun graded(report: SyncReport): Result = when {
        report.isSyncedAsWanted -> Result.success()
        report.endCode in PASSING -> again()
        else -> Result.failure()
    }

    private fun again(): Result = if (runAttemptCount < ATTEMPTS_MAX) Result.retry() else Result.failure()

    companion object {
        private const val OBSERVER = "observer"
        private const val TICKET = "ticket"

        /** Waiting doubles from half a minute on: some four hours. */
        private const val ATTEMPTS_MAX = 9

        /** Ends of a meeting that another one may do without. */
        private val PASSING = setOf("done", "stopped", "link-lost", "link-aborted", "busy", "too-slow")

        /** Asks the system to sync soon; asking again replaces what was asked. */
        fun ask(context: Context, observer: ObserverKey, ticket: String) {
            val work = OneTimeWorkRequestBuilder<SyncWorker>()
                .setInputData(workDataOf(OBSERVER to observer.hex, TICKET to ticket))
                .setConstraints(Constraints.Builder().setRequiredNetworkType(NetworkType.CONNECTED).build())
                .setBackoffCriteria(BackoffPolicy.EXPONENTIAL, 30, TimeUnit.SECONDS)
                .build()
            WorkManager.getInstance(context).enqueueUniqueWork("merestone-sync", ExistingWorkPolicy.REPLACE, work)
        }
    }
}
