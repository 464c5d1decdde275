package org.merestone

import java.io.File

/** Pictures of records. Camera files do not pass through the app's memory: they come and go by path. */
public interface Photos {
    /**
     * A thumbnail or preview, ready to decode.
     *
     * @return at most about 300 KiB of JPEG; `null` if it is not on this phone (yet)
     * @throws MerestoneException.Refused with code `by-path` for a camera file: use [saveTo]
     */
    public suspend fun picture(photo: PhotoHash): ByteArray?

    /**
     * Writes the bytes of any photo, checked against their hash.
     *
     * @param file must not exist yet
     * @throws MerestoneException.NotThere if the bytes are not on this phone (yet)
     */
    public suspend fun saveTo(photo: PhotoHash, file: File)

    /**
     * Publishes a copy of a photo with parts painted over, signed by [observer]. The original stays where it is.
     *
     * @param boxes what is painted over, in pixels of the upright picture
     */
    public suspend fun redact(observer: ObserverKey, record: RecordId, photo: PhotoHash, boxes: List<PixelBox>): Saved
}

/** A part of a picture, in pixels; [x] counts from the left, [y] from the top. */
public data class PixelBox(public val x: Int, public val y: Int, public val width: Int, public val height: Int)
