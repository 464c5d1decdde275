package org.merestone.terminal

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import org.merestone.Merestone
import org.merestone.MerestoneException
import org.merestone.Phone
import org.merestone.PhoneHome
import org.merestone.PhoneSettings
import org.merestone.StoreKey
import org.merestone.screens.English
import org.merestone.screens.Trouble
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Keyboard
import org.merestone.terminal.tty.Terminal
import org.merestone.terminal.views.UnlockView
import java.io.File
import java.io.FileDescriptor
import java.io.FileInputStream
import java.io.PrintStream
import java.time.ZonedDateTime
import java.util.Locale
import kotlin.concurrent.thread
import kotlin.system.exitProcess

private const val HELP =
    """An inspector's day at a terminal: enrol, fill forms, settle conflicts, meet others, hand in.

Usage: merestone-terminal --home DIR [--charter FILE]

  --home DIR      Where this phone's records, photos and wrapped keys are.
  --charter FILE  The mission's charter.cbor: makes the phone the first time.

Everything else is said on the screen; Esc leads back, and what was answered is kept."""

/** Opens the phone and gives the screen to the person, until they leave. */
fun main(arguments: Array<String>) {
    val options = options(arguments.toList())
    if (options == null || System.console() == null) {
        System.err.println(
            if (options ==
                null
            ) {
                HELP
            } else {
                "merestone-terminal needs a terminal: its input and output are not one"
            },
        )
        exitProcess(EXIT_USAGE)
    }
    val error = runBlocking { open(options) { phone -> work(phone) } }
    error?.let { System.err.println(it) }
    exitProcess(if (error == null) 0 else 1)
}

private class Options(val home: File, val charter: File?)

private fun options(arguments: List<String>): Options? {
    val named = arguments.chunked(2).associate { it.first() to it.getOrNull(1) }
    if (named.keys.any { it != "--home" && it != "--charter" } || named.values.any { it == null }) return null
    val home = named["--home"] ?: return null
    return Options(File(home), named["--charter"]?.let(::File))
}

/** What went wrong, for the person; nothing when all went well. */
private suspend fun open(options: Options, work: suspend (Phone) -> Unit): String? {
    // A terminal has no keystore: this key is the one that the command line uses, and the store is in clear.
    val home = PhoneHome.beside(options.home, StoreKey(ByteArray(STORE_KEY_BYTES)))
    val settings = PhoneSettings(offsetMin = ZonedDateTime.now().offset.totalSeconds / SECONDS_IN_MINUTE)
    val phone =
        try {
            val isThere = options.home.list()?.isNotEmpty() ?: false
            when {
                isThere -> Merestone.open(home, settings)
                options.charter == null -> return NO_PHONE
                !options.charter.isFile -> return "There is no file ${options.charter}."
                else -> Merestone.create(home, options.charter.readBytes(), settings)
            }
        } catch (error: MerestoneException) {
            return English.book.say(Trouble.of(error).message)
        }
    try {
        work(phone)
    } finally {
        phone.shut()
    }
    return null
}

private suspend fun work(phone: Phone) {
    val terminal = Terminal(PrintStream(System.out, false, Charsets.UTF_8), System.getenv("NO_COLOR").isNullOrEmpty())
    val (keys, resized) = Pair(Channel<Key>(Channel.UNLIMITED), Channel<Unit>(Channel.CONFLATED))
    terminal.use {
        terminal.open()
        sun.misc.Signal.handle(sun.misc.Signal("WINCH")) { resized.trySend(Unit) }
        thread(isDaemon = true, name = "keyboard") { read(keys) }
        coroutineScope { play(phone, this, Stage(terminal, keys, resized)) }
    }
}

private suspend fun play(phone: Phone, scope: CoroutineScope, stage: Stage) {
    val app = App(phone, English.book, languages(), scope)
    stage.play(UnlockView(app), scope)
}

private fun read(keys: Channel<Key>) {
    val keyboard = Keyboard(FileInputStream(FileDescriptor.`in`))
    do {
        val key = keyboard.next()
        keys.trySend(key)
    } while (key != Key.Gone)
}

/** The person's language, as the system says, and English. */
private fun languages(): List<String> = listOf(Locale.getDefault().language, "en").filter { it.isNotEmpty() }.distinct()

private const val NO_PHONE = "There is no phone in that folder: name the mission's charter with --charter to make one."
private const val EXIT_USAGE = 64
private const val STORE_KEY_BYTES = 32
private const val SECONDS_IN_MINUTE = 60
