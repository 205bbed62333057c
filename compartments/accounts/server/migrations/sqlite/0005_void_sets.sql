-- Whom an order is about, as a Roaring bitmap; NULL: everybody. Such an order ends their sessions
-- as well.
ALTER TABLE void_orders ADD COLUMN records BLOB;
