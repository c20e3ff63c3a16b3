-- match_outgoing: which Mainstay contact each outgoing Salesforce record reaches, and who holds its phone.
-- grain: one row per work.outgoing.record_id
-- reads: work.outgoing, work.crm_id_owner, work.phone_owner
-- source: guide, "Initial sync": by CRM ID first, then by mobile phone
-- assumes: CRM IDs compare exactly, phones as ten digits; a blank matches nothing
SELECT outgoing.seq,
       outgoing.record_id,
       outgoing.record_row,
       outgoing.is_eligible,
       outgoing.has_names,
       outgoing.has_phone,
       outgoing.phone_key,
       linked.contact_id AS linked_id,
       holder.contact_id AS phone_owner_id,
       coalesce(linked.owner_count, 0) AS crm_id_owners,
       coalesce(holder.owner_count, 0) AS phone_owners,
       coalesce(linked.contact_id, holder.contact_id) AS contact_id,
       coalesce(linked.contact_row, holder.contact_row) AS contact_row,
       CAST(CASE WHEN linked.contact_id IS NOT NULL THEN 'crm_id'
            WHEN holder.contact_id IS NOT NULL THEN 'phone'
            ELSE 'none' END AS match_rule) AS rule,
       CASE WHEN linked.contact_id IS NULL THEN holder.crm_id_key END AS held_crm_id,
       CASE WHEN linked.contact_id IS NOT NULL THEN linked.phone_key ELSE holder.phone END AS contact_phone,
       linked.previous_phone_key AS contact_previous_phone
FROM work.outgoing AS outgoing
LEFT JOIN work.crm_id_owner AS linked ON linked.crm_id = outgoing.record_id
LEFT JOIN work.phone_owner AS holder ON holder.phone = outgoing.phone_key
