-- collision_outgoing: records that touch a phone which another record touches too; their order decides.
-- grain: one row per record and contended phone
-- reads: work.touch_outgoing
WITH contended AS (
    SELECT phone
    FROM work.touch_outgoing
    GROUP BY phone
    HAVING count(*) > 1
)
SELECT touch.seq, touch.phone
FROM work.touch_outgoing AS touch
SEMI JOIN contended ON contended.phone = touch.phone
