-- The names analysts rely on. Columns are cast, so that a landing table may be replaced without breaking its view.
-- docs/views.md describes every column; a test holds it to this file.

-- Landing tables that exist before the first pull, so that screens can say "nothing yet" instead of failing.
CREATE TABLE IF NOT EXISTS mainstay.message (
    admithub_id VARCHAR, admithub_contact_id VARCHAR, contact_crm_id VARCHAR, created_at TIMESTAMPTZ, channel VARCHAR,
    incoming BOOLEAN, body VARCHAR, source VARCHAR, campaign_id VARCHAR, campaign_name VARCHAR, user_id VARCHAR,
    user_name VARCHAR, user_email VARCHAR, topic VARCHAR, test_user BOOLEAN, failed BOOLEAN, error_code VARCHAR,
    _pull_id INTEGER, _row_hash UBIGINT
);
CREATE TABLE IF NOT EXISTS mainstay.campaign (
    admithub_id VARCHAR, name VARCHAR, description VARCHAR, script_id VARCHAR, script_name VARCHAR, type VARCHAR,
    status VARCHAR, scheduled_at TIMESTAMPTZ, sent_at TIMESTAMPTZ, scheduler VARCHAR, hidden BOOLEAN, test BOOLEAN,
    recurring BOOLEAN, recipients VARCHAR, sent_count BIGINT, responded_count BIGINT, engagement DOUBLE,
    _pull_id INTEGER, _row_hash UBIGINT
);

-- pull: every reading of a system.
-- grain: one row per pull, system and object
CREATE VIEW view.pull AS
SELECT pull_id, system, object, mode, state, row_count, started_at, finished_at,
       epoch(finished_at) - epoch(started_at) AS seconds
FROM journal.pull;

-- preview: every preview with what it stands on.
-- grain: one row per preview
CREATE VIEW view.preview AS
SELECT p.preview_id, p.direction, p.sobjects, p.mapping_revision, p.mapping_digest, p.only_record, p.created_at,
       p.seconds, coalesce(c.row_count, 0) AS row_count
FROM preview.preview AS p
LEFT JOIN (SELECT preview_id, count(*) AS row_count FROM preview.change GROUP BY preview_id) AS c USING (preview_id);

-- preview_count: what a preview would do, all seven actions always present.
-- grain: one row per preview and action
CREATE VIEW view.preview_count AS
SELECT p.preview_id, p.direction, a.action, a.position, coalesce(c.row_count, 0) AS row_count
FROM preview.preview AS p
CROSS JOIN (
    VALUES ('update', 1), ('link', 2), ('create', 3), ('none', 4), ('excluded', 5), ('conflict', 6), ('blocked', 7)
) AS a (action, position)
LEFT JOIN (
    SELECT preview_id, action, count(*) AS row_count FROM preview.change GROUP BY preview_id, action
) AS c ON c.preview_id = p.preview_id AND c.action = a.action;

-- bucket: the accounting of a preview; the buckets of a system and object add up to its pull.
-- grain: one row per preview, system, object and bucket
CREATE VIEW view.bucket AS
SELECT b.preview_id, p.direction, b.system, b.object, b.bucket, b.row_count,
       b.row_count / nullif(sum(b.row_count) OVER (PARTITION BY b.preview_id, b.system, b.object), 0) AS share
FROM preview.bucket AS b
JOIN preview.preview AS p USING (preview_id);

-- change: one record of the sending side, what would happen to it and what the other side would answer.
-- grain: one row per preview and change
CREATE VIEW view.change AS
SELECT preview_id, change_id, seq, direction, sobject, salesforce_id, mainstay_id, rule, action, reason, guards,
       group_id, predicted_status, codes, certainty, fields,
       CAST(json_extract_string(fields, '$[*].field') AS VARCHAR[]) AS field_names
FROM preview.change;

-- request: the exact requests of a change, in order.
-- grain: one row per preview, change and ordinal
CREATE VIEW view.request AS
SELECT preview_id, change_id, ordinal, system, method, path, body FROM preview.request;

-- sync_result: the end of every pushed change, with the prediction beside it.
-- grain: one row per batch and change
CREATE VIEW view.sync_result AS
SELECT printf('SR-%07d', result_number) AS name,
       result_number, batch_id, change_id,
       CASE direction WHEN 'export' THEN 'SF to Mainstay' WHEN 'import' THEN 'Mainstay to SF' ELSE direction END
           AS direction,
       status, codes, fail_message, endpoint, request_body, response_status, sobject, record_id, mainstay_id, attempts,
       predicted_status, predicted_codes,
       status = predicted_status AND list_sort(coalesce(codes, [])) = list_sort(coalesce(predicted_codes, []))
           AS is_as_predicted,
       origin, finished_at
FROM journal.outcome;

-- latest_sync: the last sync result of each direction.
-- grain: one row per direction
CREATE VIEW view.latest_sync AS
SELECT direction, finished_at, status, name, sobject, record_id, mainstay_id, fail_message
FROM view.sync_result
QUALIFY row_number() OVER (PARTITION BY direction ORDER BY finished_at DESC, result_number DESC) = 1;

-- batch: every batch with its state and what came of it.
-- grain: one row per batch
CREATE VIEW view.batch AS
SELECT b.batch_id, b.preview_id, b.direction, b.state, b.row_count, coalesce(r.approved_count, 0) AS approved_count,
       b.requested_by, b.approved_by, b.is_four_eyes, b.slice, b.digest, b.created_at, b.changed_at,
       coalesce(o.sent_count, 0) AS sent_count, coalesce(o.success_count, 0) AS success_count,
       coalesce(o.partial_count, 0) AS partial_count, coalesce(o.fail_count, 0) AS fail_count,
       coalesce(o.unknown_count, 0) AS unknown_count
