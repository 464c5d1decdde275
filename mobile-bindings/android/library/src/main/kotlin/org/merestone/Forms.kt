package org.merestone

import java.io.File

/** The forms of the mission that this phone has. */
public interface Forms {
    /** All of them; those of the program come with it. */
    public suspend fun all(): List<Form>

    /**
     * Takes a form that the mission names in its charter.
     *
     * @param file an XLSForm as `.xlsx`, `.xls`, `.csv` or in Markdown tables, or an XForm in XML
     * @param beside files that it refers to, such as lists of choices
     * @throws MerestoneException.Refused if it cannot be read or the mission does not name it; a library that was built
     *   without the readers of Excel files takes no `.xlsx` and no `.xls`
     */
    public suspend fun add(file: File, beside: List<File> = emptyList()): FormHash
}

/**
 * One edition of a form.
 *
 * @property kind what a record of it is, for example `inspection`
 * @property version as its author wrote it
 * @property canBeAsked whether [Drafts.begin] takes it; a form that is only for reading old records cannot
 * @property languages in the form's order; an index into it is how a language is named elsewhere
 * @property defaultLanguage index into [languages]
 */
public data class Form(
    public val hash: FormHash,
    public val kind: String,
    public val title: String,
    public val version: String,
    public val canBeAsked: Boolean,
    public val languages: List<FormLanguage>,
    public val defaultLanguage: Int?,
)

/**
 * A language of a form.
 *
 * @property name in the language itself, as the form's author wrote it
 * @property code for example `uk`; `null` if the author gave none
 */
public data class FormLanguage(public val name: String, public val code: String?, public val isRightToLeft: Boolean)
