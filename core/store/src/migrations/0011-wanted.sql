-- Peers ask for photos by scope, and each meeting counts them: a name says itself of which scope its entry is.
-- Null while the entry is not held: it was set aside, or stands beyond the siblings that are kept.
ALTER TABLE blob_name ADD COLUMN scope BLOB;

UPDATE blob_name SET scope = (
    SELECT l.scope FROM entry e CROSS JOIN log l ON l.log = e.position >> 23
    WHERE substr(e.id, 1, 8) = substr(blob_name.entry, 1, 8) AND e.id = blob_name.entry
);

-- Pages of what is missing are read in the order of the hashes, and end where they are full.
DROP INDEX blob_missing;

CREATE INDEX blob_missing ON blob (class, hash) WHERE state = 0;
