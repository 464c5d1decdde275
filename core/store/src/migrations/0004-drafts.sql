CREATE TABLE draft (
    -- Work in progress of one observer: unsigned, never sent, there again after a kill.
    id BLOB PRIMARY KEY,
    bytes BLOB NOT NULL
) WITHOUT ROWID, STRICT;
