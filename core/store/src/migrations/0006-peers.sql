CREATE TABLE receipt (
    -- The newest receipt of each other store: who else holds a copy.
    holder BLOB PRIMARY KEY,
    counter INTEGER NOT NULL,
    -- Id of the receipt among the statements.
    statement BLOB NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE agreement (
    -- What was last agreed with a peer; lost without harm, the next conversation is longer then.
    peer BLOB NOT NULL,
    scope BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (peer, scope)
) WITHOUT ROWID, STRICT;
