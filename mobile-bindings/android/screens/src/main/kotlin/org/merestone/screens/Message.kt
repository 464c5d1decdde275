package org.merestone.screens

/**
 * Something to tell a person, without words: a stable [code] and what goes into its sentence.
 *
 * A [Phrasebook] makes the sentence. Two messages with the same code mean the same in every language.
 *
 * @property code what it says, in lower case with points: `sync.unfinished`
 * @property args what stands in the sentence under these names: names of people, numbers as text, never secrets
 * @property count what the sentence counts, so that a language can choose its plural
 * @property detail the library's own English sentence, for a phrase book that does not know the code
 */
public data class Message(
    public val code: String,
    public val args: Map<String, String> = emptyMap(),
    public val count: Long? = null,
    public val detail: String? = null,
) {
    public companion object {
        /** A message of [code] that counts something: it stands in its sentence as `{count}`. */
        public fun counting(code: String, count: Long, vararg args: Pair<String, String>): Message =
            Message(code, mapOf("count" to count.toString()) + args, count)

        /** A message of [code] with [args] in its sentence. */
        public fun of(code: String, vararg args: Pair<String, String>): Message = Message(code, mapOf(*args))
    }
}
