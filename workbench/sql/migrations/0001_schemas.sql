-- Schemas follow the flow: as pulled, configured, previewed, journalled, and read by people.
CREATE SCHEMA IF NOT EXISTS config;
CREATE SCHEMA IF NOT EXISTS salesforce;
CREATE SCHEMA IF NOT EXISTS mainstay;
CREATE SCHEMA IF NOT EXISTS preview;
CREATE SCHEMA IF NOT EXISTS journal;
CREATE SCHEMA IF NOT EXISTS view;

CREATE TABLE config.migration (name VARCHAR, applied_at TIMESTAMPTZ);

-- One row per saved mapping document; append-only. `document` is YAML, `digest` SHA-256 of its canonical form.
CREATE TABLE config.mapping_revision (
    revision INTEGER, document VARCHAR, digest VARCHAR, author VARCHAR, reason VARCHAR, created_at TIMESTAMPTZ
);

-- Both field catalogues, as of the latest pull.
CREATE TABLE salesforce.field (
    sobject VARCHAR, name VARCHAR, label VARCHAR, type VARCHAR, length BIGINT, nillable BOOLEAN, createable BOOLEAN,
    updateable BOOLEAN, calculated BOOLEAN, custom BOOLEAN, "unique" BOOLEAN, external_id BOOLEAN,
    restricted_picklist BOOLEAN, picklist_values VARCHAR[], reference_to VARCHAR[], relationship_name VARCHAR,
    defaulted_on_create BOOLEAN, formula VARCHAR, _pull_id INTEGER, _row_hash UBIGINT
);
CREATE TABLE mainstay.field (
    name VARCHAR, data_type VARCHAR, is_custom BOOLEAN, is_deprecated BOOLEAN, is_writable BOOLEAN,
    options VARCHAR[], _pull_id INTEGER, _row_hash UBIGINT
);

-- One row per system and object of a `pull`; state running | complete | interrupted. Visible only when complete.
CREATE TABLE journal.pull (
    pull_id INTEGER, system VARCHAR, object VARCHAR, mode VARCHAR, state VARCHAR, row_count BIGINT,
    started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ, watermark TIMESTAMPTZ
);
