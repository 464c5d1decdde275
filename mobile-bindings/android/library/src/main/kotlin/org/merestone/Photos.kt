package org.merestone

import java.io.File

/** Pictures of records. Camera files do not pass through the app's memory: they come and go by path. */
public interface Photos {
    /**
     * A thumbnail or preview, ready to decode.
     *
     * @return a JPEG, at most about 300 KiB of one that was made here; `null` if it is not on this phone (yet)
     * @throws MerestoneException.Refused with code `by-path` for what is larger than 1 MiB, as camera files are: use [saveTo]
     */
    public suspend fun picture(photo: PhotoHash): ByteArray?

    /**
     * Writes the bytes of any photo, checked against their hash.
     *
     * @param file must not exist yet
     * @throws MerestoneException.NotThere if the bytes are not on this phone (yet)
     * @throws MerestoneException.Refused with code `exists` if the file is there
     */
    public suspend fun saveTo(photo: PhotoHash, file: File)

    /**
     * Saves a copy of a photo with parts painted over, as a new record signed by [observer]. The original stays where it is.
     *
     * @param boxes what is painted over, in pixels of the upright picture
     * @param once for asking again
     */
    public suspend fun redact(
        observer: ObserverKey,
        record: RecordId,
        photo: PhotoHash,
        boxes: List<PixelBox>,
        once: SaveId? = null,
    ): Saved
}

/** A part of a picture, in pixels; [x] counts from the left, [y] from the top. */
public data class PixelBox(public val x: Int, public val y: Int, public val width: Int, public val height: Int)
