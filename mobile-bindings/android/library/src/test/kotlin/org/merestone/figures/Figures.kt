package org.merestone.figures

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import org.merestone.Answer
import org.merestone.Merestone
import org.merestone.PhotoFile
import org.merestone.RecordQuery
import org.merestone.support.Fixtures
import org.merestone.support.OtherProcess
import org.merestone.support.TestPhone
import org.merestone.support.folder
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.io.File
import java.lang.management.ManagementFactory
import javax.imageio.IIOImage
import javax.imageio.ImageIO
import javax.imageio.ImageWriteParam

/** Prints what the crossing costs on this machine. Not one of the tests: `figures.sh` runs it. */
class Figures {
    @Test
    fun print() = runBlocking {
        println("figure                                              measured    limit")
        TestPhone.make("Olena").use { olena ->
            fill(olena)
            callOverhead(olena)
            savingAPhoto(olena)
            syncing(olena)
            olena.phone.shut()
            coldOpen(olena)
        }
    }

    /** Ten thousand records and a hundred photos. */
    private suspend fun fill(olena: TestPhone) {
        val begun = System.nanoTime()
        coroutineScope {
            repeat(4) { worker ->
                launch(Dispatchers.Default) {
                    for (number in worker until RECORDS - PHOTOS step 4) olena.save("Post $number")
                }
            }
        }
        line("saving ${RECORDS - PHOTOS} records in one call each", since(begun) / (RECORDS - PHOTOS), "ms each")
        val photo = Fixtures.photo("orientation/landscape-1.jpg").readBytes()
        repeat(PHOTOS) { number ->
            val file = File(folder("photo"), "$number.jpg").apply { writeBytes(commented(photo, number)) }
            saveWithPhoto(olena, file, "Photo $number")
        }
        olena.phone.records.catchUp()
    }

    private suspend fun saveWithPhoto(olena: TestPhone, file: File, post: String) {
        val interview = olena.phone.drafts.begin(olena.observer, olena.mission.scope, olena.inspection().hash)
        interview.answer("post", Answer.Text(post))
        interview.attach(PhotoFile(file, isAppCaptured = true))
        interview.save()
    }

    private suspend fun callOverhead(olena: TestPhone) {
        val record = olena.phone.records.page(RecordQuery(), max = 1).lines.single().id
        call("Merestone.version") { Merestone.version }
        call("phone.isOpen") { olena.phone.isOpen }
        call("suspend observers.all") { olena.phone.observers.all() }
        call("suspend records.page of 1") { olena.phone.records.page(RecordQuery(), max = 1) }
        call("suspend records.page of 50") { olena.phone.records.page(RecordQuery(), max = 50) }
        call("suspend records.sheet") { olena.phone.records.sheet(record) }
    }

    /** Best of seven rounds, wall time of one call after warming up. */
    private suspend fun call(name: String, call: suspend () -> Unit) {
        repeat(2_000) { call() }
        val best = (1..7).minOf {
            val begun = System.nanoTime()
            repeat(500) { call() }
            since(begun) / 500 * 1_000
        }
        line("call: $name", best, "µs")
    }

    private suspend fun savingAPhoto(olena: TestPhone) {
        val file = File(folder("photo"), "five.jpg").apply { writeBytes(fiveMegabytes()) }
        val bytes = file.readBytes()
        val copies = (0 until 12).map { number ->
            File(file.path + number).apply { writeBytes(commented(bytes, number)) }
        }
        copies.take(2).forEach { saveWithPhoto(olena, it, "Warm") }
        val (attached, saved) = copies.drop(2).map { photo ->
            val interview = olena.phone.drafts.begin(olena.observer, olena.mission.scope, olena.inspection().hash)
            interview.answer("post", Answer.Text("Large"))
            val begun = cpuMs()
            interview.attach(PhotoFile(photo, isAppCaptured = true))
            val between = cpuMs()
            interview.save()
            between - begun to cpuMs() - between
        }.run { map { it.first }.average() to map { it.second }.average() }
        line("CPU of attaching a photo of ${file.length() / 100_000 / 10.0} MB, 12 megapixels", attached, "ms")
        line("CPU of attaching it and saving its entry", attached + saved, "ms", limit = 60.0)
    }

