package org.merestone.terminal.views

import org.merestone.screens.UnlockScreen
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.Work
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size

/** Locks the keys, and asks who is there. */
class LockView(private val work: Work) : View(work.app.scope) {
    private val screen = UnlockScreen(work.app.phone, scope)
    private val locking = screen.lock()

    override val changes get() = screen.state

    override fun draw(size: Size): Drawing = Drawing(
        "Locking",
        listOf(Line("…")),
        notice = work.app.noticeOf(screen.state.value),
        isBusy = screen.state.value.isBusy,
    )

    override fun press(key: Key): Step = if (key == Key.Escape) Step.Back else Step.Stay

    override fun step(): Step {
        val isLocked = locking.isCompleted && screen.state.value.trouble == null
        return if (isLocked || !screen.state.value.isBusy) Step.Anew { UnlockView(work.app) } else Step.Stay
    }
}
