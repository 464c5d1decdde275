package org.merestone

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
 * What is being filled and was not saved yet. It never leaves this phone.
 *
 * @property hex 32 digits
 */
@JvmInline
public value class DraftId(public val hex: String) {
    override fun toString(): String = hex
}
