package org.merestone

import java.security.SecureRandom

/**
 * A mission: everything that is signed names it.
 *
 * Like all ids here it is lowercase hex and is not checked when it is made: what takes an id answers
 * [MerestoneException.Refused] when the text is none, and [MerestoneException.NotThere] when this phone has nothing of it.
 *
 * @property hex 64 digits
 */
@JvmInline
public value class MissionId(public val hex: String) {
    override fun toString(): String = hex
}

/**
 * A part of a mission whose records are synced and handed over together.
 *
 * @property hex 16 digits
 */
@JvmInline
public value class ScopeId(public val hex: String) {
    override fun toString(): String = hex
}

/**
 * The public key of an observer on one phone. The same person on another phone has another key.
 *
 * @property hex 64 digits
 */
@JvmInline
public value class ObserverKey(public val hex: String) {
    override fun toString(): String = hex
}

/**
 * A record: one inspection, incident or other document that grows by entries. It is the id of the entry that created it.
 *
 * @property hex 64 digits
 */
@JvmInline
public value class RecordId(public val hex: String) {
    override fun toString(): String = hex
}

/**
 * One signed step of a record.
 *
 * @property hex 64 digits
 */
@JvmInline
public value class EntryId(public val hex: String) {
    override fun toString(): String = hex
}

/**
 * One edition of a form. Two phones hold the same form when the hash is the same.
 *
 * @property hex 64 digits
 */
@JvmInline
public value class FormHash(public val hex: String) {
    override fun toString(): String = hex
}

/**
 * The bytes of one photo, or of a smaller picture that was made of it.
 *
 * @property hex 64 digits
 */
@JvmInline
public value class PhotoHash(public val hex: String) {
    override fun toString(): String = hex
}

/**
 * Names one save that an app may have to ask for again, for calls that save at once ([Drafts.saveNew], [Records.say] and
 * their like).
 *
 * Cancelling such a call takes nothing back: it goes on, and nobody hears what became of it. Whoever calls again with the same
 * id, after a restart too, gets what was saved then, and nothing is signed twice. Of one id only the first save counts.
 *
 * @property hex 32 digits
 */
@JvmInline
public value class SaveId(public val hex: String) {
    override fun toString(): String = hex

    public companion object {
        /** One that nobody has. Keep it until the call has answered. */
        public fun random(): SaveId {
            val bytes = ByteArray(SAVE_ID_BYTES).also { SecureRandom().nextBytes(it) }
            return SaveId(bytes.joinToString("") { "%02x".format(it) })
        }
    }
}

private const val SAVE_ID_BYTES = 16

/**
 * What is being filled and was not saved yet. It never leaves this phone.
 *
 * @property hex 32 digits
 */
@JvmInline
public value class DraftId(public val hex: String) {
    override fun toString(): String = hex
}
