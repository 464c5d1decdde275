package org.merestone.bridge

import org.merestone.ClockProvider
import org.merestone.ClockSource
import org.merestone.ConnectivityProvider
import org.merestone.KeyVault
import org.merestone.KeyVaultException
import org.merestone.LocationProvider
import org.merestone.LogLevel
import org.merestone.LogSink
import org.merestone.Place
import org.merestone.PlaceSource
import org.merestone.crossing.ClockKind
import org.merestone.crossing.ClockLine
import org.merestone.crossing.PlaceKind
import org.merestone.crossing.PlaceLine
import org.merestone.crossing.ProviderException
import org.merestone.crossing.ClockProvider as RawClock
import org.merestone.crossing.ConnectivityProvider as RawConnectivity
import org.merestone.crossing.KeyVault as RawVault
import org.merestone.crossing.KeyVaultException as RawVaultException
import org.merestone.crossing.LinkHint as RawHint
import org.merestone.crossing.LocationProvider as RawLocation
import org.merestone.crossing.LogLevel as RawLevel
import org.merestone.crossing.LogSink as RawSink

/**
 * What is told of something that the app's own code threw: of a [KeyVaultException] its reason, of anything else the class
 * alone, since its text may hold what belongs in no log. The generated code would hand over text and stack trace, and let an
 * [Error] pass by as if nothing had been thrown.
 */
private fun said(thrown: Throwable): String =
    (thrown as? KeyVaultException)?.message ?: "the app's code threw ${thrown.javaClass.simpleName}"

internal class OfferedVault(private val vault: KeyVault) : RawVault {
    override fun wrap(secret: ByteArray): ByteArray = asked { vault.wrap(secret) }

    override fun unwrap(wrapped: ByteArray): ByteArray = asked { vault.unwrap(wrapped) }

    override fun makeSigningKey(): ByteArray? = asked { vault.makeSigningKey() }

    override fun sign(key: ByteArray, message: ByteArray): ByteArray = asked { vault.sign(key, message) }

    override fun forget(key: ByteArray): Unit = asked { vault.forget(key) }

    private inline fun <T> asked(ask: () -> T): T = try {
        ask()
    } catch (gone: KeyVaultException.Gone) {
        throw RawVaultException.Gone(said(gone))
    } catch (thrown: Throwable) {
        throw RawVaultException.Refused(said(thrown))
    }
}

private inline fun <T> provided(ask: () -> T): T = try {
    ask()
} catch (thrown: Throwable) {
    throw ProviderException.Failed(said(thrown))
}

internal class OfferedClock(private val clock: ClockProvider) : RawClock {
    override fun read(): ClockLine = provided {
        val read = clock.read()
        val source = when (read.source) {
            ClockSource.DEVICE -> ClockKind.DEVICE
            ClockSource.SATELLITE -> ClockKind.SATELLITE
            ClockSource.NETWORK -> ClockKind.NETWORK
        }
        val offsetMin = read.offsetMin.coerceIn(Short.MIN_VALUE.toInt(), Short.MAX_VALUE.toInt()).toShort()
        ClockLine(read.wall.toEpochMilli(), read.uptimeMs.toULong(), read.boot, offsetMin, source)
    }
}

internal class OfferedLocation(private val location: LocationProvider) : RawLocation {
    override fun locate(): PlaceLine? = provided { location.locate()?.raw() }
}

internal class OfferedConnectivity(private val connectivity: ConnectivityProvider) : RawConnectivity {
    override fun hint(): RawHint = provided { connectivity.hint().let { RawHint(it.isMetered, it.isWifi) } }
}

internal class OfferedSink(private val sink: LogSink) : RawSink {
    override fun log(level: RawLevel, line: String) {
        val told = when (level) {
            RawLevel.ERROR -> LogLevel.ERROR
            RawLevel.WARNING -> LogLevel.WARNING
            RawLevel.INFO -> LogLevel.INFO
        }
        try {
            sink.log(told, line)
        } catch (_: Throwable) {
            // There is no other log to say it in.
        }
    }
}

private fun Place.raw(): PlaceLine {
    val kind = when (source) {
        PlaceSource.SATELLITE -> PlaceKind.SATELLITE
        PlaceSource.HAND -> PlaceKind.HAND
        PlaceSource.REGISTRY -> PlaceKind.REGISTRY
        PlaceSource.MOCKED -> PlaceKind.MOCKED
    }
    return PlaceLine(latitudeE7, longitudeE7, accuracyM.toULong(), kind)
}

internal fun PlaceLine.told(): Place {
    val told = when (source) {
        PlaceKind.SATELLITE -> PlaceSource.SATELLITE
        PlaceKind.HAND -> PlaceSource.HAND
        PlaceKind.REGISTRY -> PlaceSource.REGISTRY
        PlaceKind.MOCKED -> PlaceSource.MOCKED
    }
    return Place(latE7, lonE7, accuracyM.size(), told)
}

internal fun ClockKind.told(): ClockSource = when (this) {
    ClockKind.DEVICE -> ClockSource.DEVICE
    ClockKind.SATELLITE -> ClockSource.SATELLITE
    ClockKind.NETWORK -> ClockSource.NETWORK
}
