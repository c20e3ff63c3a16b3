"""Export: who is who. The narrow queries of one ExportMapping, identity keys alone; values come later, where needed."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.engine.compile import Pair, canonical, mainstay_text, salesforce_text
from workbench.engine.plans import ExportPlan
from workbench.store.quoting import identifier

_STATUS_COLUMNS = ("messaging_status_sms", "messaging_status_web_bot", "preferred_name")


def wanted_value(pair: Pair) -> str:
    """The pair's value in a landed record `s` with its keys `w`, as Mainstay would store it."""
    text = salesforce_text(pair.salesforce)
    return (
        f"coalesce(phone_text(w.phone_key), {text})"
        if pair.mainstay.path == "phone"
        else canonical(pair.mainstay, text)
    )


def value_now(pair: Pair) -> str:
    """The pair's value in a landed contact `c` with its keys `w`, as Mainstay stores it."""
    text = mainstay_text(pair.mainstay)
    return (
        f"coalesce(phone_text(w.contact_phone), {text})"
        if pair.mainstay.path == "phone"
        else canonical(pair.mainstay, text)
    )


def record_phone(plan: ExportPlan) -> str:
    """The phone of a landed record `s` as a number; 0 where none is mapped."""
    phone = plan.pair("phone")
    return f"phone_number({salesforce_text(phone.salesforce)})" if phone else "CAST(0 AS UBIGINT)"


def contact_phones() -> tuple[str, str]:
    """The phone of a landed contact `c` as a number, and the one it had before."""
    return "phone_number(nullif(c.phone, ''))", "phone_number(nullif(c.previous_phone, ''))"


def crm_id_phone() -> str:
    """The CRM ID of a landed contact `c` as a number, where it reads as a phone; 0 elsewhere."""
    return """CASE WHEN length(c.crm_id) = 10 AND regexp_full_match(c.crm_id, '[0-9]{10}')
         THEN CAST(c.crm_id AS UBIGINT) ELSE CAST(0 AS UBIGINT) END"""


def misleading_phone(plan: ExportPlan) -> str:
    """work.misleading_phone: phones that a contact carries as its CRM ID: a request named by one reaches that contact.

    Source: Mainstay API reference, section 4: a path is a Mainstay ID, else a CRM ID, else a phone.
    """
    return f"""WITH carried AS (
    SELECT {plan.kept.of("c", crm_id_phone())} AS phone
    FROM store.mainstay.contact AS c
)
SELECT DISTINCT phone FROM carried WHERE phone <> 0"""


def record_key(plan: ExportPlan, *, where: str = "") -> str:
    """work.record_key: one row per living Salesforce record `s` that meets a condition: its keys, and its landed row.

    `record_row` holds as long as the store stays attached.
    """
    names = [plan.pair(name) for name in ("first_name", "last_name")]
    has_names = " AND ".join(f"{salesforce_text(p.salesforce)} IS NOT NULL" if p else "false" for p in names)
    criteria = f"coalesce(s.{identifier(plan.criteria)}, false)" if plan.criteria else "true"
    return f"""WITH living AS (
    SELECT s."Id" AS record_id,
           s.rowid AS record_row,
           s."SystemModstamp" AS modified_at,
           {criteria} AS is_eligible,
           {has_names} AS has_names,
           {plan.kept.of("s", record_phone(plan))} AS phone
    FROM store.salesforce.{identifier(plan.sobject)} AS s
    WHERE NOT coalesce(s."IsDeleted", false){f" AND {where}" if where else ""}
)
SELECT * EXCLUDE (phone),
       phone <> 0 AS has_phone,
       fitting_phone(phone) AS phone_key
FROM living"""


def contact_now(plan: ExportPlan, *, where: str = "") -> str:
    """work.contact_now: one row per contact `c` that meets a condition: its keys, and where its landed row is."""
    phone, previous = (plan.kept.of("c", number) for number in contact_phones())
    return f"""WITH known AS (
    SELECT c.id AS contact_id,
           c.rowid AS contact_row,
           nullif(c.crm_id, '') AS crm_id_key,
           {phone} AS phone,
           {previous} AS previous_phone
    FROM store.mainstay.contact AS c{f" WHERE {where}" if where else ""}
)
SELECT contact_id,
       contact_row,
       crm_id_key,
       nullif(phone, 0) AS phone_key,
       nullif(previous_phone, 0) AS previous_phone_key
FROM known"""


def required_columns(plan: ExportPlan) -> tuple[Sequence[str], Sequence[str]]:
    """The landed columns this plan reads: of the SObject, of mainstay.contact."""
    salesforce = ["Id", "SystemModstamp", "IsDeleted", *(p.salesforce.name for p in plan.pairs)]
    mainstay = [
        "id",
        "crm_id",
        "phone",
        "previous_phone",
        "last_modified_at",
        *_STATUS_COLUMNS,
        *(p.mainstay.path for p in plan.pairs),
    ]
    return [*salesforce, *([plan.criteria] if plan.criteria else [])], mainstay
