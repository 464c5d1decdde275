CREATE TABLE ledger_node (
    -- The hash over one full tile of the ledger: number `place` of the row of tiles at `level`, 1 to 7.
    -- It comes in the transaction of the leaf that fills the tile, so it is there exactly when that leaf is.
    -- Level 0 is not here: it is hashed from 256 leaves at a time.
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (level, place)
) WITHOUT ROWID, STRICT;
