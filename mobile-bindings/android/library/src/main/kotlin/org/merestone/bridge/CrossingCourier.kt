package org.merestone.bridge

import org.merestone.Courier
import org.merestone.CourierContents
import org.merestone.CourierOrder
import org.merestone.CourierRead
import org.merestone.CourierWritten
import org.merestone.ObserverKey
import org.merestone.ScopeId
import org.merestone.crossing.CourierOrderLine
import java.io.File
import org.merestone.crossing.Phone as RawPhone

internal class CrossingCourier(private val raw: RawPhone) : Courier {
    override suspend fun write(observer: ObserverKey, order: CourierOrder): CourierWritten =
        crossing { raw.writeCourier(observer.hex, order.raw()) }.run {
            CourierWritten(
                bytes = bytes.size(),
                statements = statements.size(),
                entries = entries.size(),
                blobs = blobs.size(),
                leftOut = leftOut.size(),
                damaged = damaged.size(),
            )
        }

    override suspend fun inspect(file: File): CourierContents = crossing { raw.inspectCourier(file.absolutePath) }.run {
        CourierContents(
            makerObserver = makerObserver,
            makerDevice = makerDevice,
            isMakerCut = isMakerCut,
            scopes = scopes.map(::ScopeId),
            bytes = bytes.size(),
            statements = statements.size(),
            entries = entries.size(),
            blobs = blobs.toLong(),
            leftOut = leftOut.size(),
            damaged = damaged.toLong(),
        )
    }

    override suspend fun read(observer: ObserverKey, file: File): CourierRead =
        crossing { raw.readCourier(observer.hex, file.absolutePath) }.run {
            CourierRead(
                entriesNew = entriesNew.size(),
                statementsNew = statementsNew.size(),
                blobsNew = blobsNew.size(),
                entriesOfOtherScopes = entriesOfOtherScopes.size(),
                refused = refused,
            )
        }
}

private fun CourierOrder.raw() =
    CourierOrderLine(file.absolutePath, madeFor?.hex, withoutOriginals, bytesMax?.counted("bytesMax"))
