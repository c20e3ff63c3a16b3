-- What each reading of the field catalogues found moved against the one before it; append-only. kind: new | vanished |
-- retyped; `before_type` and `after_type` are types of the system.
CREATE TABLE journal.field_drift (
    pull_id INTEGER, system VARCHAR, object VARCHAR, field VARCHAR, kind VARCHAR, before_type VARCHAR,
    after_type VARCHAR, found_at TIMESTAMPTZ
);
