-- For which pulls, mapping and rules hashes were last kept beside the landed rows; one row.
CREATE TABLE journal.kept_look (asked VARCHAR);
