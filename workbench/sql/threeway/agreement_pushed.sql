-- agreement_pushed: what each linked pair of a finished push agrees on from now on.
-- grain: one row per record and contact
-- reads: work.written_value, work.two_way_field, store.journal.last_agreed
-- assumes: what an undo or a resend wrote is agreed by nobody; of two writes of one field the later counts
WITH latest AS (
    SELECT * FROM work.written_value
    QUALIFY row_number() OVER (PARTITION BY sobject, record_id, contact_id, place ORDER BY finished_at DESC) = 1
),
written AS (
    SELECT sobject,
           record_id,
           contact_id,
           max(finished_at) AS agreed_at,
           map_from_entries(list({'key': place, 'value': CASE WHEN NOT is_forgotten THEN replace(coalesce(after, ''), chr(31), ' ') END}))
               AS agreed
    FROM latest
    GROUP BY sobject, record_id, contact_id
),
width AS (
    SELECT sobject, max(place) AS fields
    FROM work.two_way_field
    GROUP BY sobject
)
SELECT written.sobject,
       written.record_id,
       written.contact_id,
       array_to_string(list_transform(range(1, width.fields + 1), lambda place : coalesce(
           CASE WHEN map_contains(written.agreed, place) THEN written.agreed[place]
                ELSE agreed_value(old.agreed, place) END, chr(30))), chr(31)) AS agreed,
       written.agreed_at
FROM written
JOIN width ON width.sobject = written.sobject
LEFT JOIN store.journal.last_agreed AS old ON old.sobject = written.sobject
                                          AND old.record_id = written.record_id
                                          AND old.contact_id = written.contact_id
