package org.example.merestone

import android.Manifest.permission.ACCESS_FINE_LOCATION
import android.Manifest.permission.CAMERA
import android.app.Activity
import android.app.Application
import android.content.Context
import android.net.wifi.WifiManager
import android.os.Bundle
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import org.merestone.KeyVaultException
import org.merestone.Merestone
import org.merestone.MerestoneException
import org.merestone.NearbyDevice
import org.merestone.ObserverKey
import org.merestone.Phone
import org.merestone.PhoneHome
import org.merestone.PhoneSettings
import org.merestone.android.AndroidClock
import org.merestone.android.AndroidConnectivity
import org.merestone.android.AndroidHome
import org.merestone.android.AndroidKeyVault
import org.merestone.android.AndroidLocation

/** What an app needs around the library, to copy. It has one phone, open for as long as its process lives. */
class BorderApp : Application() {
    private val scope = MainScope()
    val phones: Phones by lazy { Phones(this) }

    override fun onCreate() {
        super.onCreate()
        Merestone.log { level, line -> android.util.Log.println(level.priority, "merestone", line) }
        scope.launch {
            AndroidConnectivity(this@BorderApp).localAddresses().collect(::moveMeetings)
        }
    }

    /** Without it a meeting goes on once its link timed out, so that nothing is lost where it fails. */
    private suspend fun moveMeetings(local: String?) {
        try {
            phones.ifOpen()?.sync?.networkChanged(local)
        } catch (notMoved: MerestoneException) {
            android.util.Log.w("merestone", "meetings stay on the old network: ${notMoved.javaClass.simpleName}")
        }
    }
}

/** The app's one [Phone]: screens and workers of the process share it, because a store has one opener at a time. */
class Phones(private val context: Context) {
    /** Keys of people. Without a confirmation, a worker can use them while the screen is unlocked. */
    val vault: AndroidKeyVault = AndroidKeyVault("observers")

    private val storeVault = AndroidKeyVault("store")
    private val turn = Mutex()
    private var opened: Phone? = null

    /** The phone, opened at the first call; `null` where none was made yet: ask for the mission's charter and [make] one. */
    suspend fun open(): Phone? = turn.withLock {
        opened ?: try {
            Merestone.open(home(), settings()).also { opened = it }
        } catch (_: MerestoneException.NotThere) {
            null
        }
    }

    /** Makes the phone of the mission that [charter] founds. */
    suspend fun make(charter: ByteArray): Phone =
        turn.withLock { Merestone.create(home(), charter, settings()).also { opened = it } }

    /** Removes everything that this app holds of the mission, keys first. What no other device has is lost. */
    suspend fun wipe(): Unit = turn.withLock {
        opened?.wipe() ?: Merestone.wipe(home(), vault)
        opened = null
        withContext(Dispatchers.IO) {
            listOf(vault, storeVault).forEach { it.forget() }
            AndroidHome.forget(context)
        }
    }

    /** The phone, where it is open. */
    suspend fun ifOpen(): Phone? = turn.withLock { opened?.takeIf { it.isOpen } }

    /** Off the main thread: the keystore may take its time. */
    private suspend fun home(): PhoneHome = withContext(Dispatchers.IO) { AndroidHome.of(context, storeVault) }

    private fun settings() = PhoneSettings(
        clock = AndroidClock(context),
        location = AndroidLocation(context),
        connectivity = AndroidConnectivity(context),
    )
}

/** The screen that the app begins with. */
class MainActivity : Activity() {
    private val scope = MainScope()

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        // Without them entries say no place, and photos are chosen instead of taken.
        requestPermissions(arrayOf(ACCESS_FINE_LOCATION, CAMERA), 0)
        scope.launch {
            title = try {
                (application as BorderApp).phones.open()?.mission()?.name ?: "Choose the mission's charter"
            } catch (notOpened: MerestoneException) {
                notOpened.reason
            } catch (_: KeyVaultException) {
                "The keystore did not answer: open the app again"
            }
        }
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }
}

/** [org.merestone.Sync.nearby] on Wi-Fi: without the lock, the system drops what other phones say. */
fun Context.nearby(phone: Phone, observer: ObserverKey): Flow<NearbyDevice> = flow {
    val lock = getSystemService(WifiManager::class.java).createMulticastLock("merestone")
    lock.acquire()
    try {
        emitAll(phone.sync.nearby(observer))
    } finally {
        lock.release()
    }
}

private val org.merestone.LogLevel.priority
    get() = when (this) {
        org.merestone.LogLevel.ERROR -> android.util.Log.ERROR
        org.merestone.LogLevel.WARNING -> android.util.Log.WARN
        org.merestone.LogLevel.INFO -> android.util.Log.INFO
    }
