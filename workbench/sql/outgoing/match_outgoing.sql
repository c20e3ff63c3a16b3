-- match_outgoing: which Mainstay contact each outgoing Salesforce record reaches, and who holds its phone.
-- grain: one row per work.outgoing.record_id
-- reads: work.outgoing, work.crm_id_owner, work.phone_owner, work.contact_now
-- source: guide, "Initial sync": by CRM ID first, then by mobile phone
-- assumes: CRM IDs compare exactly, phones as ten digits; a blank matches nothing
WITH candidate AS (
    SELECT outgoing.seq,
           outgoing.record_id,
           outgoing.is_eligible,
           outgoing.has_names,
           outgoing.has_phone,
           outgoing.phone_key,
           by_crm_id.contact_id AS linked_id,
           by_phone.contact_id AS phone_owner_id,
           coalesce(by_crm_id.owner_count, 0) AS crm_id_owners,
           coalesce(by_phone.owner_count, 0) AS phone_owners
    FROM work.outgoing AS outgoing
    LEFT JOIN work.crm_id_owner AS by_crm_id ON by_crm_id.crm_id = outgoing.record_id
    LEFT JOIN work.phone_owner AS by_phone ON by_phone.phone = outgoing.phone_key
)
SELECT candidate.*,
       coalesce(linked_id, phone_owner_id) AS contact_id,
       CASE WHEN linked_id IS NOT NULL THEN 'crm_id'
            WHEN phone_owner_id IS NOT NULL THEN 'phone'
            ELSE 'none' END AS rule,
       contact.crm_id_key AS contact_crm_id,
       contact.phone_key AS contact_phone,
       contact.previous_phone_key AS contact_previous_phone
FROM candidate
LEFT JOIN work.contact_now AS contact ON contact.contact_id = coalesce(candidate.linked_id, candidate.phone_owner_id)
