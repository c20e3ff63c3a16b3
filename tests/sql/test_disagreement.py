"""Which fields of a linked pair differ: by value, in the form that both directions share."""

from __future__ import annotations

import duckdb
import pyarrow as pa
from tables import make_literal_table as table

from workbench.domain.fields import MainstayField, SalesforceField
from workbench.engine.compile import Pair
from workbench.engine.compile_agreed import disagreement_of_sides
from workbench.engine.plans import Slice, TwoWay
from workbench.engine.rules_sql import install_rules
from workbench.store.quoting import identifier

TEXT, NUMBER = pa.string(), pa.int64()


def custom(name, kind, path):
    field = MainstayField(path, "Text", is_custom=True)
    return Pair(SalesforceField(name, type=kind), field, identifier(field.path))


MAIL, NOTES = custom("Other__c", "email", "Other"), custom("Notes__c", "string", "Notes")
SIDES = {  # seq: (both sides' e-mail, both sides' notes)
    1: ("A@x.edu", "a@x.edu", "a", "a"),
    2: ("a@x.edu", "b@x.edu", "a", "A"),
    3: (None, "b@x.edu", None, None),
}


def test_a_field_differs_where_its_form_does():
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA work")
        install_rules(con)
        names = [name.strip('"') for pair in (MAIL, NOTES) for name in (pair.column, pair.now)]
        table(con, "work.side_1", [{"seq": seq, **dict(zip(names, values, strict=True))} for seq, values in SIDES.items()],
              seq=NUMBER, salesforce_modified_at=pa.timestamp("us"), mainstay_modified_at=pa.timestamp("us"),
              **dict.fromkeys(names, TEXT))  # fmt: skip
        table(con, "work.verdict_outgoing",
              [{"seq": seq, "record_id": f"r{seq}", "contact_id": f"c{seq}", "crm_id_owners": 1, "action": "update"} for seq in SIDES],
              seq=NUMBER, record_id=TEXT, contact_id=TEXT, crm_id_owners=NUMBER, action=TEXT)  # fmt: skip
        table(con, "work.last_agreed", [], record_id=TEXT, contact_id=TEXT, agreed=TEXT)
        table(con, "work.two_way_field",
              [{"sobject": "Contact", "place": n, "field": p.mainstay.path, "rule": "ask"} for n, p in enumerate((MAIL, NOTES), 1)],
              sobject=TEXT, place=NUMBER, field=TEXT, rule=TEXT)  # fmt: skip
        both = TwoWay("Contact", (MAIL, NOTES), ("ask", "ask"), (1, 2))
        rows = con.execute(disagreement_of_sides(both, [Slice("slice_1", (MAIL, NOTES))])).to_arrow_table().to_pylist()
    assert sorted((row["record_id"], row["field"], row["salesforce_value"], row["mainstay_value"]) for row in rows) == [
        ("r2", "custom.Notes", "a", "A"),
        ("r2", "custom.Other", "a@x.edu", "b@x.edu"),
        ("r3", "custom.Other", None, "b@x.edu"),
    ]
