CREATE TABLE log (
    -- One (key, scope, epoch), under a small number that entries carry in their position.
    log INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    key BLOB NOT NULL,
    scope BLOB NOT NULL,
    epoch BLOB NOT NULL,
    -- Contiguous prefix along the main branch: how many entries, and the id of the last one.
    -- A lower bound: while a log only grows at its end this row is written once in many saves,
    -- and whoever reads it walks on over the entries that follow.
    height INTEGER NOT NULL,
    head BLOB,
    -- One above the highest seq ever held, also when that entry was set aside since:
    -- whoever signs here must not sign a seq below it again. A lower bound in the same way.
    top INTEGER NOT NULL,
    -- First seq at which two entries are held; null in a log without a fork.
    fork INTEGER,
    -- SHA-256 of the ids, ascending, of all entries that are not on the main branch; null when there are none.
    branches BLOB,
    -- Number of the commit that wrote this row.
    arrived INTEGER NOT NULL,
    -- Entries from this seq on are not in the index yet.
    indexed INTEGER NOT NULL
) STRICT;

CREATE TABLE entry (
    -- log * 2^23 + seq * 2^3 + slot. Clustered by log and seq without a further index:
    -- saving appends to one page, and sending a log reads pages in order. Siblings of a fork differ in slot.
    position INTEGER PRIMARY KEY,
    -- SHA-256 of header. Kept beside it, so that damage to either shows.
    id BLOB NOT NULL,
    -- Id of the entry before; null at seq 0.
    prev BLOB,
    -- Null in the entry that creates a record: the record's id is then its own.
    record BLOB,
    kind INTEGER NOT NULL,
    -- Number of the commit that brought it.
    arrived INTEGER NOT NULL,
    -- SHA-256 that the header states of the body.
    body_hash BLOB NOT NULL,
    -- 0 missing, 1 held, 2 erased.
    body_state INTEGER NOT NULL,
    header BLOB NOT NULL,
    body BLOB,
    CHECK ((body IS NULL) = (body_state <> 1))
) STRICT;

-- Eight bytes of an id find the row as surely as 32 and halve the pages that a random id touches in each save;
-- readers compare the whole id.
CREATE INDEX entry_by_id ON entry (substr(id, 1, 8));

-- The creating entry is found by its id; so a new record touches no page of this index.
CREATE INDEX entry_by_record ON entry (substr(record, 1, 8)) WHERE record IS NOT NULL;

CREATE INDEX entry_without_body ON entry (position) WHERE body_state = 0;
