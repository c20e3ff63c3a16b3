-- Why changes of a preview need a second look, counted. field: of the receiving side, where the guard is about one.
-- share: the part of the present values that would be replaced or cleared, for mass changes.
CREATE TABLE preview.guard (
    preview_id INTEGER, guard VARCHAR, field VARCHAR, row_count BIGINT, share DOUBLE, sentence VARCHAR
);

-- Records of other objects that would be sent to Mainstay again, because a change writes a field they show of it.
CREATE TABLE preview.fan_out (preview_id INTEGER, change_id VARCHAR, child_object VARCHAR, children BIGINT);

-- Which version of the rules foretold a code.
ALTER TABLE preview.prediction ADD COLUMN rules_version VARCHAR;

-- guard: why changes of a preview need a second look, per guard and field.
-- grain: one row per preview, guard and field
CREATE VIEW view.guard AS
SELECT g.preview_id, p.direction, g.guard, g.field, g.row_count, g.share, g.sentence
FROM preview.guard AS g JOIN preview.preview AS p USING (preview_id);

-- fan_out: records that would be sent to Mainstay again, because a change writes a field they show.
-- grain: one row per preview, change and object
CREATE VIEW view.fan_out AS
SELECT preview_id, change_id, child_object, children FROM preview.fan_out;

-- calibration: predicted against actual codes of all pushes, by the certainty and the rules that foretold them.
-- grain: one row per direction, code (without the field it may name), certainty and rules version
CREATE VIEW view.calibration AS
WITH ended AS (
    SELECT outcome.batch_id, batch.preview_id, outcome.change_id, outcome.direction,
           list_distinct(list_transform(coalesce(outcome.codes, []), lambda c: split_part(c, ': ', 1))) AS actual
    FROM journal.outcome AS outcome JOIN journal.batch AS batch USING (batch_id)
    WHERE outcome.status <> 'unknown'
),
foretold AS (
    SELECT preview_id, change_id, split_part(code, ': ', 1) AS code, min(certainty) AS certainty,
           max(coalesce(rules_version, 'before versions')) AS rules_version
    FROM preview.prediction
    GROUP BY preview_id, change_id, split_part(code, ': ', 1)
),
judged AS (
    SELECT ended.direction, foretold.code, foretold.certainty, foretold.rules_version, true AS is_predicted,
           list_contains(ended.actual, foretold.code) AS is_actual
    FROM ended JOIN foretold USING (preview_id, change_id)
    UNION ALL
    SELECT direction, code, 'not foretold' AS certainty, NULL AS rules_version, false, true
    FROM (SELECT batch_id, preview_id, change_id, direction, unnest(actual) AS code FROM ended) AS met
    WHERE NOT EXISTS (SELECT 1 FROM foretold WHERE foretold.preview_id = met.preview_id
                      AND foretold.change_id = met.change_id AND foretold.code = met.code)
)
SELECT direction, code, certainty, rules_version, count(*) FILTER (WHERE is_predicted) AS predicted,
       count(*) FILTER (WHERE is_actual) AS actual, count(*) FILTER (WHERE is_predicted AND is_actual) AS hits,
       count(*) FILTER (WHERE is_predicted AND NOT is_actual) AS false_alarms,
       count(*) FILTER (WHERE is_actual AND NOT is_predicted) AS misses,
       count(*) FILTER (WHERE is_predicted AND is_actual) / count(*) AS hit_rate
FROM judged
GROUP BY direction, code, certainty, rules_version;
