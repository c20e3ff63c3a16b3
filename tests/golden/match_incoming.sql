WITH reached AS (
    SELECT u.seq,
           found.record_row,
           coalesce(found.row_count, 0) AS match_count,
           rivals.row_count AS rival_count
    FROM work.unlinked AS u
    JOIN (SELECT match_key_0, count(*) AS row_count
          FROM work.unlinked WHERE match_key_0 IS NOT NULL GROUP BY match_key_0) AS rivals ON rivals.match_key_0 = u.match_key_0
    LEFT JOIN (SELECT match_key_0, min(record_row) AS record_row, count(*) AS row_count
               FROM work.record_now WHERE match_key_0 IN (SELECT match_key_0 FROM work.unlinked) GROUP BY match_key_0) AS found
      ON found.match_key_0 = u.match_key_0
    UNION ALL
    SELECT u.seq,
           found.record_row,
           coalesce(found.row_count, 0) AS match_count,
           rivals.row_count AS rival_count
    FROM work.unlinked AS u
    JOIN (SELECT match_key_1, count(*) AS row_count
          FROM work.unlinked WHERE match_key_1 IS NOT NULL GROUP BY match_key_1) AS rivals ON rivals.match_key_1 = u.match_key_1
    LEFT JOIN (SELECT match_key_1, min(record_row) AS record_row, count(*) AS row_count
               FROM work.record_now WHERE match_key_1 IN (SELECT match_key_1 FROM work.unlinked) GROUP BY match_key_1) AS found
      ON found.match_key_1 = u.match_key_1
),
per_contact AS (
    SELECT seq,
           min(record_row) AS record_row,
           CASE WHEN count(DISTINCT record_row) > 1 THEN count(DISTINCT record_row) ELSE max(match_count) END
               AS match_count,
           max(rival_count) AS rival_count
    FROM reached
    GROUP BY seq
),
per_record AS (
    SELECT record_row, count(*) AS contact_count
    FROM per_contact
    WHERE record_row IS NOT NULL
    GROUP BY record_row
)
SELECT per_contact.seq,
       per_contact.record_row,
       per_contact.match_count,
       greatest(per_contact.rival_count, coalesce(per_record.contact_count, 0)) AS rival_count
FROM per_contact
LEFT JOIN per_record ON per_record.record_row = per_contact.record_row
