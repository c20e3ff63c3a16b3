"""The mutations: a rule's text, what breaks it, and the smallest tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass

OUT = ("tests/sql/test_outgoing.py",)
IN = ("tests/sql/test_incoming.py",)
CHANGE_IN = ("tests/sql/test_change_incoming.py",)
REFUSE = ("tests/sql/test_payload_incoming.py",)
THREE = ("tests/sql/test_three_way.py",)
AGREED = ("tests/properties/test_agreement.py",)
GUARDS = ("tests/sql/test_guards.py",)
GUARDIAN = ("tests/properties/test_guardian.py",)
IMPORT = ("tests/properties/test_import.py",)
RULES = ("tests/properties/test_rules_in_sql.py",)


@dataclass(frozen=True)
class Mutation:
    """In `file` (below workbench/) `find` becomes `replace`."""

    file: str
    find: str
    replace: str
    breaks: str
    tests: tuple[str, ...]


VERDICT = "sql/outgoing/verdict_outgoing.sql"
VERDICT_IN = "sql/incoming/verdict_incoming.sql"
FIELD = "sql/threeway/verdict_field.sql"
LEFT = "sql/threeway/left_record.sql"
CODES = "engine/compile_codes.py"
REFUSALS = "engine/compile_refusals.py"

MUTATIONS = (
    # Match and verdict of exports.
    Mutation(VERDICT, "WHEN NOT is_eligible THEN 'excluded'", "WHEN false THEN 'excluded'", "criteria are ignored", OUT),
    Mutation(VERDICT, "WHEN crm_id_owners > 1 OR asks THEN", "WHEN asks THEN", "a CRM ID held twice asks nobody", OUT),
    Mutation(VERDICT, "phone_owner_id IS NOT NULL THEN 'blocked'", "phone_owner_id IS NOT NULL THEN 'update'",
             "a phone of another contact is taken", OUT),
    Mutation(VERDICT, "WHEN rule = 'phone' AND contact_crm_id IS NOT NULL THEN 'blocked'",
             "WHEN rule = 'phone' AND contact_crm_id IS NOT NULL THEN 'link'", "another's CRM ID is overwritten", OUT),
    Mutation(VERDICT, "THEN 'reverted'", "THEN 'changes'", "a reverted phone goes unseen", OUT),
    Mutation(VERDICT, "phone_key IS NULL THEN 'invalid'", "phone_key IS NULL THEN 'absent'", "a bad phone is no phone", OUT),
    Mutation(VERDICT, "THEN 'cleared'", "THEN 'absent'", "a cleared phone goes unseen", OUT),
    Mutation(VERDICT, "WHEN NOT has_names OR", "WHEN", "a new contact needs no names", OUT),
    Mutation("sql/outgoing/touch_outgoing.sql", "phone_fate IN ('changes', 'cleared')", "phone_fate IN ('cleared')",
             "a freed phone is not contended", OUT),
    Mutation("sql/outgoing/collision_outgoing.sql", "HAVING count(*) > 1", "HAVING count(*) > 2",
             "pairs that share a phone are not walked", GUARDIAN),
    # Partial codes of exports.
    Mutation(CODES, '"phone_fate = \'invalid\'"', '"false"', "invalid-phone is not foretold", GUARDIAN),
    Mutation(CODES, '"phone_fate = \'reverted\'"', '"false"', "contact-out-of-sync is not foretold", GUARDIAN),
    Mutation(CODES, "strlen({pair.column}) > {CUSTOM_VALUE_LIMIT}", "strlen({pair.column}) > 99999",
             "long values are not foretold", GUARDIAN),
    Mutation(CODES, "{wanted} = 'paused' OR", "false OR", "pausing is allowed", GUARDIAN),
    Mutation(CODES, "({now}) = 'opted-out')", "false)", "opting back in is allowed", GUARDIAN),
    Mutation(CODES, "method = 'PUT' AND preferred_now IS NOT NULL", "false", "a preferred name is replaced", GUARDIAN),
    Mutation("engine/rules_sql.py", "AND digits NOT LIKE '555%'", "", "area code 555 passes", RULES),
    Mutation("engine/rules_sql.py", "AND NOT contains(t, '..')", "", "two dots pass in an address", RULES),
    # Match and verdict of imports.
    Mutation(VERDICT_IN, "WHEN is_test THEN 'test_contact'", "WHEN false THEN 'test_contact'", "test contacts pass", IN),
    Mutation(VERDICT_IN, "WHEN link_count > 1 THEN 'crm_id_twice'", "WHEN false THEN 'crm_id_twice'",
             "a CRM ID carried twice asks nobody", IN),
    Mutation(VERDICT_IN, "crm_id_key[1:3] <> key_prefix", "false", "another object's CRM ID is a conflict", IN),
    Mutation(VERDICT_IN, "WHEN match_count > 1 THEN", "WHEN false THEN", "several matching records ask nobody", IN),
    Mutation(VERDICT_IN, "WHEN rival_count > 1 THEN", "WHEN false THEN", "several matching contacts ask nobody", IN),
    Mutation(VERDICT_IN, "WHEN other_contact_id IS NOT NULL THEN", "WHEN false THEN", "a taken record is linked", IN),
    Mutation(VERDICT_IN, "WHEN $create_unmatched THEN", "WHEN $create_unmatched OR true THEN", "unmatched is created", IN),
    Mutation("engine/compile_import.py", 'f"lower({texts[pair.column]})"', 'f"({texts[pair.column]})"',
             "matching counts case", IMPORT),
    # Criteria, refusals and unique values of imports.
    Mutation("sql/incoming/change_incoming.sql", "WHEN len(payload.codes) > 0 THEN 'blocked'", "", "refusals are sent",
             CHANGE_IN),
    Mutation("sql/incoming/change_incoming.sql", "claim.holder <> claim.taker", "false", "a held unique value is taken",
             CHANGE_IN),
    Mutation(REFUSALS, "length({pair.column}) > {field.length}", "false", "STRING_TOO_LONG is not foretold", REFUSE),
    Mutation(REFUSALS, "WHEN is_create{missing} THEN", "WHEN false THEN", "REQUIRED_FIELD_MISSING is not foretold", REFUSE),
    Mutation(REFUSALS, "NOT list_has_all(", "list_has_all(", "restricted picklists are read backwards", REFUSE),
    Mutation(REFUSALS, '{parent(pair)} IS NULL"', 'false"', "INVALID_CROSS_REFERENCE_KEY is not foretold", REFUSE),
    Mutation(REFUSALS, "NOT regexp_full_match({pair.column}", "regexp_full_match({pair.column}",
             "addresses are read backwards", REFUSE),
    # Three-way.
    Mutation(FIELD, "WHEN decision.winner IS NOT NULL THEN 'decided'", "", "decisions are ignored", THREE),
    Mutation(FIELD, "ORDER BY decided_at DESC", "ORDER BY decided_at", "the first decision counts", THREE),
    Mutation(FIELD, "AND decision.salesforce_value IS NOT DISTINCT FROM disagreement.salesforce_value", "",
             "a decision outlives its value", THREE),
    Mutation(FIELD, "WHEN NOT has_baseline THEN 'no_baseline'", "", "a value never agreed asks", THREE),
    Mutation(FIELD, "THEN 'only_salesforce_changed'\n                WHEN disagreement.salesforce_value",
             "THEN 'only_mainstay_changed'\n                WHEN disagreement.salesforce_value", "sides are mixed up", THREE),
    Mutation(FIELD, "AND salesforce_modified_at <> mainstay_modified_at", "", "equal times do not ask", THREE),
    Mutation(FIELD, "salesforce_modified_at > mainstay_modified_at", "salesforce_modified_at < mainstay_modified_at",
             "the oldest wins", THREE),
    Mutation(LEFT, "FILTER (WHERE winner IS DISTINCT FROM $sender)", "FILTER (WHERE winner <> $sender)",
             "what asks is sent", THREE),
    Mutation(LEFT, "AND cause <> 'no_baseline') AS cleared_fields", ") AS cleared_fields", "a stranger's blank clears",
             THREE),
    Mutation("engine/compile_payload.py", 'return f" AND NOT coalesce(list_contains(left_fields,',
             'return f" AND NOT coalesce(false AND list_contains(left_fields,', "what Mainstay won is sent", AGREED),
    Mutation("engine/sequence.py", "if pair.mainstay.path in left:", "if False:", "a walk clears what Mainstay won", AGREED),
    # Guards.
    Mutation("sql/guards/replaced_value.sql", "WHERE before IS NOT NULL", "", "filling a blank is a mass change", GUARDS),
    Mutation("sql/guards/mass_field.sql", "count(*) >= $minimum AND", "", "a handful is a mass change", GUARDS),
    Mutation("sql/guards/mass_field.sql", "count(*) > $share * any_value(reached.row_count)", "true",
             "every share is a mass change", GUARDS),
    Mutation("sql/guards/guarded.sql", "HAVING sum(children) > $cap", "", "the cap does not count", GUARDS),
    Mutation("sql/guards/fan_out.sql", "AND reach.field = written.field", "", "every write fans out", GUARDS),
    Mutation("sql/guards/fan_out.sql", "count(DISTINCT reach.child_id)", "count(*)", "children are counted twice", GUARDS),
)  # fmt: skip
