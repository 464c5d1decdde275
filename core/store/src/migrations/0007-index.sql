CREATE TABLE record_row (
    -- What a list shows of a record. A cache: it can be dropped and built again from the entries.
    row INTEGER PRIMARY KEY,
    record BLOB NOT NULL UNIQUE,
    scope BLOB NOT NULL,
    kind TEXT NOT NULL,
    -- Bits whose meaning belongs to the room above.
    flags INTEGER NOT NULL,
    -- Sort key, newest first.
    updated INTEGER NOT NULL,
    title TEXT NOT NULL,
    -- Opaque to the store.
    status TEXT NOT NULL
) STRICT;

-- Filters are answered from the index alone; a row is read only when it is shown.
CREATE INDEX record_row_by_updated ON record_row (updated, row, kind, scope, flags);

-- A rare kind among many records is not looked for among all of them.
CREATE INDEX record_row_by_kind ON record_row (kind, updated, row, scope, flags);

-- Records that ask for attention have flags, most have none.
CREATE INDEX record_row_flagged ON record_row (updated, row, kind, scope, flags) WHERE flags <> 0;

-- Words of a record under the number of its row. Folded by the store before they come here.
CREATE VIRTUAL TABLE record_text USING fts5(text, tokenize = "unicode61 remove_diacritics 2", prefix = '2 3');

-- Erasure must remove words too, not only mark them as removed.
INSERT INTO record_text (record_text, rank) VALUES ('secure-delete', 1);

CREATE TABLE stale (
    -- Records whose row is older than they are, beyond those that the ends of the logs show (log.indexed):
    -- an entry filled a gap, a body came late. In the order in which they changed; a record may stand here twice.
    turn INTEGER PRIMARY KEY,
    record BLOB NOT NULL
) STRICT;
