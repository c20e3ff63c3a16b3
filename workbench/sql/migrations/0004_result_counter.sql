-- Counters that never run backwards, also after old results were archived: sync_result holds the last SR number given.
CREATE TABLE journal.counter (name VARCHAR, value BIGINT);
INSERT INTO journal.counter SELECT 'sync_result', coalesce(max(result_number), 0) FROM journal.outcome;
