package org.merestone.terminal.views

import org.merestone.RecordSummary
import org.merestone.screens.RecordListScreen
import org.merestone.screens.RecordListState
import org.merestone.screens.at
import org.merestone.terminal.Step
import org.merestone.terminal.View
import org.merestone.terminal.Work
import org.merestone.terminal.tty.Drawing
import org.merestone.terminal.tty.Field
import org.merestone.terminal.tty.Ink
import org.merestone.terminal.tty.Key
import org.merestone.terminal.tty.Line
import org.merestone.terminal.tty.Size
import org.merestone.terminal.tty.Span
import org.merestone.terminal.tty.clip
import org.merestone.terminal.tty.columns
import org.merestone.terminal.tty.isLetter
import org.merestone.terminal.tty.line
import org.merestone.terminal.tty.plain
import java.time.Instant
import java.time.ZoneId
import java.time.format.DateTimeFormatter

/** The records of this phone, and the way to everything else. */
class HomeView(private val work: Work) : View(work.app.scope) {
    private val screen = RecordListScreen(work.app.phone, scope)
    private var search: Field? = null

    init {
        screen.open()
        screen.follow()
    }

    override val changes get() = screen.state

    override fun draw(size: Size): Drawing {
        val state = screen.state.value
        val body = mutableListOf<Line>()
        var cursor: Pair<Int, Int>? = null
        search?.let { field ->
            val (shown, column) = field.shown(size.columns - SEARCH.length - FIELD_MARGIN)
            cursor = Pair(0, SEARCH.length + column)
            body += listOf(line(Span(SEARCH, Ink.KEY), Span(shown)), Line())
        }
        if (search == null && state.isFiltered) body += listOf(Line(filterSaid(state), Ink.WARN), Line())
        val top = body.size
        body +=
            if (state.lines.isEmpty()) {
                listOf(Line(nothing(state), Ink.DIM))
            } else {
                state.lines.mapIndexed { index, record ->
                    record(record, index == state.at(), size.columns - 2, state)
                }
            }
        if (state.hasMore) body += Line("  …", Ink.DIM)
        val focus = if (cursor == null) top + state.at() else 0
        val aside = listOfNotNull(state.badge?.let(work.app::say), work.name).joinToString(" · ")
        return Drawing(
            "Records · ${work.mission}",
            body,
            aside,
            work.app.noticeOf(state),
            keys(),
            focus,
            state.isBusy,
            cursor,
        )
    }

    override fun press(key: Key): Step {
        search?.let { return pressSearching(it, key) }
        val state = screen.state.value
        when (key) {
            Key.Up -> {
                screen.move(-1)
            }

            Key.Down -> {
                screen.move(1)
            }

            Key.PageUp -> {
                screen.move(-PAGE)
            }

            Key.PageDown -> {
                screen.move(PAGE)
            }

            Key.Home -> {
                screen.move(-state.lines.size)
            }

            Key.Enter -> {
                state.lines.getOrNull(state.at())?.let { record ->
                    return Step.To { RecordView(work, record.id, record.title) }
                }
            }

            Key.Escape -> {
                if (state.isFiltered) screen.clear()
            }

            else -> {
                return pressLetter(key)
            }
        }
        return Step.Stay
    }

    private fun pressLetter(key: Key): Step = when {
        key.isLetter('n') -> {
            Step.To { StartView(work) }
        }

        key == Key.Typed("/") -> {
            Step.Stay.also {
                search =
                    Field(
                        screen.state.value.query.text
                            .orEmpty(),
                    )
            }
        }

        key.isLetter('f') -> {
            Step.To { filters() }
        }

        key.isLetter('s') -> {
            Step.To { SyncView(work) }
        }

        key.isLetter('k') -> {
            Step.To { CourierView(work) }
        }

        key.isLetter('c') -> {
            Step.To { CustodyView(work) }
        }

        key.isLetter('h') -> {
            Step.To { HandInView(work) }
        }

        key.isLetter('l') -> {
            Step.To { LockView(work) }
        }

        key.isLetter('q') -> {
            Step.Quit
        }

        else -> {
            Step.Stay
        }
    }

