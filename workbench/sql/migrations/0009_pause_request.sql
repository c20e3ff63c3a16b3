-- A wish to pause a running push, kept until it ends its chunk: only the push itself may let go of a batch.
CREATE TABLE journal.pause_request (batch_id INTEGER, who VARCHAR, reason VARCHAR, asked_at TIMESTAMPTZ);
