CREATE TABLE blob (
    -- One file as a signed entry describes it. Two entries may describe one hash differently;
    -- each description is tried, so that a false one cannot keep a true one from being fetched.
    blob INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    -- Root of the tree over chunks of 65,536 bytes.
    chunks BLOB NOT NULL,
    -- 2 thumbnail, 3 preview, 4 original: order of fetching.
    class INTEGER NOT NULL,
    -- 0 missing (perhaps in part), 1 whole, 2 being erased (the file may still be there), 3 erased.
    state INTEGER NOT NULL,
    -- Chunks that are durable in the partial file, most significant bit first; null for none.
    held BLOB,
    UNIQUE (hash, chunks, bytes)
) STRICT;

CREATE INDEX blob_missing ON blob (class) WHERE state = 0;
CREATE INDEX blob_being_erased ON blob (blob) WHERE state = 2;

CREATE TABLE blob_name (
    -- Which entry names which file.
    blob INTEGER NOT NULL REFERENCES blob (blob),
    entry BLOB NOT NULL,
    PRIMARY KEY (blob, entry)
) WITHOUT ROWID, STRICT;

CREATE INDEX blob_name_by_entry ON blob_name (entry);
