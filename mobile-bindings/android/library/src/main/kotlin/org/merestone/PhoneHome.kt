package org.merestone

import java.io.File
import java.util.TimeZone

/**
 * Where a phone keeps its things. One process at a time has a home open.
 *
 * @property folder the store and photos; in the app's own files, excluded from backups
 * @property marker a small file outside of [folder] in a place that no backup and no copy to another phone takes along
 *   (Android: `noBackupFilesDir`). If it is absent while the folder is there, the folder was copied, and the copy begins
 *   logs of its own: otherwise two phones would sign different entries for one position. [beside] makes one for tests and desktops.
 * @property storeKey for the store
 */
public class PhoneHome(public val folder: File, public val marker: File, public val storeKey: StoreKey) {
    public companion object {
        /** A home whose marker lies in [folder]: whoever copies the folder copies the marker too. */
        public fun beside(folder: File, storeKey: StoreKey): PhoneHome =
            PhoneHome(folder, Merestone.markerIn(folder), storeKey)
    }
}

/**
 * The key of a phone's store, for its encryption. Taken already and not used yet: what is stored is in clear.
 * Its bytes show in no log.
 *
 * @param bytes exactly 32, drawn once by a cryptographic generator and kept in the keystore
 */
public class StoreKey(bytes: ByteArray) {
    internal val bytes: ByteArray = bytes.copyOf()

    override fun toString(): String = "StoreKey(hidden)"
}

/**
 * What a phone asks the app while it works. All are called on worker threads.
 *
 * @property offsetMin minutes that local time is ahead of UTC, −1 440 to 1 440; written beside times. The system's zone by default
 * @property clock if absent the system's clock is used
 * @property location if absent, entries say no place
 * @property connectivity if absent, no link counts as metered
 */
public data class PhoneSettings(
    public val offsetMin: Int = TimeZone.getDefault().getOffset(System.currentTimeMillis()) / 60_000,
    public val clock: ClockProvider? = null,
    public val location: LocationProvider? = null,
    public val connectivity: ConnectivityProvider? = null,
)
