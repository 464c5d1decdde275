package org.merestone.android

import android.content.Context
import org.merestone.KeyVault
import org.merestone.PhoneHome
import org.merestone.StoreKey
import java.io.File
import java.security.SecureRandom

/**
 * The phone's home in an app's own files.
 *
 * The store lies in `files/merestone`; its marker and wrapped key in `no_backup`, which neither a backup nor a move to
 * another phone takes along: a copied store begins logs of its own there, instead of signing as if it were this phone.
 * Exclude `files/merestone` from backups all the same (`data_extraction_rules.xml`): a copy is of no use.
 */
public object AndroidHome {
    /** The home, with a store key that [vault] wraps; it is made at the first call. Reads files: call it off the main thread. */
    public fun of(context: Context, vault: KeyVault): PhoneHome = PhoneHome(
        folder = File(context.filesDir, "merestone"),
        marker = File(context.noBackupFilesDir, "merestone.marker"),
        storeKey = storeKey(keyFile(context), vault),
    )

    /** Removes the wrapped store key, after [org.merestone.Phone.wipe] removed what it is for. */
    public fun forget(context: Context) {
        val file = keyFile(context)
        check(file.delete() || !file.exists()) { "the store key's file cannot be removed" }
    }

    private fun keyFile(context: Context) = File(context.noBackupFilesDir, "merestone.storekey")

    private fun storeKey(file: File, vault: KeyVault): StoreKey {
        if (!file.exists()) {
            val drawn = ByteArray(STORE_KEY_BYTES).also { SecureRandom().nextBytes(it) }
            val written = File(file.path + ".new")
            written.outputStream().use {
                it.write(vault.wrap(drawn))
                it.fd.sync()
            }
            check(written.renameTo(file)) { "the store key's file cannot be put in place" }
        }
        return StoreKey(vault.unwrap(file.readBytes()))
    }

    private const val STORE_KEY_BYTES = 32
}
