-- Since when the relay may have had a letter, where that is before at_ms: it was put off, was in doubt,
-- or came back. 1 where nobody knows since when, 0 where at_ms says it.
ALTER TABLE ledger ADD COLUMN tried_ms BIGINT NOT NULL DEFAULT 0;
UPDATE ledger SET tried_ms = 1 WHERE state IN (3, 4, 5, 6, 8);
