-- SHA-256 of what people signed, for an order over everybody; and what the order did, as JSON. The
-- same order handed in again gets this answer.
ALTER TABLE void_orders ADD COLUMN signed BYTEA;
ALTER TABLE void_orders ADD COLUMN outcome TEXT;
CREATE UNIQUE INDEX void_orders_signed ON void_orders (signed);

-- What an order over some customers counts for in the limit of one person: the customers whose
-- passwords became void, as a Roaring bitmap, and the sessions that ended.
ALTER TABLE void_orders ADD COLUMN shut_out BYTEA;
ALTER TABLE void_orders ADD COLUMN sessions BIGINT NOT NULL DEFAULT 0;

-- Finds the sessions that are not over.
CREATE INDEX sessions_expires ON sessions (expires);
