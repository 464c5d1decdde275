package org.merestone

/**
 * How far a meeting is.
 *
 * @property peer `null` until it proved who it is
 * @property entriesSent those that the peer made durable
 * @property entriesReceived those that are durable here
 * @property photosSent photos and smaller pictures that went out whole
 * @property photosReceived photos and smaller pictures that are here whole now
 * @property bytesSent of photos
 * @property bytesReceived of photos
 * @property isFullySynced whether at this moment both have the same
 */
public data class SyncState(
    public val peer: Peer?,
    public val entriesSent: Long,
    public val entriesReceived: Long,
    public val photosSent: Long,
    public val photosReceived: Long,
    public val bytesSent: Long,
    public val bytesReceived: Long,
    public val isFullySynced: Boolean,
)

/**
 * Who was met, as certificates say.
 *
 * @property party the party's name
 * @property role `observer`, `reviewer`, `arbiter`, `camp` or `auditor`
 * @property isCut whether a party cut that key off
 */
public data class Peer(
    public val party: String,
    public val observer: String,
    public val device: String,
    public val role: String,
    public val isCut: Boolean,
)

/**
 * How a meeting went.
 *
 * @property isFullySynced whether both have the same of the scopes that they share, and nothing is missing; only then may a
 *   screen say "synced"
 * @property isSyncedAsWanted whether all came that the options asked for
 * @property endCode stable: why it ended; `done` or `stopped` if nothing went wrong
 * @property endSays the same as a sentence in English
 * @property advice what to do, as a sentence in English; empty if nothing
 * @property scopesNotShared scopes of this phone that the other one is not certified for
 * @property missingLogs devices of which nothing came though the other one knows of them
 * @property missingBodies entries that are known and did not come
 * @property missingPhotos photos that are known and did not come
 * @property refused stable codes of what was not taken
 * @property noReceipt why the peer was not told by a receipt what is here; `null` if it was
 * @property missingHere what is missing on this phone, by person
 * @property missingThere what the peer does not have, by person, as far as it told
 * @property photosLeftOut photos and smaller pictures that were not asked for because of [SyncOptions.photoBytesMax]
 * @property networkBytesSent everything included
 */
public data class SyncReport(
    public val state: SyncState,
    public val isFullySynced: Boolean,
    public val isSyncedAsWanted: Boolean,
    public val endCode: String,
    public val endSays: String,
    public val advice: String,
    public val scopesNotShared: List<ScopeId>,
    public val missingLogs: Int,
    public val missingBodies: Int,
    public val missingPhotos: Int,
    public val refused: List<String>,
    public val noReceipt: String?,
    public val missingHere: List<Missing>,
    public val missingThere: List<Missing>,
    public val photosLeftOut: Long,
    public val networkBytesSent: Long,
    public val networkBytesReceived: Long,
)

/**
 * What is missing of one person's work.
 *
 * @property observer the name; `null` while no certificate says whose it is
 * @property party the party's name
 * @property entries that are not held
 * @property bodies what entries say that are held
 * @property photos photos and smaller pictures
 */
public data class Missing(
    public val observer: String?,
    public val party: String?,
    public val device: String?,
    public val entries: Long,
    public val bodies: Long,
    public val photos: Long,
)
