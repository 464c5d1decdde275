package org.merestone

import java.io.File

/** Files that carry entries on a stick where there is no network. They are not encrypted: whoever finds one reads it. */
public interface Courier {
    /**
     * Writes a file for another device.
     *
     * @throws MerestoneException.Storage if the disk is full; then no file is left
     */
    public suspend fun write(observer: ObserverKey, order: CourierOrder): CourierWritten

    /** Says what a file holds, and takes nothing. */
    public suspend fun inspect(file: File): CourierContents

    /**
     * Takes what a file holds; each entry is judged by its own signatures. Reading twice changes nothing.
     *
     * @throws MerestoneException.Refused if it is no such file, or of another mission
     */
    public suspend fun read(observer: ObserverKey, file: File): CourierRead
}

/**
 * What to write.
 *
 * @property file must not exist yet
 * @property madeFor the key of a device: then only what it lacked when it signed the receipt that is held here
 * @property withoutOriginals whether camera files stay out
 * @property bytesMax the most bytes; what does not fit is counted in [CourierWritten.leftOut]
 */
public data class CourierOrder(
    public val file: File,
    public val madeFor: ObserverKey? = null,
    public val withoutOriginals: Boolean = false,
    public val bytesMax: Long? = null,
)

/**
 * What was written.
 *
 * @property statements certificates and other statements about observers
 * @property blobs photos and smaller pictures
 * @property leftOut what did not fit or was not wanted
 * @property damaged what this phone's disk does not give back as it was written
 */
public data class CourierWritten(
    public val bytes: Long,
    public val statements: Long,
    public val entries: Long,
    public val blobs: Long,
    public val leftOut: Long,
    public val damaged: Long,
)

/**
 * What a file holds, see [CourierWritten].
 *
 * @property makerObserver who made it, as the file says. Nobody signed that; what is inside proves itself
 * @property makerDevice the device, as the file says
 * @property isMakerCut whether the maker's key is cut by its party
 */
public data class CourierContents(
    public val makerObserver: String,
    public val makerDevice: String,
    public val isMakerCut: Boolean,
    public val scopes: List<ScopeId>,
    public val bytes: Long,
    public val statements: Long,
    public val entries: Long,
    public val blobs: Long,
    public val leftOut: Long,
    public val damaged: Long,
)

/**
 * What was taken.
 *
 * @property entriesNew those that were not here before
 * @property entriesOfOtherScopes those that this phone's observer is not certified for
 * @property refused stable codes of what was not taken
 */
public data class CourierRead(
    public val entriesNew: Long,
    public val statementsNew: Long,
    public val blobsNew: Long,
    public val entriesOfOtherScopes: Long,
    public val refused: List<String>,
)
