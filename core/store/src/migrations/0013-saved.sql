CREATE TABLE saved (
    -- What a draft became, so that saving it again gives the same entry and signs none, also after a kill.
    -- It comes in the transaction of its entry and stays as long: 80 bytes beside each entry that was signed here.
    draft BLOB PRIMARY KEY,
    entry BLOB NOT NULL,
    record BLOB NOT NULL
) WITHOUT ROWID, STRICT;
