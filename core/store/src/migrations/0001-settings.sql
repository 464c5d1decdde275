CREATE TABLE setting (
    -- What the rooms above want kept beside the entries: which mission, which store, wrapped keys, counters.
    -- Names that begin with "store/" are the store's own.
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID, STRICT;
