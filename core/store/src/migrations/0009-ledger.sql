CREATE TABLE ledger_leaf (
    -- One leaf of the ledger that this store sequences, from 0, without gaps; never changed.
    leaf INTEGER PRIMARY KEY,
    -- As checkpoint.md writes it.
    bytes BLOB NOT NULL,
    -- log * 2^20 + seq of an entry; null for every other leaf.
    place INTEGER
) STRICT;

-- Grows at the end of each log, as entries do; a fork asks it what of the log is in the ledger.
CREATE INDEX ledger_leaf_by_place ON ledger_leaf (place) WHERE place IS NOT NULL;

CREATE TABLE ledger_log (
    -- How much of a log is in the ledger: every entry of the contiguous main branch below this seq,
    -- and the siblings of which this is the digest.
    log INTEGER PRIMARY KEY REFERENCES log (log),
    admitted INTEGER NOT NULL,
    branches BLOB
) STRICT;

CREATE TABLE ledger_statement (
    -- Which statements are in the ledger.
    id BLOB PRIMARY KEY,
    leaf INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
