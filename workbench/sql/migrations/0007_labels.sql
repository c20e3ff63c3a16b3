-- Match lab: what people say about pairs, which pairs they were asked about, and the truth where it is known.
CREATE SCHEMA IF NOT EXISTS lab;

-- One row per answer; append-only, the latest of a labeller about a pair counts. verdict: same | different | unsure.
CREATE TABLE lab.label (
    sobject VARCHAR, record_id VARCHAR, contact_id VARCHAR, verdict VARCHAR, labeller VARCHAR, note VARCHAR,
    labelled_at TIMESTAMPTZ
);

-- The pairs to be labelled. stratum: which rules propose the pair; stratum_size: how many pairs they propose like that.
CREATE TABLE lab.sample (
    sobject VARCHAR, record_id VARCHAR, contact_id VARCHAR, stratum VARCHAR, stratum_size BIGINT, position BIGINT,
    drawn_at TIMESTAMPTZ
);

-- Pairs known to be one person: synthetic people, or a reviewed list. source says from where.
CREATE TABLE lab.truth (sobject VARCHAR, record_id VARCHAR, contact_id VARCHAR, source VARCHAR);

-- label: what each person last said about each pair, blind to rules and to each other.
-- grain: one row per pair and labeller
CREATE VIEW view.label AS
SELECT sobject, record_id, contact_id, verdict, labeller, note, labelled_at
FROM lab.label
QUALIFY row_number() OVER (
    PARTITION BY sobject, record_id, contact_id, labeller ORDER BY labelled_at DESC
) = 1;
