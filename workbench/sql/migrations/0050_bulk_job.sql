-- One bulk job of a push, written before its rows can take effect (Salesforce) or as soon as its number is known
-- (Mainstay): after a kill its result is asked for instead of sending again. change_ids: row n of the job is entry n.
CREATE TABLE journal.bulk_job (
    batch_id INTEGER, run VARCHAR, system VARCHAR, job_id VARCHAR, sobject VARCHAR, operation VARCHAR,
    change_ids VARCHAR[], started_at TIMESTAMPTZ
);
