-- The last import of each source of the brought table: a file, or a table of a database.
CREATE TABLE brought_import (
    source   TEXT   NOT NULL PRIMARY KEY,
    number   BIGINT NOT NULL UNIQUE,
    rejected BIGINT NOT NULL, -- rows that could not be taken; until the import is finished, those of the one before
    finished BIGINT NOT NULL
);

-- The import that brought the person last. A key that comes twice in one import is a reject.
ALTER TABLE brought_person ADD COLUMN import BIGINT NOT NULL DEFAULT 0;

-- Nobody knows how many rows were not taken into a table that is there already: an open import, until
-- the table is brought again.
INSERT INTO brought_import (source, number, rejected, finished)
SELECT '', 0, 0, 0 WHERE EXISTS (SELECT 1 FROM brought_person);
