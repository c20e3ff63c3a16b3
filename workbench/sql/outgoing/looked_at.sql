-- looked_at: records whose values are fetched, and the contact whose values stand beside them.
-- grain: one row per work.differing row
-- reads: work.verdict_outgoing, work.differing (slice_N: which values)
SELECT verdict.seq,
       verdict.record_row,
       verdict.contact_row,
       verdict.phone_key,
       verdict.contact_phone,
       differing.* EXCLUDE (seq)
FROM work.verdict_outgoing AS verdict
JOIN work.differing AS differing ON differing.seq = verdict.seq
