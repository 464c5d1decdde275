DROP TABLE agreement;

CREATE TABLE agreement (
    -- What was last agreed with a peer, in the words of the room above: an agreement is about several scopes at once.
    -- Lost without harm, the next conversation is longer then. The table before it was never written.
    -- It names a commit, and logs that changed later are compared; a program that knows only the format before
    -- does not number every change and must not write here.
    peer BLOB PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID, STRICT;
