-- What an undo said when its preview was made: of which batch, and what cannot be taken back. cannot: JSON list.
CREATE TABLE preview.undo (
    preview_id INTEGER, batch_id INTEGER, changes BIGINT, restored BIGINT, partly BIGINT, cannot VARCHAR, seconds DOUBLE
);
