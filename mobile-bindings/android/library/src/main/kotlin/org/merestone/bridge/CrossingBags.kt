package org.merestone.bridge

import org.merestone.BagWritten
import org.merestone.Bags
import org.merestone.ScopeId
import java.io.File
import org.merestone.crossing.Phone as RawPhone

internal class CrossingBags(private val raw: RawPhone) : Bags {
    override suspend fun write(folder: File, scopes: List<ScopeId>?): BagWritten =
        crossing { raw.writeBag(folder.absolutePath, scopes?.map { it.hex }) }.run {
            BagWritten(
                logs = logs.size(),
                entries = entries.size(),
                photos = photos.size(),
                notes = notes.size(),
                leaves = leaves.size(),
                files = files.size(),
                bytes = bytes.size(),
                leftOut = leftOut,
            )
        }
}
