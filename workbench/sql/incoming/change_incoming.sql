-- change_incoming: the end of the import preview, one named bucket and one prediction per contact.
-- grain: one row per work.verdict_incoming.contact_id
-- reads: work.verdict_incoming, work.payload_incoming, work.left_record
-- source: Salesforce wire reference, section 3: a unique value has one holder at a time, whatever its case
-- assumes: changes of one group are sent one after the other, in the order of seq
WITH RECURSIVE settled AS (
    SELECT verdict.seq,
           verdict.contact_id,
           verdict.record_id,
           verdict.candidate_id,
           verdict.rule,
           verdict.cause,
           coalesce(payload.is_eligibility_open OR payload.is_parent_open, false) AS is_open,
           payload.body,
           payload.fields,
           kept.asked_fields,
           kept.left_fields,
           kept.cleared_fields,
           CASE WHEN verdict.action IN ('excluded', 'conflict') THEN verdict.action
                WHEN NOT coalesce(payload.is_eligible, verdict.meets_criteria) THEN CAST('excluded' AS action)
                WHEN kept.asks THEN CAST('conflict' AS action)
                WHEN verdict.action = 'update' AND coalesce(payload.fields, '[]') = '[]' THEN CAST('none' AS action)
                WHEN len(payload.codes) > 0 THEN CAST('blocked' AS action)
                ELSE verdict.action END AS action,
           verdict.action IN ('update', 'link', 'create')
               AND NOT coalesce(payload.is_eligible, verdict.meets_criteria) AS is_rejected,
           payload.codes,
           payload.claims
    FROM work.verdict_incoming AS verdict
    LEFT JOIN work.payload_incoming AS payload ON payload.contact_id = verdict.contact_id
    LEFT JOIN work.left_record AS kept ON kept.contact_id = verdict.contact_id AND kept.record_id = verdict.record_id
),
-- Every unique value that a change would take, with the one it gives up and the record that holds it now.
claim AS (
    SELECT settled.seq,
           coalesce(settled.record_id, settled.contact_id) AS taker,
           unnest(settled.claims, recursive := true)
    FROM settled
    WHERE settled.action IN ('update', 'link', 'create') AND len(settled.claims) > 0
),
-- What happens to each value: taken by a record, or given up (holder '').
happening AS (
    SELECT seq, field, claimed AS value, taker AS holder FROM claim WHERE claimed IS NOT NULL
    UNION ALL
    SELECT seq, field, held AS value, '' AS holder FROM claim WHERE held IS NOT NULL AND held IS DISTINCT FROM claimed
),
contested AS (
    SELECT field, value, min(seq) AS first_seq
    FROM happening
    GROUP BY field, value
    HAVING count(*) > 1
),
-- Values that nobody contends for are lost to the record that holds them now, whatever the order.
lost AS (
    SELECT DISTINCT claim.seq
    FROM claim
    LEFT JOIN contested ON contested.field = claim.field AND contested.value = claim.claimed
    WHERE contested.value IS NULL AND claim.holder <> claim.taker
),
-- Contested values alone depend on the order. Seq 0 is the state that was pulled.
event AS (
    SELECT happening.seq, happening.field, happening.value, happening.holder, contested.first_seq
    FROM happening
    JOIN contested ON contested.field = happening.field AND contested.value = happening.value
    ANTI JOIN lost ON lost.seq = happening.seq
    UNION ALL
    SELECT DISTINCT 0 AS seq, claim.field, claim.claimed AS value, claim.holder, contested.first_seq
    FROM claim
    JOIN contested ON contested.field = claim.field AND contested.value = claim.claimed
    WHERE claim.holder IS NOT NULL
),
-- Round by round: a change is refused if the value is then held by another record, refused changes not counting.
-- Each round is right for at least one change more, and the first that alters nothing is the last.
turn AS (
    SELECT DISTINCT 0 AS round, seq, false AS is_refused FROM event
    UNION ALL
    SELECT round + 1 AS round, seq, is_refused
    FROM (
        SELECT round,
               seq,
               bool_or(coalesce(holder <> '' AND holder_before NOT IN ('', holder), false)) AS is_refused,
               bool_or(was_refused) AS was_refused
        FROM (
            SELECT turn.round,
                   event.seq,
                   event.holder,
                   turn.is_refused AS was_refused,
                   last_value(CASE WHEN NOT turn.is_refused THEN event.holder END IGNORE NULLS) OVER (
                       PARTITION BY event.field, event.value ORDER BY event.seq
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS holder_before
            FROM turn
            JOIN event ON event.seq = turn.seq
        ) AS looked
        GROUP BY round, seq
    ) AS decided
    QUALIFY bool_or(is_refused <> was_refused) OVER ()
),
-- Changes that contend for one value, directly or by others, are one group, named by its first seq.
grouped AS (
    SELECT 0 AS round, seq, min(first_seq) AS group_id FROM event WHERE seq > 0 GROUP BY seq
    UNION ALL
    SELECT round + 1 AS round, seq, group_id
    FROM (
        SELECT round, seq, min(least_of_value) AS group_id, min(own) AS own
        FROM (
            SELECT grouped.round,
                   event.seq,
                   grouped.group_id AS own,
                   min(grouped.group_id) OVER (PARTITION BY event.field, event.value) AS least_of_value
            FROM grouped
            JOIN event ON event.seq = grouped.seq
        ) AS spread
        GROUP BY round, seq
    ) AS lowered
    QUALIFY bool_or(group_id <> own) OVER ()
),
ordered AS (
    SELECT grouped.seq, min(grouped.group_id) AS group_id, arg_max(turn.is_refused, turn.round) AS is_refused
    FROM grouped
    JOIN turn ON turn.seq = grouped.seq
    GROUP BY grouped.seq
),
judged AS (
    SELECT settled.* EXCLUDE (action, codes),
           ordered.group_id,
           lost.seq IS NOT NULL OR coalesce(ordered.is_refused, false) AS is_duplicate,
           CASE WHEN is_duplicate THEN CAST('blocked' AS action) ELSE settled.action END AS action,
           CASE WHEN is_duplicate THEN ['DUPLICATE_VALUE'] ELSE settled.codes END AS codes
    FROM settled
    LEFT JOIN ordered ON ordered.seq = settled.seq
    LEFT JOIN lost ON lost.seq = settled.seq
)
SELECT seq,
       record_id AS salesforce_id,
       contact_id AS mainstay_id,
       candidate_id,
       rule,
       action,
       group_id,
       CASE WHEN action = 'blocked' THEN codes ELSE CAST([] AS VARCHAR[]) END AS codes,
       CASE WHEN action IN ('update', 'link', 'create', 'blocked') THEN nullif(body, '{}') END AS body,
       CASE WHEN action IN ('update', 'link', 'create', 'blocked') THEN coalesce(fields, '[]') ELSE '[]' END AS fields,
       CASE WHEN action = 'blocked' THEN 'fail'
            WHEN action IN ('update', 'link', 'create') THEN 'success' END AS predicted_status,
       is_open,
       CASE WHEN is_rejected THEN 'The record sync criteria would be false after the change'
            WHEN cause = 'test_contact' THEN 'Test contacts are never written to Salesforce'
            WHEN cause = 'other_object' THEN 'The CRM ID belongs to another kind of Salesforce record'
            WHEN cause = 'claimed' THEN 'An object mapped before this one decides about the contact'
            WHEN cause = 'unmatched_ignored' THEN 'No record matches, and creating unmatched records is off'
            WHEN cause = 'crm_id_twice' THEN 'Several Mainstay contacts carry this CRM ID'
            WHEN cause = 'dangling_crm_id' THEN 'The CRM ID is on no Salesforce record that was pulled'
            WHEN cause = 'several_records' THEN 'Several Salesforce records match this contact'
            WHEN cause = 'several_contacts' THEN 'Several Mainstay contacts match the same values'
            WHEN cause = 'record_taken' THEN 'The matching record is already linked to another contact'
            WHEN action = 'conflict'
                THEN 'Both sides changed ' || list_aggregate(asked_fields, 'string_agg', ', ') || ' since they last agreed'
            WHEN action = 'none' AND len(cleared_fields) > 0
                THEN 'Linked by CRM ID; Salesforce cannot clear ' || list_aggregate(cleared_fields, 'string_agg', ', ')
                     || ' as Mainstay did: its value stays'
            WHEN action = 'none' AND len(left_fields) > 0 THEN 'Linked by CRM ID; what differs is left to Salesforce'
            WHEN is_duplicate AND group_id IS NOT NULL
                THEN 'Salesforce will refuse a unique value that another record holds when its turn comes'
            WHEN is_duplicate THEN 'Salesforce will refuse a unique value of another record'
            WHEN action = 'blocked' THEN 'Salesforce will refuse the values'
            WHEN action = 'none' THEN 'Linked by CRM ID and already equal'
            WHEN action = 'update' THEN 'Linked by CRM ID; values differ'
            WHEN action = 'link' THEN 'The matching fields agree; the contact acquires the CRM ID'
            ELSE 'No record matches; a new one is created and the contact acquires its Id' END AS reason,
       CASE WHEN action IN ('update', 'link', 'create', 'blocked') AND contains(fields, '"after":null')
            THEN ['blank-value'] ELSE CAST([] AS VARCHAR[]) END AS guards
FROM judged
