package org.merestone.android

import android.content.Context
import android.location.Location
import android.location.LocationManager
import android.os.Build
import android.os.SystemClock
import org.merestone.LocationProvider
import org.merestone.Place
import org.merestone.PlaceSource
import kotlin.math.ceil
import kotlin.math.roundToInt
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.nanoseconds

/**
 * The last place that Android's own `LocationManager` knows, without Google's services.
 *
 * It never waits for a fix: ask the system for updates while a form is open, so that there is one.
 * Only the satellites' place is given: an entry cannot say that a place was guessed from radio masts.
 * Without the permission the entry says no place.
 * Compiled against Android's classes; not run on a phone by this project's tests.
 *
 * @param ageMax a place that was known longer ago is not given
 */
public class AndroidLocation(private val context: Context, private val ageMax: Duration = 2.minutes) :
    LocationProvider {
    override fun locate(): Place? {
        val locations = context.getSystemService(LocationManager::class.java) ?: return null
        return locations.getLastKnownLocation(LocationManager.GPS_PROVIDER)
            ?.takeIf { it.hasAccuracy() && age(it) <= ageMax }
            ?.place()
    }

    private fun age(location: Location) =
        (SystemClock.elapsedRealtimeNanos() - location.elapsedRealtimeNanos).nanoseconds
}

private fun Location.place() = Place(
    latitudeE7 = (latitude * 1e7).roundToInt(),
    longitudeE7 = (longitude * 1e7).roundToInt(),
    accuracyM = ceil(accuracy.toDouble()).toLong(),
    source = if (isMadeUp()) PlaceSource.MOCKED else PlaceSource.SATELLITE,
)

/** Whether the system says that an app made this place up. */
internal fun Location.isMadeUp(): Boolean = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
    isMock
} else {
    @Suppress("DEPRECATION")
    isFromMockProvider
}