    /** In a JVM of its own with a small heap, so that what it holds is what the sync needs. */
    private suspend fun syncing(olena: TestPhone) {
        val answering = olena.phone.sync.answer(olena.observer, "127.0.0.1:0", isAdvertised = false)
        val guest = TestPhone.make("Piotr")
        guest.phone.shut()
        OtherProcess.start("sync", guest.folder.path, guest.observer.hex, answering.address).use {
            val (before, after, came) = it.line().split(' ').map(String::toLong)
            line("resident memory of a JVM that opened a phone", before / 1024.0, "MiB")
            line("its peak while $came entries and $PHOTOS photos came", after / 1024.0, "MiB", limit = 96.0)
            line("the difference", (after - before) / 1024.0, "MiB")
        }
        answering.stop()
    }

    private fun coldOpen(olena: TestPhone) {
        val rounds = (1..7).map {
            OtherProcess.start("time", olena.folder.path).use { it.line().split(' ').map(String::toDouble) }
        }
        fun median(column: Int) = rounds.map { it[column] }.sorted()[rounds.size / 2]
        line("new JVM: loading the library and the first call", median(0), "ms")
        line("opening a store of $RECORDS records (files in the system's cache)", median(1), "ms", limit = 150.0)
        line("the first page of 50 lines after it", median(2), "ms")
    }

    private fun line(name: String, value: Double, unit: String, limit: Double? = null) {
        val judged = limit?.let { "${if (value <= it) "within" else "OVER"} ${it.toInt()} $unit" }.orEmpty()
        println("%-52s%8.1f %-4s  %s".format(name, value, unit, judged))
    }

    private fun since(begun: Long) = (System.nanoTime() - begun) / 1e6

    private fun cpuMs(): Double =
        (ManagementFactory.getOperatingSystemMXBean() as com.sun.management.OperatingSystemMXBean).processCpuTime / 1e6

    /** The same picture in other bytes: a comment stands behind the first marker. */
    private fun commented(jpeg: ByteArray, number: Int): ByteArray {
        val text = "photo %08d".format(number).toByteArray()
        val comment = byteArrayOf(0xff.toByte(), 0xfe.toByte(), 0, (text.size + 2).toByte()) + text
        return jpeg.copyOfRange(0, 2) + comment + jpeg.copyOfRange(2, jpeg.size)
    }

    /** A photo of a usual phone's size, out of one of the external fixture set: 4,000 by 3,000 pixels, about 5 MB. */
    private fun fiveMegabytes(): ByteArray {
        val small = ImageIO.read(Fixtures.photo("phones/tnt-grand_canyon.jpg"))
        val large = BufferedImage(4_000, 3_000, BufferedImage.TYPE_INT_RGB)
        large.createGraphics().drawImage(small, 0, 0, large.width, large.height, null)
        return (100 downTo 40).asSequence().map { jpeg(large, it / 100f) }.first { it.size < 5_200_000 }
    }

    private fun jpeg(picture: BufferedImage, quality: Float): ByteArray {
        val writer = ImageIO.getImageWritersByFormatName("jpeg").next()
        val how = writer.defaultWriteParam.apply {
            compressionMode = ImageWriteParam.MODE_EXPLICIT
            compressionQuality = quality
        }
        val out = ByteArrayOutputStream()
        ImageIO.createImageOutputStream(out).use {
            writer.output = it
            writer.write(null, IIOImage(picture, null, null), how)
        }
        writer.dispose()
        return out.toByteArray()
    }

    private companion object {
        const val RECORDS = 10_000
        const val PHOTOS = 100
    }
}