FROM journal.batch AS b
LEFT JOIN (
    SELECT batch_id, count(*) FILTER (WHERE is_approved) AS approved_count FROM journal.batch_change GROUP BY batch_id
) AS r USING (batch_id)
LEFT JOIN (
    SELECT batch_id, count(*) AS sent_count, count(*) FILTER (WHERE status = 'success') AS success_count,
           count(*) FILTER (WHERE status = 'partial') AS partial_count,
           count(*) FILTER (WHERE status = 'fail') AS fail_count,
           count(*) FILTER (WHERE status = 'unknown') AS unknown_count
    FROM journal.outcome GROUP BY batch_id
) AS o USING (batch_id);

-- batch_event: every step a batch took.
-- grain: one row per batch and step
CREATE VIEW view.batch_event AS
SELECT batch_id, from_state, to_state, who, reason, happened_at FROM journal.batch_event;

-- attempt: one HTTP request of a push and its answer.
-- grain: one row per batch, change and attempt
CREATE VIEW view.attempt AS
SELECT batch_id, change_id, number, system, method, url, request_body, response_status, response_body, codes, ms, sent_at
FROM journal.attempt;

-- prediction_score: predicted against actual codes of pushed changes; '(none)' counts the changes without any code.
-- grain: one row per batch and code (without the field that a code may name)
CREATE VIEW view.prediction_score AS
WITH sent AS (
    SELECT batch_id, change_id,
           list_distinct(list_transform(coalesce(predicted_codes, []), lambda c: split_part(c, ': ', 1))) AS predicted,
           list_distinct(list_transform(coalesce(codes, []), lambda c: split_part(c, ': ', 1))) AS actual
    FROM journal.outcome
    WHERE status <> 'unknown'
),
pairs AS (
    SELECT batch_id, change_id, unnest(CASE WHEN len(predicted) = 0 THEN ['(none)'] ELSE predicted END) AS code,
           1 AS is_predicted, 0 AS is_actual
    FROM sent
    UNION ALL
    SELECT batch_id, change_id, unnest(CASE WHEN len(actual) = 0 THEN ['(none)'] ELSE actual END) AS code,
           0 AS is_predicted, 1 AS is_actual
    FROM sent
),
per_change AS (
    SELECT batch_id, change_id, code, max(is_predicted) AS is_predicted, max(is_actual) AS is_actual
    FROM pairs GROUP BY batch_id, change_id, code
)
SELECT batch_id, code, CAST(sum(is_predicted) AS BIGINT) AS predicted, CAST(sum(is_actual) AS BIGINT) AS actual,
       CAST(sum(is_predicted * is_actual) AS BIGINT) AS hits, sum(is_predicted * is_actual) / count(*) AS hit_rate
FROM per_change
GROUP BY batch_id, code;

-- message: what was said to and by a contact, and why.
-- grain: one row per message
CREATE VIEW view.message AS
SELECT CAST(admithub_id AS VARCHAR) AS message_id, CAST(admithub_contact_id AS VARCHAR) AS contact_id,
       CAST(contact_crm_id AS VARCHAR) AS crm_id, CAST(created_at AS TIMESTAMPTZ) AS sent_at,
       CAST(channel AS VARCHAR) AS channel, CAST(incoming AS BOOLEAN) AS is_incoming, CAST(body AS VARCHAR) AS body,
       CASE WHEN incoming THEN 'Incoming'
            WHEN coalesce(user_name, user_email, user_id) IS NOT NULL THEN 'Live Chat'
            WHEN campaign_id IS NOT NULL OR campaign_name IS NOT NULL THEN 'Campaign'
            WHEN topic IS NOT NULL THEN 'AI'
            ELSE 'Other' END AS kind,
       CASE WHEN incoming THEN NULL
            WHEN coalesce(user_name, user_email, user_id) IS NOT NULL
                THEN 'Live Chat: ' || coalesce(user_name, user_email, user_id)
            WHEN campaign_id IS NOT NULL OR campaign_name IS NOT NULL
                THEN 'Campaign: ' || coalesce(campaign_name, campaign_id)
            WHEN topic IS NOT NULL THEN 'AI: ' || topic
            ELSE 'Other' END AS reason,
       CAST(campaign_id AS VARCHAR) AS campaign_id, CAST(failed AS BOOLEAN) AS is_failed,
       CAST(error_code AS VARCHAR) AS error_code, CAST(test_user AS BOOLEAN) AS is_test
FROM mainstay.message;

-- campaign: what was sent to an audience.
-- grain: one row per campaign
CREATE VIEW view.campaign AS
SELECT CAST(admithub_id AS VARCHAR) AS campaign_id, CAST(name AS VARCHAR) AS name,
       CAST(script_name AS VARCHAR) AS script_name, CAST(type AS VARCHAR) AS type, CAST(status AS VARCHAR) AS status,
       CAST(scheduled_at AS TIMESTAMPTZ) AS scheduled_at, CAST(sent_at AS TIMESTAMPTZ) AS sent_at,
       CAST(recipients AS VARCHAR) AS recipients, CAST(sent_count AS BIGINT) AS sent_count,
       CAST(responded_count AS BIGINT) AS responded_count, CAST(engagement AS DOUBLE) AS engagement,
       CAST(hidden AS BOOLEAN) AS is_hidden, CAST(test AS BOOLEAN) AS is_test, CAST(recurring AS BOOLEAN) AS is_recurring
FROM mainstay.campaign;

-- app_log: technical faults, apart from data validation.
-- grain: one row per logged fault
CREATE VIEW view.app_log AS
SELECT happened_at, level, logger, event, detail FROM journal.app_log;
