package org.merestone.screens

/** Makes words of messages, in one language. */
public fun interface Phrasebook {
    /** The sentence, for a person. Never empty. */
    public fun say(message: Message): String
}

/**
 * A phrase book from a table: `code` or, for what is counted, `code#FORM` with the word that [plural] gives for the number.
 *
 * `{name}` in a phrase is replaced by the argument of that name; what the message does not have stays as it is written.
 * A code that is not in the table is looked up in [otherwise], so that a translation may have gaps.
 *
 * @property language a language code: `en`
 * @property isRightToLeft whether the language is written from right to left
 */
public class PhraseTable(
    public val language: String,
    private val phrases: Map<String, String>,
    public val isRightToLeft: Boolean = false,
    private val otherwise: Phrasebook? = null,
    private val plural: (Long) -> String = { if (it == 1L) "one" else "other" },
) : Phrasebook {
    override fun say(message: Message): String {
        val phrase =
            phrase(message) ?: return otherwise?.say(message) ?: message.detail?.let(::sentence) ?: message.code
        return PLACE.replace(phrase) { found -> message.args[found.groupValues[1]] ?: found.value }
    }

    private fun phrase(message: Message): String? {
        val counted =
            message.count?.let {
                phrases["${message.code}#${plural(it)}"] ?: phrases["${message.code}#other"]
            }
        return counted ?: phrases[message.code]
    }

    /** The library's own words begin in lower case and have no full stop. */
    private fun sentence(words: String): String {
        val begun = words.replaceFirstChar { it.uppercase() }
        return if (begun.lastOrNull()?.isLetterOrDigit() == true) "$begun." else begun
    }

    private companion object {
        val PLACE = Regex("\\{([a-z]+)\\}")
    }
}
