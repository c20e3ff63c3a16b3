-- A preview: frozen changes, requests and predictions over named pulls and one mapping revision.
CREATE TABLE preview.preview (
    preview_id INTEGER, direction VARCHAR, sobjects VARCHAR[], mapping_revision INTEGER, mapping_digest VARCHAR,
    only_record VARCHAR, run VARCHAR, created_at TIMESTAMPTZ, seconds DOUBLE
);

-- The pulls a preview stands on.
CREATE TABLE preview.pin (preview_id INTEGER, system VARCHAR, object VARCHAR, pull_id INTEGER);

-- One row per record of the sending side (export: Salesforce records; import: Mainstay contacts).
-- action: update | link | create | none | excluded | conflict | blocked. group_id: records that share an identity.
-- fields: JSON list of {"field", "before", "after"}, names of the receiving system.
CREATE TABLE preview.change (
    preview_id INTEGER, change_id VARCHAR, seq BIGINT, direction VARCHAR, sobject VARCHAR, salesforce_id VARCHAR,
    mainstay_id VARCHAR, rule VARCHAR, action VARCHAR, reason VARCHAR, guards VARCHAR[], group_id BIGINT,
    predicted_status VARCHAR, codes VARCHAR[], certainty VARCHAR, fields VARCHAR
);

-- The exact requests of a change, in order. path is relative to the system's base.
CREATE TABLE preview.request (
    preview_id INTEGER, change_id VARCHAR, ordinal INTEGER, system VARCHAR, method VARCHAR, path VARCHAR, body VARCHAR
);

-- One row per change and expected code. entry: number in the error dictionary, null outside of it.
CREATE TABLE preview.prediction (
    preview_id INTEGER, change_id VARCHAR, code VARCHAR, entry INTEGER, failure VARCHAR, certainty VARCHAR
);

-- Every record of both systems in exactly one bucket; the buckets of a system and object add up to its pull.
CREATE TABLE preview.bucket (
    preview_id INTEGER, system VARCHAR, object VARCHAR, bucket VARCHAR, row_count BIGINT
);
