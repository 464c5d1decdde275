CREATE TABLE statement (
    -- One statement of the roster or one form definition; a set, from which only receipts that made way are dropped.
    statement INTEGER PRIMARY KEY,
    -- SHA-256 of bytes.
    id BLOB NOT NULL,
    -- As sync.md numbers them: 0 charter, 1 certificate, 2 cut, 3 erasure, 4 receipt, 5 checkpoint note, 6 form definition.
    class INTEGER NOT NULL,
    -- Public key of the signer, where there is one; each may hold a limited number (statement-limit).
    signer BLOB,
    bytes BLOB NOT NULL,
    -- Class first: the ids of a class in ascending order are its digest.
    UNIQUE (class, id)
) STRICT;

CREATE INDEX statement_by_signer ON statement (class, signer) WHERE signer IS NOT NULL;