    private fun pressSearching(field: Field, key: Key): Step {
        when (key) {
            Key.Enter -> {
                search = null
            }

            Key.Escape -> {
                search = null
                screen.search("")
            }

            else -> {
                if (field.press(key)) screen.search(field.text)
            }
        }
        return Step.Stay
    }

    private fun filters(): View {
        val state = screen.state.value
        val forms =
            state.forms.distinctBy { it.kind }.map { form ->
                Item("Only: ${form.title}") { Step.Stay.also { screen.filter { copy(kind = form.kind) } } }
            }
        val items =
            listOf(
                Item("Everything that is not withdrawn", 'a') { Step.Stay.also { screen.clear() } },
                Item("Only records with a conflict", 'c') {
                    Step.Stay.also { screen.filter { copy(hasConflict = true) } }
                },
                Item("Withdrawn records too", 'w') { Step.Stay.also { screen.filter { copy(isWithdrawn = null) } } },
            )
        return ChoiceView(work.app, "Show", items + forms)
    }

    private fun filterSaid(state: RecordListState): String = listOfNotNull(
        state.query.text?.let { "“$it”" },
        state.query.kind?.let { kind -> state.forms.find { it.kind == kind }?.title ?: kind },
        "conflicts only".takeIf { state.query.hasConflict == true },
        "withdrawn too".takeIf { state.query.isWithdrawn == null },
    ).joinToString(", ", "Shown: ", "   (Esc shows everything)")

    private fun nothing(state: RecordListState): String = when {
        !state.isRead -> "Reading …"
        state.isFiltered -> "Nothing like that is on this phone."
        else -> "Nothing here yet. n begins an observation, s meets another phone."
    }

    private fun keys(): List<Pair<String, String>> = if (search != null) {
        listOf("Enter" to "keep the search", "Esc" to "show everything")
    } else {
        listOf(
            "Enter" to "open",
            "n" to "new or go on",
            "/" to "search",
            "f" to "filter",
            "s" to "sync",
            "k" to "courier",
            "c" to "custody",
            "h" to "hand in",
            "l" to "lock",
            "q" to "quit",
        )
    }

    private fun record(record: RecordSummary, isHere: Boolean, columns: Int, state: RecordListState): Line {
        val kind = state.forms.find { it.kind == record.kind }?.title ?: record.kind
        val marks =
            listOfNotNull(
                "conflict".takeIf { record.hasConflict },
                "withdrawn".takeIf { record.isWithdrawn },
                "${record.photos} ph.".takeIf { record.photos > 0 },
            ).joinToString(", ")
        val right = "$marks  ${record.observer}  ${said(record.updated)}"
        val room = (columns - right.columns - 3).coerceAtLeast(MIN_TITLE)
        val left = clip(plain("${record.title.ifEmpty { "(no text yet)" }} · $kind"), room)
        val gap = " ".repeat((columns - 2 - left.columns - right.columns).coerceAtLeast(1))
        val ink = if (isHere) Ink.PICKED else Ink.PLAIN
        return line(
            Span(if (isHere) "▸ " else "  ", Ink.KEY),
            Span(left, ink),
            Span(gap, ink),
            Span(marks, if (record.hasConflict && !isHere) Ink.WARN else ink),
            Span("  ${clip(plain(record.observer), NAME_MAX)}  ${said(record.updated)}", if (isHere) ink else Ink.DIM),
        )
    }

    private companion object {
        const val SEARCH = "Search: "
        const val PAGE = 10
        const val MIN_TITLE = 12
        const val NAME_MAX = 16
    }
}

/** A device's time of day in this place; the day too when it was another. */
internal fun said(time: Instant): String = TIME.format(time.atZone(ZoneId.systemDefault()))

private val TIME: DateTimeFormatter = DateTimeFormatter.ofPattern("dd.MM. HH:mm")
