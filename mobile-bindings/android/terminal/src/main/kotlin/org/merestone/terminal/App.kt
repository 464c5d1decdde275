package org.merestone.terminal

import kotlinx.coroutines.CoroutineScope
import org.merestone.ObserverKey
import org.merestone.Phone
import org.merestone.screens.Message
import org.merestone.screens.Phrasebook
import org.merestone.screens.ScreenState
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Line

/** What every view needs: the phone, the words, and the scope that they all live in. */
class App(
    val phone: Phone,
    val phrases: Phrasebook,
    /** Codes of the languages that the person reads, the best first. */
    val languages: List<String>,
    val scope: CoroutineScope,
) {
    fun say(message: Message): String = phrases.say(message)

    /** What is wrong. */
    fun noticeOf(state: ScreenState): List<Line> =
        listOfNotNull(state.trouble?.let { Line("! ${say(it.message)}", Ink.BAD) })

    /** Something that was not taken. */
    fun refused(message: Message): Line = Line("! ${say(message)}", Ink.BAD)
}

/** An observer at work in an app. */
class Work(val app: App, val observer: ObserverKey, val name: String, val mission: String)
