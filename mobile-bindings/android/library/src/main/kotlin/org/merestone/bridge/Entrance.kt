package org.merestone.bridge

import org.merestone.KeyVault
import org.merestone.LogSink
import org.merestone.Phone
import org.merestone.PhoneHome
import org.merestone.PhoneSettings
import org.merestone.crossing.StoreSecret
import org.merestone.crossing.createPhone
import org.merestone.crossing.markerIn
import org.merestone.crossing.openPhone
import org.merestone.crossing.setLogSink
import org.merestone.crossing.version
import org.merestone.crossing.wipePhone
import java.io.File
import org.merestone.crossing.PhoneHome as RawHome
import org.merestone.crossing.PhoneSettings as RawSettings

/** The crossing's own functions. */
internal object Entrance {
    fun version(): String = crossing { org.merestone.crossing.version() }

    fun markerIn(folder: File): File = File(crossing { markerIn(folder.absolutePath) })

    suspend fun open(home: PhoneHome, settings: PhoneSettings): Phone =
        CrossingPhone(crossing { openPhone(home.raw(), settings.raw()) })

    suspend fun create(home: PhoneHome, charter: ByteArray, settings: PhoneSettings): Phone =
        CrossingPhone(crossing { createPhone(home.raw(), settings.raw(), charter) })

    suspend fun wipe(home: PhoneHome, vault: KeyVault?): List<File> =
        crossing { wipePhone(home.raw(), vault?.let(::OfferedVault)) }.map(::File)

    fun log(sink: LogSink?): Unit = setLogSink(sink?.let(::OfferedSink))
}

private fun PhoneHome.raw() = RawHome(folder.absolutePath, marker.absolutePath, StoreSecret(storeKey.bytes))

private fun PhoneSettings.raw() = RawSettings(
    offsetMin.coerceIn(Short.MIN_VALUE.toInt(), Short.MAX_VALUE.toInt()).toShort(),
    clock?.let(::OfferedClock),
    location?.let(::OfferedLocation),
    connectivity?.let(::OfferedConnectivity),
)
