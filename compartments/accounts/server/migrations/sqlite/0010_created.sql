-- The instant at which the customer came; NULL for those from before this column. It tells no more of
-- decoys than set_at.
ALTER TABLE credentials ADD COLUMN created INTEGER;
