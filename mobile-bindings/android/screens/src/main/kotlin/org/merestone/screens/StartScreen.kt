package org.merestone.screens

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import org.merestone.DamagedDraft
import org.merestone.Draft
import org.merestone.DraftId
import org.merestone.Form
import org.merestone.FormHash
import org.merestone.ObserverKey
import org.merestone.Phone
import org.merestone.Scope
import org.merestone.ScopeId

/** What can be filled, and what was begun. */
public data class StartState(
    /** The forms that can be asked. */
    public val forms: List<Form> = emptyList(),
    /** The scopes that the observer may write in. */
    public val scopes: List<Scope> = emptyList(),
    /** The scope of what is begun. */
    public val scope: ScopeId? = null,
    /** What the observer began and did not save, the newest first. */
    public val drafts: List<BegunDraft> = emptyList(),
    /** Drafts that cannot be read any more: they can only be thrown away. */
    public val damaged: List<DamagedDraft> = emptyList(),
    override val isBusy: Boolean = false,
    override val trouble: Trouble? = null,
) : ScreenState

/** A draft and what it is a draft of. */
public data class BegunDraft(
    public val draft: Draft,
    /** The form's title; empty while the form is not here. */
    public val title: String,
) {
    /** What to say of it. */
    public val message: Message
        get() =
            Message.counting(
                if (draft.record == null) "draft.new" else "draft.edit",
                draft.answers.toLong(),
                "title" to title,
                "photos" to draft.photos.toString(),
            )
}

/** Chooses what to fill: a form, or a draft to go on with. */
public class StartScreen(private val phone: Phone, private val observer: ObserverKey, scope: CoroutineScope) :
    ScreenModel<StartState>(scope, StartState()) {
    /** Reads forms and drafts. To be called first, and when a form was left. */
    public fun open(): Job = intent { read() }

    /** Chooses the scope of what is begun. */
    public fun choose(scope: ScopeId): Unit = show { copy(scope = scope) }

    /** What [FillScreen] begins for a form; nothing while the observer has no scope to write in. */
    public fun new(form: FormHash): FillStart.New? = now.scope?.let { FillStart.New(it, form) }

    /** What [FillScreen] goes on with. */
    public fun goOn(draft: DraftId): FillStart.GoOn = FillStart.GoOn(draft)

    /** Throws a draft away, with its answers and photos. */
    public fun discard(draft: DraftId): Job = lasting {
        phone.drafts.discard(draft)
        read()
    }

    override fun StartState.marked(isBusy: Boolean, trouble: Trouble?): StartState =
        copy(isBusy = isBusy, trouble = trouble)

    private suspend fun read() {
        val forms = phone.forms.all()
        val titles = forms.associate { it.hash to it.title }
        val granted =
            phone.observers
                .all()
                .find { it.key == observer }
                ?.scopes
                .orEmpty()
        val scopes = phone.mission().scopes.filter { it.id in granted }
        val drafts =
            phone.drafts
                .all(observer)
                .reversed()
                .map { BegunDraft(it, titles[it.form].orEmpty()) }
        val damaged = phone.drafts.damaged()
        show {
            copy(
                forms = forms.filter { it.canBeAsked },
                scopes = scopes,
                scope = scope?.takeIf { it in granted } ?: scopes.firstOrNull()?.id,
                drafts = drafts,
                damaged = damaged,
            )
        }
    }
}
