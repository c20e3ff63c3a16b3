-- A batch: a slice of one preview on its way through approval. `digest` pins its rows with their requests.
CREATE TABLE journal.batch (
    batch_id INTEGER, preview_id INTEGER, direction VARCHAR, state VARCHAR, slice VARCHAR, digest VARCHAR,
    mapping_digest VARCHAR, row_count BIGINT, requested_by VARCHAR, approved_by VARCHAR, is_four_eyes BOOLEAN,
    claim VARCHAR, created_at TIMESTAMPTZ, changed_at TIMESTAMPTZ
);

-- Every step a batch took, by whom and why; append-only.
CREATE TABLE journal.batch_event (
    batch_id INTEGER, from_state VARCHAR, to_state VARCHAR, who VARCHAR, reason VARCHAR, happened_at TIMESTAMPTZ
);

-- The changes of a batch. is_approved turns false for rows an approver leaves out.
CREATE TABLE journal.batch_change (batch_id INTEGER, change_id VARCHAR, seq BIGINT, is_approved BOOLEAN, reason VARCHAR);

-- Written before a request leaves; an intent without outcome after a crash is unknown and is reconciled first.
CREATE TABLE journal.intent (
    batch_id INTEGER, change_id VARCHAR, ordinal INTEGER, run VARCHAR, system VARCHAR, method VARCHAR, path VARCHAR,
    body VARCHAR, written_at TIMESTAMPTZ
);

-- One HTTP request and its answer.
CREATE TABLE journal.attempt (
    batch_id INTEGER, change_id VARCHAR, number INTEGER, run VARCHAR, system VARCHAR, method VARCHAR, url VARCHAR,
    request_body VARCHAR, response_status INTEGER, response_body VARCHAR, codes VARCHAR[], ms DOUBLE,
    sent_at TIMESTAMPTZ
);

-- The end of one change: the guide's sync result, with the prediction beside it. result_number 1 is SR-0000001.
-- status: success | partial | fail | unknown.
CREATE TABLE journal.outcome (
    result_number BIGINT, batch_id INTEGER, change_id VARCHAR, direction VARCHAR, status VARCHAR, codes VARCHAR[],
    fail_message VARCHAR, endpoint VARCHAR, request_body VARCHAR, response_status INTEGER, sobject VARCHAR,
    record_id VARCHAR, mainstay_id VARCHAR, attempts INTEGER, predicted_status VARCHAR, predicted_codes VARCHAR[],
    origin VARCHAR, finished_at TIMESTAMPTZ
);

-- Technical faults, apart from data validation. Counts and ids only.
CREATE TABLE journal.app_log (
    happened_at TIMESTAMPTZ, level VARCHAR, logger VARCHAR, event VARCHAR, detail VARCHAR
);
