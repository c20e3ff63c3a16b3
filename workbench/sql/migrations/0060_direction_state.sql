-- How each direction runs; append-only, the last row of a direction counts.
CREATE TABLE config.direction_state (direction VARCHAR, state VARCHAR, who VARCHAR, reason VARCHAR, changed_at TIMESTAMPTZ);
CREATE VIEW view.direction AS
SELECT d.direction, coalesce(s.state, 'queue') AS state, s.who, s.reason, s.changed_at
FROM (VALUES ('export'), ('import')) AS d (direction)
LEFT JOIN (SELECT direction, max_by(state, changed_at) AS state, max_by(who, changed_at) AS who,
                  max_by(reason, changed_at) AS reason, max(changed_at) AS changed_at
           FROM config.direction_state GROUP BY direction) AS s ON s.direction = d.direction;
