-- What both sides last agreed on: the ground of three-way comparisons. One row per linked pair, kept current, so that
-- a million people stay small. `agreed` holds one value per field of journal.agreed_look, in its order: an empty text is
-- a common blank, a null was never seen equal.
CREATE TABLE journal.last_agreed (
    sobject VARCHAR, record_id VARCHAR, contact_id VARCHAR, agreed VARCHAR[], agreed_at TIMESTAMPTZ
);

-- Which fields (Mainstay names; `pairs` with the Salesforce name before it) and pulls the agreement was last read from;
-- one row per SObject.
CREATE TABLE journal.agreed_look (
    sobject VARCHAR, fields VARCHAR[], pairs VARCHAR[], pulls VARCHAR, pulled_at TIMESTAMPTZ, looked_at TIMESTAMPTZ
);

-- last_agreed: the value both systems last had, field by field; null is a common blank.
-- grain: one row per linked pair and field that was ever seen equal
CREATE VIEW view.last_agreed AS
SELECT sobject, salesforce_id, mainstay_id, field, nullif(value, '') AS value, agreed_at
FROM (
    SELECT a.sobject, a.record_id AS salesforce_id, a.contact_id AS mainstay_id, unnest(look.fields) AS field,
           unnest(a.agreed) AS value, a.agreed_at
    FROM journal.last_agreed AS a JOIN journal.agreed_look AS look ON look.sobject = a.sobject
) AS one_by_one
WHERE value IS NOT NULL;

-- What a person said about one field that both sides changed; append-only, the latest about the same two values counts.
-- winner: salesforce | mainstay. A decision holds for the two values it was taken on: another change asks again.
CREATE TABLE journal.conflict_decision (
    sobject VARCHAR, record_id VARCHAR, contact_id VARCHAR, field VARCHAR, winner VARCHAR, salesforce_value VARCHAR,
    mainstay_value VARCHAR, decided_by VARCHAR, note VARCHAR, decided_at TIMESTAMPTZ
);

-- Fields of linked pairs that differ and were not simply changed by the sending side, as a preview saw them.
-- cause: decided | only_salesforce_changed | only_mainstay_changed | no_baseline | rule | newest | ask.
-- winner: salesforce | mainstay; null asks a person. Times are those of the whole records.
CREATE TABLE preview.conflict (
    preview_id INTEGER, change_id VARCHAR, field VARCHAR, salesforce_field VARCHAR, has_baseline BOOLEAN,
    baseline VARCHAR, salesforce_value VARCHAR, mainstay_value VARCHAR, salesforce_modified_at TIMESTAMPTZ,
    mainstay_modified_at TIMESTAMPTZ, rule VARCHAR, cause VARCHAR, winner VARCHAR, decided_by VARCHAR
);

-- conflict: the worklist: one field of a linked pair that differs, who moved it, which side counts, and who says so.
-- grain: one row per preview, change and field
CREATE VIEW view.conflict AS
WITH decision AS (
    SELECT * FROM journal.conflict_decision
    QUALIFY row_number() OVER (
        PARTITION BY sobject, record_id, contact_id, field, salesforce_value, mainstay_value ORDER BY decided_at DESC
    ) = 1
)
SELECT c.preview_id, c.change_id, change.direction, change.sobject, change.salesforce_id, change.mainstay_id,
       c.field, c.salesforce_field, c.has_baseline, c.baseline, c.salesforce_value, c.mainstay_value,
       c.salesforce_modified_at, c.mainstay_modified_at, c.rule, c.cause, c.winner,
       CASE WHEN c.cause = 'decided' THEN c.decided_by
            WHEN c.cause IN ('rule', 'newest') THEN 'the mapping'
            WHEN c.cause IN ('only_salesforce_changed', 'only_mainstay_changed') THEN 'the baseline'
            WHEN c.cause = 'no_baseline' THEN 'the direction of the run' END AS decided_by,
       CASE WHEN c.cause = 'decided' THEN c.decided_by || ' decided for ' || c.winner
            WHEN c.cause = 'only_salesforce_changed' THEN 'Only Salesforce changed it since both last agreed'
            WHEN c.cause = 'only_mainstay_changed' THEN 'Only Mainstay changed it since both last agreed'
            WHEN c.cause = 'no_baseline' THEN 'Never seen equal; the direction of the run decides'
            WHEN c.cause = 'rule' THEN 'Both sides changed it; the mapping says ' || c.winner
            WHEN c.cause = 'newest' AND c.winner = 'salesforce'
                THEN 'Both sides changed it; the Salesforce record was changed last'
            WHEN c.cause = 'newest' THEN 'Both sides changed it; the Mainstay contact was changed last'
            ELSE 'Both sides changed it since they last agreed; a person decides' END AS reason,
       c.winner IS NULL AND decision.winner IS NULL AS is_open,
       decision.winner AS decision, decision.decided_by AS decision_by, decision.note AS decision_note, decision.decided_at AS decision_at
FROM preview.conflict AS c
JOIN preview.change AS change ON change.preview_id = c.preview_id AND change.change_id = c.change_id
LEFT JOIN decision ON decision.sobject = change.sobject AND decision.record_id = change.salesforce_id
                  AND decision.contact_id = change.mainstay_id AND decision.field = c.field
                  AND decision.salesforce_value IS NOT DISTINCT FROM c.salesforce_value
                  AND decision.mainstay_value IS NOT DISTINCT FROM c.mainstay_value;
