package org.merestone.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.LinkProperties
import android.net.Network
import android.net.NetworkCapabilities
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import org.merestone.ConnectivityProvider
import org.merestone.LinkHint

/**
 * What the system says of the default network. Needs `ACCESS_NETWORK_STATE`.
 *
 * Compiled against Android's classes; not run on a phone by this project's tests.
 */
public class AndroidConnectivity(context: Context) : ConnectivityProvider {
    private val connectivity = context.getSystemService(ConnectivityManager::class.java)

    override fun hint(): LinkHint {
        val capabilities = connectivity.getNetworkCapabilities(connectivity.activeNetwork)
        val isLocal = capabilities != null && LOCAL.any(capabilities::hasTransport)
        return LinkHint(isMetered = connectivity.isActiveNetworkMetered, isWifi = isLocal)
    }

    /** The default network's local address whenever it changes, for [org.merestone.Sync.networkChanged]. */
    public fun localAddresses(): Flow<String?> = callbackFlow {
        val callback = object : ConnectivityManager.NetworkCallback() {
            override fun onLinkPropertiesChanged(network: Network, link: LinkProperties) {
                trySend(link.linkAddresses.map { it.address }.firstOrNull { !it.isLinkLocalAddress }?.hostAddress)
            }

            override fun onLost(network: Network) {
                trySend(null)
            }
        }
        connectivity.registerDefaultNetworkCallback(callback)
        awaitClose { connectivity.unregisterNetworkCallback(callback) }
    }.buffer(Channel.CONFLATED).distinctUntilChanged()

    private companion object {
        val LOCAL = listOf(NetworkCapabilities.TRANSPORT_WIFI, NetworkCapabilities.TRANSPORT_ETHERNET)
    }
}
