package org.merestone.android

import android.content.Context
import android.location.LocationManager
import android.os.SystemClock
import android.provider.Settings
import org.merestone.ClockProvider
import org.merestone.ClockReading
import org.merestone.ClockSource
import java.nio.ByteBuffer
import java.time.Instant
import java.time.ZoneId
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.nanoseconds

/**
 * A satellite's time where the phone has had a fix within [fixAge], counted on by the phone's own uptime; else the device's
 * clock.
 *
 * Compiled against Android's classes; not run on a phone by this project's tests.
 */
public class AndroidClock(private val context: Context, private val fixAge: Duration = 6.hours) : ClockProvider {
    override fun read(): ClockReading {
        val satellite = satelliteTime()
        val wall = satellite ?: Instant.now()
        return ClockReading(
            wall = wall,
            uptimeMs = SystemClock.elapsedRealtime(),
            boot = ByteBuffer.allocate(Long.SIZE_BYTES).putLong(starts()).array(),
            offsetMin = ZoneId.systemDefault().rules.getOffset(wall).totalSeconds / 60,
            source = if (satellite == null) ClockSource.DEVICE else ClockSource.SATELLITE,
        )
    }

    /** How often the phone was started; the system counts from its last reset. */
    private fun starts(): Long = Settings.Global.getInt(context.contentResolver, Settings.Global.BOOT_COUNT).toLong()

    private fun satelliteTime(): Instant? {
        val locations = context.getSystemService(LocationManager::class.java) ?: return null
        val fix = try {
            locations.getLastKnownLocation(LocationManager.GPS_PROVIDER)
        } catch (_: SecurityException) {
            null // The app may not know where it is, so it has no satellite's time either.
        }
        if (fix == null || fix.isMadeUp()) return null
        val age = (SystemClock.elapsedRealtimeNanos() - fix.elapsedRealtimeNanos).nanoseconds
        return if (age <= fixAge) Instant.ofEpochMilli(fix.time + age.inWholeMilliseconds) else null
    }
}
