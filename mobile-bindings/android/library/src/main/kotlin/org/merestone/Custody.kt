package org.merestone

/**
 * Who holds a copy of an entry, as far as signed receipts say.
 *
 * @property peers how many other devices signed that they have it; base camps are not among them
 * @property isAtBaseCamp whether base camp has it
 * @property photos how many camera files belong to it
 * @property photosElsewhere how many of them another device has
 * @property photosAtBaseCamp how many of them base camp has
 * @property isOnlyHere whether losing this phone would lose the entry or a photo of it
 * @property isHandedOver whether base camp has all of it
 */
public data class Custody(
    public val entry: EntryId,
    public val peers: Int,
    public val isAtBaseCamp: Boolean,
    public val photos: Int,
    public val photosElsewhere: Int,
    public val photosAtBaseCamp: Int,
    public val isOnlyHere: Boolean,
    public val isHandedOver: Boolean,
)

/**
 * What would be lost with this phone, whoever wrote it, as far as signed receipts say. Drafts are not among it.
 *
 * @property entries those that no other device has
 * @property entriesNotAtCamp those that base camp does not have; [entries] included
 * @property photos camera files that no other device has
 * @property photosNotAtCamp camera files that base camp does not have; [photos] included
 */
public data class HeldAlone(
    public val entries: Long,
    public val entriesNotAtCamp: Long,
    public val photos: Long,
    public val photosNotAtCamp: Long,
)
