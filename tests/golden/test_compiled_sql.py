"""The compiled queries as text, for a reader; `UPDATE_GOLDEN=1 pytest tests/golden` rewrites the files."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from workbench.domain.fields import STANDARD_FIELDS, MainstayField, SalesforceField
from workbench.domain.mapping import parse_mapping
from workbench.domain.mapping_check import Catalogues, catalogue_problems
from workbench.engine import compile_compare, compile_export, compile_import, compile_import_keys, compile_payload
from workbench.engine.compile import BothSides
from workbench.engine.compile_verbatim import verbatim
from workbench.engine.kept import Kept, column_of
from workbench.engine.planning import export_plan, import_plan

HERE = Path(__file__).parent
MAPPING = """
version: 1
objects:
  - sobject: Contact
    export:
      criteria: Sync__c
      include_field_deletions: true
      fields:
        - {salesforce: FirstName, mainstay: first_name}
        - {salesforce: MobilePhone, mainstay: phone}
        - {salesforce: Account.Parent.Name, mainstay: "custom.School"}
        - {salesforce: GPA__c, mainstay: custom.GPA}
    import:
      create_unmatched: true
      match: any
      fields:
        - {mainstay: email, salesforce: Email, matching: true}
        - {mainstay: phone, salesforce: MobilePhone, matching: true}
"""


@pytest.fixture
def plans():
    mapping = parse_mapping(MAPPING)
    known = {
        field.name: field
        for field in (
            SalesforceField("Id", type="id", createable=False, updateable=False),
            SalesforceField("FirstName", length=40),
            SalesforceField("LastName", length=80, nillable=False),
            SalesforceField("MobilePhone", type="phone", length=40),
            SalesforceField("Email", type="email", length=80),
            SalesforceField("Account.Parent.Name", length=255),
            SalesforceField("GPA__c", type="double"),
            SalesforceField("Sync__c", type="boolean", calculated=True, createable=False, updateable=False),
        )
    }
    mainstay = {field.path: field for field in STANDARD_FIELDS}
    for field in (MainstayField("School", "Text", is_custom=True), MainstayField("GPA", "Number", is_custom=True)):
        mainstay[field.path] = field
    catalogues = Catalogues({"Contact": known}, mainstay)
    assert catalogue_problems(mapping, catalogues) == []
    return (
        export_plan(mapping.objects[0], catalogues),
        import_plan(mapping.objects[0], catalogues),
    )


def kept(*expressions):
    return Kept(frozenset(column_of(expression) for expression in expressions))


EXPORT = {
    "record_key": compile_export.record_key,
    "contact_now": compile_export.contact_now,
    "misleading_phone": compile_export.misleading_phone,
    "differing": lambda plan: compile_compare.differing(plan, plan.slices(plan.pairs[2:3])),
    "new_outgoing": compile_payload.new_outgoing,
    "new_outgoing_kept": lambda plan: compile_payload.new_outgoing(replace(plan, kept=kept(verbatim(plan)))),
    "verbatim": lambda plan: f"SELECT {verbatim(plan)}",
    "slice_0": lambda plan: compile_payload.slice_values(plan, plan.slices()[0]),
    "slice_1": lambda plan: compile_payload.slice_values(plan, plan.slices()[1]),
    "changed_outgoing": lambda plan: compile_payload.changed_outgoing(plan.slices()),
}
IMPORT = {
    "contact_key": compile_import_keys.contact_key,
    "incoming": compile_import_keys.incoming,
    "record_now": compile_import_keys.record_now,
    "match_incoming": compile_import_keys.match_incoming,
    "differing_incoming": compile_import.differing,
    "payload_incoming": lambda plan: compile_import.payload_incoming(plan, plan.slices(), BothSides(plan.sobject)),
}


@pytest.mark.parametrize("name", [*EXPORT, *IMPORT])
def test_the_compiled_query_is_the_one_on_file(plans, name):
    sql = (EXPORT[name](plans[0]) if name in EXPORT else IMPORT[name](plans[1])) + "\n"
    path = HERE / f"{name}.sql"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(sql)
    assert sql == path.read_text()
    assert duckdb.extract_statements(sql)


def test_an_object_leaves_the_contacts_that_an_earlier_one_takes(plans):
    sql = compile_import_keys.incoming(replace(plans[1], earlier=2))
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA work")
        con.execute("CREATE TABLE work.contact_key (contact_id TEXT, modified_at TIMESTAMPTZ)")
        for number, found in enumerate(
            (
                "('taken', 'link', 'R1'), ('opted out', 'excluded', 'R2'), ('nobody', 'excluded', NULL)",
                "('made', 'create', NULL), ('asks', 'conflict', NULL), ('refused', 'blocked', NULL)",
            )
        ):
            con.execute(
                f"CREATE TABLE work.change_of_{number} AS "
                f"SELECT * FROM (VALUES {found}) AS change(mainstay_id, action, candidate_id)"
            )
            con.execute(
                "INSERT INTO work.contact_key (contact_id) SELECT mainstay_id FROM work.change_of_" + str(number)
            )
        rows = con.execute(f"SELECT contact_id, is_claimed FROM ({sql})").fetchall()
    assert dict(rows) == {
        "taken": True, "opted out": True, "nobody": False, "made": True, "asks": True, "refused": False,
    }  # fmt: skip
