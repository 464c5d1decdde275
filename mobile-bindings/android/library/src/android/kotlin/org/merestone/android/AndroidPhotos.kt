package org.merestone.android

import android.Manifest
import android.content.Context
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.graphics.ImageDecoder
import android.net.Uri
import android.os.Build
import android.provider.MediaStore
import org.merestone.PhotoFile
import java.io.File
import java.io.IOException
import java.util.UUID

/**
 * Photos for [org.merestone.Interview.attach].
 *
 * Let the camera write into [newCapture]: only a photo that this app took into its own files is sure to have its place.
 * What is chosen from the phone's gallery comes through the system, which takes the place out of it unless the person allowed
 * `ACCESS_MEDIA_LOCATION`; where it has none, the app is then told the warning `location-may-be-removed`.
 * Compiled against Android's classes; not run on a phone by this project's tests.
 */
public class AndroidPhotos(private val context: Context) {
    private val folder = File(context.filesDir, "captures").apply { mkdirs() }

    /** A new file for the camera, in the app's own files. Delete it once it is attached: the store has its copy. */
    public fun newCapture(): File = File(folder, "${UUID.randomUUID()}.jpg")

    /** What the camera wrote into [newCapture]. */
    public fun captured(file: File, caption: String? = null, question: String? = null): PhotoFile =
        PhotoFile(file, previewOf(file), caption, question, isAppCaptured = true)

    /**
     * A copy of a photo that a person chose, byte for byte as the system gives it. Reads and writes files.
     *
     * @throws IOException if the system does not give it
     */
    public fun chosen(photo: Uri, caption: String? = null, question: String? = null): PhotoFile {
        val file = File(folder, UUID.randomUUID().toString())
        val bytes =
            context.contentResolver.openInputStream(original(photo)) ?: throw IOException("the photo is not there")
        bytes.use { from -> file.outputStream().use { from.copyTo(it) } }
        return PhotoFile(file, previewOf(file), caption, question, isAppCaptured = false)
    }

    private fun original(photo: Uri): Uri {
        val isAllowed = Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q && photo.authority == MediaStore.AUTHORITY &&
            context.checkSelfPermission(Manifest.permission.ACCESS_MEDIA_LOCATION) == PackageManager.PERMISSION_GRANTED
        return if (isAllowed) MediaStore.setRequireOriginal(photo) else photo
    }

    /** A JPEG of a photo that cannot be decoded in Rust; `null` where none is needed or the system cannot either. */
    private fun previewOf(photo: File): File? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.P || !isHeif(photo)) return null
        val decoded = try {
            ImageDecoder.decodeBitmap(ImageDecoder.createSource(photo)) { decoder, info, _ ->
                val longest = maxOf(info.size.width, info.size.height)
                decoder.setTargetSampleSize((longest / PREVIEW_SIDE).coerceAtLeast(1))
                decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
            }
        } catch (_: IOException) {
            return null
        }
        val preview = File(photo.path + ".preview.jpg")
        preview.outputStream().use { decoded.compress(Bitmap.CompressFormat.JPEG, PREVIEW_QUALITY, it) }
        decoded.recycle()
        return preview
    }

    /** Whether it is a HEIC, HEIF or AVIF file: bytes 4 to 8 are `ftyp`. */
    private fun isHeif(photo: File): Boolean = photo.inputStream().use {
        val head = ByteArray(HEAD_BYTES)
        it.read(head) == HEAD_BYTES && String(head, 4, 4, Charsets.US_ASCII) == "ftyp"
    }

    private companion object {
        /** Larger than the largest preview that the store keeps. */
        const val PREVIEW_SIDE = 2048
        const val PREVIEW_QUALITY = 90
        const val HEAD_BYTES = 12
    }
}
