package org.merestone.bridge

import org.merestone.ObserverKey
import org.merestone.PhotoHash
import org.merestone.Photos
import org.merestone.PixelBox
import org.merestone.RecordId
import org.merestone.SaveId
import org.merestone.Saved
import org.merestone.crossing.PixelBoxLine
import java.io.File
import org.merestone.crossing.Phone as RawPhone

internal class CrossingPhotos(private val raw: RawPhone) : Photos {
    override suspend fun picture(photo: PhotoHash): ByteArray? = crossing { raw.picture(photo.hex) }

    override suspend fun saveTo(photo: PhotoHash, file: File): Unit =
        crossing { raw.savePhoto(photo.hex, file.absolutePath) }

    override suspend fun redact(
        observer: ObserverKey,
        record: RecordId,
        photo: PhotoHash,
        boxes: List<PixelBox>,
        once: SaveId?,
    ): Saved = crossing { raw.redact(observer.hex, record.hex, photo.hex, boxes.map { it.raw() }, once?.hex) }.told()
}

private fun PixelBox.raw() =
    PixelBoxLine(x.counted("x"), y.counted("y"), width.counted("width"), height.counted("height"))
