SELECT row_number() OVER (ORDER BY c.modified_at, c.contact_id) AS seq,
       c.* EXCLUDE (modified_at),
       false AS is_claimed,
       true AS is_looked_at
FROM work.contact_key AS c
