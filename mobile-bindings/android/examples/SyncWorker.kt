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
import org.merestone.MerestoneException
import org.merestone.ObserverKey
import org.merestone.Phone
import org.merestone.SyncTarget
import java.util.concurrent.TimeUnit

/**
 * Meets base camp when there is a network, also while the app is in the background.
 *
 * An example to copy: it is in no package and is not compiled by this project's tests, because androidx.work is not on Maven
 * Central. `OpenPhones` stands for wherever the app keeps its one open [Phone]; a key must be unlocked.
 * When the system stops the work, the coroutine is cancelled and the link ends; the next run goes on where this one was.
 */
class SyncWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    override suspend fun doWork(): Result {
        val phone: Phone = OpenPhones.current ?: return Result.retry()
        val observer = ObserverKey(inputData.getString(OBSERVER) ?: return Result.failure())
        val ticket = SyncTarget.Ticket(inputData.getString(TICKET) ?: return Result.failure())
        return try {
            val report = phone.sync.meetOnce(observer, ticket)
            if (report.isFullySynced) Result.success() else Result.retry()
        } catch (unreachable: MerestoneException.Unreachable) {
            if (unreachable.isWorthRetrying) Result.retry() else Result.failure()
        } catch (_: MerestoneException.Locked) {
            Result.failure() // The person must unlock first.
        } catch (closed: MerestoneException.Closed) {
            if (closed.isPaused) Result.retry() else Result.failure()
        }
    }

    companion object {
        private const val OBSERVER = "observer"
        private const val TICKET = "ticket"

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
