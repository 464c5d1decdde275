package org.merestone

import org.merestone.bridge.Entrance
import java.io.File

/** Where everything begins. */
public object Merestone {
    /** The version of the library, for example `0.1.0`. */
    public val version: String get() = Entrance.version()

    /** A marker inside of [folder], for [PhoneHome]s that need not notice being copied: tests and desktops. */
    public fun markerIn(folder: File): File = Entrance.markerIn(folder)

    /**
     * Opens the phone that lives in [home]. Where its marker is gone this is a copy, or what a backup brought back: it is
     * opened as a phone of its own, and begins logs of its own.
     *
     * @throws MerestoneException.NotThere if nothing is there
     * @throws MerestoneException.Storage with [StorageFault.IN_USE] if a process has it open, [StorageFault.NEWER] if a newer
     *   version of the library wrote it, [StorageFault.DAMAGED] if it cannot be read
     * @throws MerestoneException.Refused with code `half-wiped` if it was begun to be removed: [wipe] goes on
     */
    public suspend fun open(home: PhoneHome, settings: PhoneSettings = PhoneSettings()): Phone =
        Entrance.open(home, settings)

    /**
     * Makes a phone of a mission in [home] and opens it.
     *
     * @param charter the bytes of the mission's `charter.cbor`, signed by all parties
     * @throws MerestoneException.Refused if it is none, or not every party signed it; with code `exists` if a phone is there
     *   already, `foreign-folder` if what lies there is no store of ours
     */
    public suspend fun create(home: PhoneHome, charter: ByteArray, settings: PhoneSettings = PhoneSettings()): Phone =
        Entrance.create(home, charter, settings)

    /**
     * Removes a phone that is not open, as [Phone.wipe] does. One that is half removed is removed to the end.
     *
     * @param vault is told to forget the keys of the phone's observers
     * @return files in its folder that are none of its own and were left alone
     * @throws MerestoneException.Storage with [StorageFault.IN_USE] if it is open
     */
    public suspend fun wipe(home: PhoneHome, vault: KeyVault? = null): List<File> = Entrance.wipe(home, vault)

    /** Sends the library's log to [sink] from now on, or nowhere. */
    public fun log(sink: LogSink?): Unit = Entrance.log(sink)
}
