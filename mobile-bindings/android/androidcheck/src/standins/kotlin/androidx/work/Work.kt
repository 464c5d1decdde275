// Stand-ins for what the example takes of androidx.work, which Maven Central does not have: shapes to compile against, as
// its documentation gives them. Nothing of them runs, and nothing of them is shipped.
@file:Suppress("UNUSED_PARAMETER", "unused")

package androidx.work

import android.content.Context
import java.util.concurrent.TimeUnit

class WorkerParameters

class Data {
    fun getString(key: String): String? = null
}

fun workDataOf(vararg pairs: Pair<String, Any?>): Data = Data()

abstract class CoroutineWorker(val applicationContext: Context, parameters: WorkerParameters) {
    val inputData: Data = Data()
    val runAttemptCount: Int = 0

    abstract suspend fun doWork(): Result

    class Result {
        companion object {
            fun success(): Result = Result()

            fun retry(): Result = Result()

            fun failure(): Result = Result()
        }
    }
}

enum class NetworkType { CONNECTED }

enum class BackoffPolicy { EXPONENTIAL }

enum class ExistingWorkPolicy { REPLACE }

class Constraints {
    class Builder {
        fun setRequiredNetworkType(type: NetworkType): Builder = this

        fun build(): Constraints = Constraints()
    }
}

class OneTimeWorkRequest {
    class Builder {
        fun setInputData(data: Data): Builder = this

        fun setConstraints(constraints: Constraints): Builder = this

        fun setBackoffCriteria(policy: BackoffPolicy, delay: Long, unit: TimeUnit): Builder = this

        fun build(): OneTimeWorkRequest = OneTimeWorkRequest()
    }
}

@Suppress("FunctionName")
inline fun <reified W : CoroutineWorker> OneTimeWorkRequestBuilder(): OneTimeWorkRequest.Builder =
    OneTimeWorkRequest.Builder()

class WorkManager {
    fun enqueueUniqueWork(name: String, policy: ExistingWorkPolicy, work: OneTimeWorkRequest) = Unit

    companion object {
        fun getInstance(context: Context): WorkManager = WorkManager()
    }
}
