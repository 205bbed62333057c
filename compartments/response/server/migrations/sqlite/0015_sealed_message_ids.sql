-- How the Message-IDs of a letter are made: 0 is a keyed hash, 1 is sealed and opens to its person. Letters
-- that are planned already keep theirs, because a letter that is sent again keeps its Message-ID.
ALTER TABLE letter ADD COLUMN id_form BIGINT NOT NULL DEFAULT 0;
