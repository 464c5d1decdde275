package org.merestone.bridge

import org.merestone.Caller
import org.merestone.Missing
import org.merestone.NearbyDevice
import org.merestone.Peer
import org.merestone.ScopeId
import org.merestone.SyncOptions
import org.merestone.SyncReport
import org.merestone.SyncState
import org.merestone.SyncTarget
import org.merestone.crossing.CallerLine
import org.merestone.crossing.MissingLine
import org.merestone.crossing.NearbyLine
import org.merestone.crossing.PeerLine
import org.merestone.crossing.SyncOptions as RawOptions
import org.merestone.crossing.SyncReport as RawReport
import org.merestone.crossing.SyncState as RawState
import org.merestone.crossing.SyncTarget as RawTarget

internal fun SyncTarget.raw(): RawTarget = when (this) {
    is SyncTarget.Ticket -> RawTarget.Ticket(text)
    is SyncTarget.Address -> RawTarget.Address(address, transportKey)
    is SyncTarget.Typed -> RawTarget.Typed(text)
    is SyncTarget.Nearby -> RawTarget.Peer(NearbyLine(device.transportKey, device.addresses, device.speaksOurs))
}

internal fun SyncOptions.raw() = RawOptions(
    stay,
    attemptsMax?.counted("attemptsMax"),
    originals,
    photoBytesMax?.counted("photoBytesMax"),
)

internal fun RawState.told() = SyncState(
    peer = peer?.told(),
    entriesSent = entriesSent.size(),
    entriesReceived = entriesReceived.size(),
    photosSent = photosSent.size(),
    photosReceived = photosReceived.size(),
    bytesSent = bytesSent.size(),
    bytesReceived = bytesReceived.size(),
    isFullySynced = isFullySynced,
)

private fun PeerLine.told() = Peer(party, observer, device, role, isCut)

internal fun RawReport.told() = SyncReport(
    state = state.told(),
    isFullySynced = isFullySynced,
    isSyncedAsWanted = isSyncedAsWanted,
    endCode = endCode,
    endSays = endSays,
    advice = advice,
    scopesNotShared = scopesNotShared.map(::ScopeId),
    missingLogs = missingLogs.count(),
    missingBodies = missingBodies.count(),
    missingPhotos = missingPhotos.count(),
    refused = refused,
    noReceipt = noReceipt,
    missingHere = missingHere.map { it.told() },
    missingThere = missingThere.map { it.told() },
    photosLeftOut = leftOut.size(),
    networkBytesSent = networkBytesSent.size(),
    networkBytesReceived = networkBytesReceived.size(),
)

private fun MissingLine.told() = Missing(observer, party, device, entries.size(), bodies.size(), photos.size())

internal fun NearbyLine.told() = NearbyDevice(transportKey, addresses, speaksOurs)

internal fun CallerLine.told() = Caller(address, connections.count(), state.told(), report?.told())
