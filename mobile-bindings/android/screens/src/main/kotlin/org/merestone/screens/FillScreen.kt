package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.merestone.DraftId
import org.merestone.FormHash
import org.merestone.FormLanguage
import org.merestone.Interview
import org.merestone.MerestoneException
import org.merestone.ObserverKey
import org.merestone.Phone
import org.merestone.RecordId
import org.merestone.Saved
import org.merestone.ScopeId

/** What to fill. */
public sealed interface FillStart {
    /** A new record. */
    public data class New(public val scope: ScopeId, public val form: FormHash) : FillStart

    /** A draft that was left. */
    public data class GoOn(public val draft: DraftId) : FillStart

    /** A change of a record. */
    public data class Edit(public val record: RecordId) : FillStart
}

/** How a filling ended. */
public sealed interface FillEnd {
    /** Signed and durable. */
    public data class Done(public val saved: Saved) : FillEnd

    /** Left; the draft is there for the next time. */
    public data object Left : FillEnd

    /** The draft was thrown away. */
    public data object Discarded : FillEnd
}

/** A form that is being filled. */
public data class FillState(
    /** The form's title; empty while it is being opened. */
    public val title: String = "",
    /** The draft, to go on with after a restart. */
    public val draft: DraftId? = null,
    /** Whether a record is changed, rather than a new one made. */
    public val isEdit: Boolean = false,
    public val languages: List<FormLanguage> = emptyList(),
    /** Which of them is shown; none for a form without languages. */
    public val language: Int? = null,
    /** Whether the form's words are written from right to left. */
    public val isRightToLeft: Boolean = false,
    /** What is asked now; nothing while the form is being opened. */
    public val page: Page? = null,
    /** All questions, while the person looks at them to jump to one. */
    public val overview: List<OverviewLine>? = null,
    /** Nothing while it goes on. */
    public val end: FillEnd? = null,
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState

/**
 * Fills a form with a person, one page at a time.
 *
 * Every answer is durable when its intent is done; leaving, being killed and coming back lose nothing. What the form does
 * not take is said beside the question and what stood there stays; what it finds wrong is said once and can be left so.
 *
 * @param languages codes of the languages that the person reads, the best first: the first that the form has is shown
 */
public class FillScreen(
    private val phone: Phone,
    private val observer: ObserverKey,
    private val start: FillStart,
    scope: CoroutineScope,
    private val languages: List<String> = emptyList(),
) : ScreenModel<FillState>(scope, FillState()) {
    private var interview: Interview? = null
    private val walk get() = interview?.let(::Walk)

    /** Opens the form, at the first question that is not answered. To be called first. */
    public fun open(): Job = intent {
        val opened =
            interview ?: when (start) {
                is FillStart.New -> phone.drafts.begin(observer, start.scope, start.form)
                is FillStart.GoOn -> phone.drafts.goOn(start.draft)
                is FillStart.Edit -> phone.drafts.beginEdit(observer, start.record)
            }
        interview = opened
        val info = opened.info()
        val language = languages.firstNotNullOfOrNull { wanted -> info.form.languages.indexOfCode(wanted) }
        if (language != null) opened.speak(language)
        show {
            copy(
                title = info.form.title,
                draft = info.draft,
                isEdit = info.record != null,
                languages = info.form.languages,
            ).speaking(language ?: info.language ?: info.form.defaultLanguage)
        }
        turnTo(Walk(opened).from(if (start is FillStart.GoOn) info.firstOpen else 0))
    }

    /** Answers the question of the page with what was typed; nothing typed leaves it blank. */
    public fun answer(typed: String): Job = lasting { take(typed) }

    /** [answer], then [next] if it was taken. */
    public fun answerAndGoOn(typed: String): Job = lasting {
        val wasShown = questionPage()?.let { it.isProblemShown && it.question.typed == typed } ?: false
        if (take(typed) && (wasShown || questionPage()?.problem == null)) goOn()
    }

    /** Chooses a choice of the page's question by name; one that is chosen is no more chosen, except where it is one of some. */
    public fun choose(name: String): Job = lasting {
        val question = questionPage()?.question?.takeIf { it.input.isChoosing } ?: return@lasting
        val chosen = question.typed.split(' ').filter { it.isNotEmpty() }
        take(
            when {
                question.input == Input.ONE_OF -> {
                    name
                }

                name in chosen -> {
                    (chosen - name).joinToString(" ")
                }

                question.input == Input.ORDER -> {
                    (chosen + name).joinToString(" ")
                }

                else -> {
                    question.choices
                        .map { it.name }
                        .filter { it == name || it in chosen }
                        .joinToString(" ")
                }
            },
        )
    }

    /** The next page. Where something is wrong with the answer, that is said first, once. */
    public fun next(): Job = intent { goOn() }

    /** The page before. */
    public fun back(): Job = turning { walk, page -> walk.before(page.at) }

    /** The page of a question, by key or name; nothing happens where it is not asked. */
    public fun jump(key: String): Job = turning { walk, page -> walk.at(key) ?: page }

    /** The end of the form: what is still wrong, and saving. */
    public fun toEnd(): Job = turning { walk, _ -> walk.from(Int.MAX_VALUE) }

    /** Shows all questions, to [jump] to one. */
    public fun openOverview(): Job = intent { walk?.overview()?.let { show { copy(overview = it) } } }

    /** Goes back from them. */
    public fun closeOverview(): Unit = show { copy(overview = null) }

    /** Adds the row that the page offers, and goes to its first question. */
    public fun addRow(): Job = lasting {
        val page = now.page as? RowPage ?: return@lasting
        interview?.addRow(page.repeat, page.within)
        // The new row stands where its offer stood.
        walk?.let { turnTo(it.from(page.at)) }
    }

    /** Takes away the row that the page's question stands in, with all its answers. */
    public fun withdrawRow(): Job = lasting {
        val page = questionPage()?.takeIf { it.question.isInRow } ?: return@lasting
        val walk = walk ?: return@lasting
        // What comes after the row, or its offer, stands where it stood.
        val row = walk.rowOf(page.at)
        interview?.withdrawRow(page.question.key)
        turnTo(walk.from(row))
    }

    /** Takes away the photo of the page's question. */
    public fun detachPhoto(): Job = lasting {
        if (questionPage()?.question?.input == Input.PHOTO) take("")
    }

    /** Shows the form in one of its languages, by number. */
    public fun speak(language: Int): Job = turning { walk, page ->
        interview?.speak(language)
        show { speaking(language) }
        walk.from(page.at)
    }

    /** The camera for the page's question, or for a photo of the record as a whole; nothing while nothing is open. */
    public fun camera(previews: PreviewMaker = PreviewMaker.None): CameraScreen? {
        val opened = interview ?: return null
        val key = questionPage()?.question?.takeIf { it.input == Input.PHOTO }?.key
        return CameraScreen(phone, opened, key, previews, scope) { lasting { refresh() }.join() }
    }

    /** Signs and saves. What the form finds wrong does not hinder it. */
    public fun save(): Job = lasting {
        val opened = interview ?: return@lasting
        val saved = opened.save()
        show { copy(end = FillEnd.Done(saved)) }
    }

    /** Leaves the form; it is there for the next time. */
    public fun leave(): Job = lasting {
        interview?.leave()
        show { copy(end = FillEnd.Left) }
    }

    /** Throws the draft away, with its answers and photos. */
    public fun discard(): Job = lasting {
        now.draft?.let { phone.drafts.discard(it) }
        show { copy(end = FillEnd.Discarded) }
    }

    override fun FillState.marked(isBusy: Boolean, trouble: Trouble?) = copy(isBusy = isBusy, trouble = trouble)

    private fun questionPage() = now.page as? QuestionPage

    private fun turning(to: suspend (Walk, Page) -> Page): Job = intent {
        val (walk, page) = Pair(walk ?: return@intent, now.page ?: return@intent)
        turnTo(to(walk, page))
    }

    private fun turnTo(page: Page) = show { copy(page = page, overview = null) }

    /** Whether the form took it. */
    private suspend fun take(typed: String): Boolean {
        val page = questionPage() ?: return false
        val (opened, key) = Pair(interview ?: return false, page.question.key)
        try {
            opened.answerTyped(key, typed)
        } catch (refused: MerestoneException.Refused) {
            turnTo(page.copy(refusal = Refusal(typed, refusalMessage(refused))))
            return false
        }
        refreshAt(key, page)
        return true
    }

    private suspend fun goOn() {
        val (walk, page) = Pair(walk ?: return, now.page ?: return)
        val hasMore = page is QuestionPage && page.problem != null && !page.isProblemShown
        turnTo(if (hasMore) page.copy(isProblemShown = true) else walk.from(page.at + 1))
    }

    private suspend fun refresh() {
        val page = questionPage() ?: return
        refreshAt(page.question.key, page)
    }

    /** An answer may open or close questions before it: its page is found again by its key. */
    private suspend fun refreshAt(key: String, page: QuestionPage) {
        val walk = walk ?: return
        val fresh = walk.at(key) ?: walk.from(page.at)
        turnTo(if (fresh is QuestionPage) fresh.copy(isProblemShown = fresh.problem != null) else fresh)
    }

    private fun FillState.speaking(language: Int?): FillState =
        copy(language = language, isRightToLeft = language?.let { languages.getOrNull(it) }?.isRightToLeft ?: false)
}

private fun List<FormLanguage>.indexOfCode(code: String): Int? = indexOfFirst { it.code == code }.takeIf { it >= 0 }
