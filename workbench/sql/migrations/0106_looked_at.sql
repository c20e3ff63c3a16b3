-- journal.last_agreed.looked_at: when the latest pulls began of those that last brought either side of the pair, or when
-- a push ended; null for pairs kept before. Pairs that moved since a preview are found by it without reading the others.
ALTER TABLE journal.last_agreed ADD COLUMN looked_at TIMESTAMPTZ;
