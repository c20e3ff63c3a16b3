-- verdict_field: whose value counts for each field that differs between linked records, and who says so.
-- grain: one row per record, contact and field; place: the field in work.two_way_field
-- reads: work.disagreement, store.journal.conflict_decision
-- binds: $direction
-- source: design, section 6, "Conflicts"; decision 40
-- assumes: a decision holds for the two values it was taken on; blank is a value
WITH decision AS (
    SELECT sobject, record_id, contact_id, field, salesforce_value, mainstay_value, winner, decided_by
    FROM store.journal.conflict_decision
    QUALIFY row_number() OVER (
        PARTITION BY sobject, record_id, contact_id, field, salesforce_value, mainstay_value
        ORDER BY decided_at DESC) = 1
),
judged AS (
    SELECT disagreement.*,
           decision.winner AS said,
           decision.decided_by,
           CASE WHEN decision.winner IS NOT NULL THEN 'decided'
                WHEN NOT has_baseline THEN 'no_baseline'
                WHEN disagreement.mainstay_value IS NOT DISTINCT FROM baseline THEN 'only_salesforce_changed'
                WHEN disagreement.salesforce_value IS NOT DISTINCT FROM baseline THEN 'only_mainstay_changed'
                WHEN rule IN ('salesforce', 'mainstay') THEN 'rule'
                WHEN rule = 'newest' AND salesforce_modified_at <> mainstay_modified_at THEN 'newest'
                ELSE 'ask' END AS cause
    FROM work.disagreement AS disagreement
    LEFT JOIN decision ON decision.sobject = disagreement.sobject
                      AND decision.record_id = disagreement.record_id
                      AND decision.contact_id = disagreement.contact_id
                      AND decision.field = disagreement.field
                      AND decision.salesforce_value IS NOT DISTINCT FROM disagreement.salesforce_value
                      AND decision.mainstay_value IS NOT DISTINCT FROM disagreement.mainstay_value
)
SELECT record_id,
       contact_id,
       place,
       has_baseline,
       baseline,
       salesforce_value,
       mainstay_value,
       salesforce_modified_at,
       mainstay_modified_at,
       cause,
       CASE WHEN cause = 'decided' THEN said
            WHEN cause = 'no_baseline' AND $direction = 'export' THEN 'salesforce'
            WHEN cause = 'no_baseline' THEN 'mainstay'
            WHEN cause = 'only_salesforce_changed' THEN 'salesforce'
            WHEN cause = 'only_mainstay_changed' THEN 'mainstay'
            WHEN cause = 'rule' THEN rule
            WHEN cause = 'newest' AND salesforce_modified_at > mainstay_modified_at THEN 'salesforce'
            WHEN cause = 'newest' THEN 'mainstay' END AS winner,
       decided_by
FROM judged
