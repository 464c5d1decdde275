CREATE TABLE aside (
    -- Evidence that is damaged, or a sibling beyond those kept at a fork: set aside with the reason, never deleted.
    aside INTEGER PRIMARY KEY,
    -- "entry", "body", "statement" or "blob".
    what TEXT NOT NULL,
    -- The id under which it was stored.
    id BLOB NOT NULL,
    -- 0 its bytes are not what its name says, 1 its file is gone, 2 displaced by lower siblings.
    reason INTEGER NOT NULL,
    -- Record of an entry or a body: an erasure of the record reaches what is aside too.
    record BLOB,
    -- Its bytes as they were found; null for a blob, whose file lies in the folder "aside".
    bytes BLOB,
    -- Body of an entry.
    body BLOB
) STRICT;
