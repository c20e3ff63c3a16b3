-- opting_back: requests that opt somebody in whose SMS status nobody sees: it may have been an opt-out.
-- grain: one row per such request
-- reads: work.verdict_outgoing, work.request_outgoing
-- source: Mainstay API reference, section 10, item 3
-- What is looked for hangs on the record, though it is the same for all: no other body is looked into.
WITH hidden AS (
    SELECT seq, CASE WHEN is_status_hidden THEN '"messaging_status_sms":"opted-in"' END AS said
    FROM work.verdict_outgoing
    WHERE is_status_hidden
)
SELECT request.seq
FROM work.request_outgoing AS request
JOIN hidden ON hidden.seq = request.seq
WHERE contains(request.body, hidden.said)
