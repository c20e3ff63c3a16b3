"""What one contact would write, what Salesforce would refuse of it, and its criteria afterwards: compiled and run."""

from __future__ import annotations

import json

import duckdb
import pytest

from workbench.domain.fields import STANDARD_FIELDS, MainstayField, SalesforceField, column_type
from workbench.domain.mapping import parse_mapping
from workbench.domain.mapping_check import Catalogues
from workbench.engine import compile_import
from workbench.engine.compile import BothSides
from workbench.engine.compile_refusals import long_id
from workbench.engine.planning import import_plan
from workbench.engine.rules_sql import install_rules
from workbench.simulators.salesforce.ids import long_id as sandbox_long_id
from workbench.simulators.salesforce.ids import parsed_id
from workbench.store import identifier
from workbench.store.quoting import literal

LIVING, DELETED = sandbox_long_id("003Aa0000000001"), sandbox_long_id("003Aa0000000002")
SYSTEM = {"createable": False, "updateable": False}
# Salesforce field, the Mainstay type it is filled from
MAPPED = (
    (SalesforceField("LastName", length=80, nillable=False), "Text"),
    (SalesforceField("Email", type="email", length=20), "Text"),
    (
        SalesforceField("Level__c", type="picklist", length=10, restricted_picklist=True, picklist_values=("A", "B")),
        "Text",
    ),
    (SalesforceField("Likes__c", type="multipicklist", restricted_picklist=True, picklist_values=("A", "B")), "Text"),
    (SalesforceField("Free__c", type="picklist", length=10, picklist_values=("A",)), "Text"),
    (SalesforceField("GPA__c", type="double"), "Number"),
    (SalesforceField("Visits__c", type="int"), "Number"),
    (SalesforceField("Start__c", type="date"), "Date"),
    (SalesforceField("Seen__c", type="datetime"), "Date"),
    (SalesforceField("Out__c", type="boolean", nillable=False, defaulted_on_create=True), "True/False"),
    (SalesforceField("Mentor__c", type="reference", reference_to=("Contact",), relationship_name="Mentor__r"), "Text"),
    (SalesforceField("Other__c", type="reference", reference_to=("Gone__c",), relationship_name="Other__r"), "Text"),
    (SalesforceField("Once__c", updateable=False), "Text"),
    (SalesforceField("Later__c", createable=False), "Text"),
    (SalesforceField("Code__c", unique=True), "Text"),
    (SalesforceField("Badge__c", unique=True), "Text"),
    (SalesforceField("Status__c", type="picklist", defaulted_on_create=True, default_value="Open"), "Text"),
    (SalesforceField("Guess__c", default_value=None), "Text"),
    (SalesforceField("Share__c", type="percent"), "Number"),
    (SalesforceField("Number__c", type="double", unique=True), "Number"),
    (SalesforceField("Points__c", type="double", precision=5, scale=2), "Number"),
)
UNMAPPED = (
    SalesforceField("Id", type="id", **SYSTEM),
    SalesforceField("IsDeleted", type="boolean", **SYSTEM),
    SalesforceField("Name", **SYSTEM),
    SalesforceField("Plain__c"),
    SalesforceField("Score__c", type="double"),
    SalesforceField("Held__c", type="boolean", nillable=False, defaulted_on_create=True, default_value="true"),
    SalesforceField("Rank__c", type="int", default_value="3"),
    SalesforceField("Rate__c", type="percent", default_value="60.0"),
    SalesforceField("Odd__c", type="boolean", nillable=False, defaulted_on_create=True, default_value=None),
    SalesforceField("AccountId", type="reference", reference_to=("Account",), relationship_name="Account"),
    SalesforceField("Account.Name"),
    SalesforceField("Mentor__r.Name"),
)


def run(
    values, *, record=None, formula=None, create=False, criteria="Criteria__c", mapped=MAPPED, extra=(), written=None
):
    """The one row of payload_incoming for a contact with `values`, its linked record being `record`."""
    known = {field.name: field for field in (*UNMAPPED, *(field for field, _ in MAPPED), *extra)}
    known["Criteria__c"] = SalesforceField("Criteria__c", type="boolean", calculated=True, formula=formula, **SYSTEM)
    mainstay = {field.path: field for field in STANDARD_FIELDS}
    for field, kind in MAPPED:
        made = MainstayField(field.name, kind, is_custom=True)
        mainstay[made.path] = made
    pairs = [{"mainstay": f"custom.{f.name}", "salesforce": f.name, "matching": f.name == "Email"} for f, _ in mapped]
    side = {"fields": pairs, "create_unmatched": create, "criteria": criteria if formula is not None else None}
    mapping = parse_mapping(json.dumps({"version": 1, "objects": [{"sobject": "Contact", "import": side}]}))
    plan = import_plan(mapping.objects[0], Catalogues({"Contact": known}, mainstay), written=written or {})
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    install_rules(con)
    con.execute(
        "ATTACH ':memory:' AS store; CREATE SCHEMA store.salesforce; CREATE SCHEMA store.mainstay; CREATE SCHEMA work"
    )
    columns = ", ".join(f"{identifier(f.name)} {column_type(f)}" for f in known.values())
    con.execute(f'CREATE TABLE store.salesforce."Contact" ({columns})')
    for row in ({"Id": LIVING, **(record or {})}, {"Id": DELETED, "IsDeleted": True}):
        names = ", ".join(identifier(name) for name in row)
        con.execute(
            f'INSERT INTO store.salesforce."Contact" ({names}) VALUES ({", ".join("?" * len(row))})', [*row.values()]
        )
    given = {"LastName": "Ray", **values}
    texts = ", ".join(
        f"{'NULL' if given.get(f.name) is None else literal(given[f.name])}::VARCHAR AS {identifier('custom.' + f.name)}"
        for f, _ in MAPPED
    )
    con.execute(f"CREATE TABLE store.mainstay.contact AS SELECT 'a1' AS id, {texts}")
    target, stored = (None, None) if create else (LIVING, (record or {}).get("Criteria__c"))
    con.execute(
        "CREATE TABLE work.receiving AS SELECT 'a1' AS contact_id, 0 AS contact_row, ?::VARCHAR AS record_id, ?::BIGINT AS record_row, ?::BOOLEAN AS meets_criteria, ? AS is_create, NOT is_create AS is_linked, CAST(NULL AS VARCHAR[]) AS left_fields, CAST(NULL AS VARCHAR[]) AS cleared_fields",
        [target, None if create else 0, stored, create],
    )
    (row,) = (
        con.execute(compile_import.payload_incoming(plan, plan.slices(), BothSides(plan.sobject)))
        .to_arrow_table()
        .to_pylist()
    )
    con.close()
    return row


REFUSED = {
    "nothing wrong": ({"Email": "a@x.edu", "Level__c": "A", "GPA__c": "3.5"}, []),
    "a name that is too long": ({"LastName": "x" * 81}, ["STRING_TOO_LONG"]),
    "a name that just fits": ({"LastName": "李" * 80}, []),
    "no e-mail": ({"Email": "nope"}, ["INVALID_EMAIL_ADDRESS"]),
    "an e-mail with a comma": ({"Email": "a,b@x.edu"}, ["INVALID_EMAIL_ADDRESS"]),
    "an e-mail with a wide space": ({"Email": "a\u00a0b@x.edu"}, ["INVALID_EMAIL_ADDRESS"]),
    "an e-mail without a dot": ({"Email": "a@edu"}, ["INVALID_EMAIL_ADDRESS"]),
    "a long bad e-mail is refused once": ({"Email": "nope" * 9}, ["INVALID_EMAIL_ADDRESS"]),
    "a long good e-mail": ({"Email": f"{'a' * 20}@x.edu"}, ["STRING_TOO_LONG"]),
    "not on the list": ({"Level__c": "C"}, ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]),
    "of another case": ({"Level__c": "a"}, ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]),
    "too long for the list": ({"Level__c": "C" * 11}, ["STRING_TOO_LONG"]),
    "several from the list": ({"Likes__c": "B;A"}, []),
    "one not from the list": ({"Likes__c": "B;C"}, ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]),
    "an open list": ({"Free__c": "Z"}, []),
    "no number": ({"GPA__c": "high"}, ["JSON_PARSER_ERROR"]),
    "a huge number": ({"GPA__c": "1e18"}, ["NUMBER_OUTSIDE_VALID_RANGE"]),
    "as many digits as the field holds": ({"Points__c": "-999.9999"}, []),
    "a digit too many before the point": ({"Points__c": "-1000"}, ["NUMBER_OUTSIDE_VALID_RANGE"]),
    "half a visit": ({"Visits__c": "2.5"}, ["JSON_PARSER_ERROR"]),
    "a whole number with a point": ({"Visits__c": "2.0"}, []),
    "the least of 32 bits": ({"Visits__c": "-2147483648"}, []),
    "more than 32 bits": ({"Visits__c": "2147483648"}, ["JSON_PARSER_ERROR"]),
    "no day": ({"Start__c": "2026-02-30"}, ["JSON_PARSER_ERROR"]),
    "a day as written in the States": ({"Start__c": "1/5/2026"}, []),
    "no moment": ({"Seen__c": "infinity"}, ["JSON_PARSER_ERROR"]),
    "a day for a moment": ({"Seen__c": "2026-01-05"}, []),
    "no truth": ({"Out__c": "perhaps"}, ["JSON_PARSER_ERROR"]),
    "unreadable and too long": ({"GPA__c": "x", "LastName": "x" * 81}, ["JSON_PARSER_ERROR"]),
    "two fields": ({"Email": "nope", "LastName": "x" * 81}, ["INVALID_EMAIL_ADDRESS", "STRING_TOO_LONG"]),
    "a living mentor": ({"Mentor__c": LIVING[:15]}, []),
    "a deleted mentor": ({"Mentor__c": DELETED}, ["ENTITY_IS_DELETED"]),
    "nobody": ({"Mentor__c": sandbox_long_id("003Aa0000099999")}, ["INVALID_CROSS_REFERENCE_KEY"]),
    "no id": ({"Mentor__c": "Ana"}, ["MALFORMED_ID"]),
    "an id of another kind": ({"Mentor__c": sandbox_long_id("001Aa0000000001")}, ["FIELD_INTEGRITY_EXCEPTION"]),
    "an object that was not pulled": ({"Other__c": LIVING}, []),
    "no id for an object that was not pulled": ({"Other__c": "x"}, ["MALFORMED_ID"]),
    "not written, not judged": ({"Once__c": "x", "LastName": "Ray"}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_salesforce_refuses(case):
    values, codes = REFUSED[case]
    assert run(values)["codes"] == codes


def test_required_fields_count_on_new_records_alone():
    assert run({"LastName": None}, create=True)["codes"] == ["REQUIRED_FIELD_MISSING"]
    assert run({"LastName": None, "GPA__c": "x"}, create=True)["codes"] == ["JSON_PARSER_ERROR"]
    assert run({"LastName": None, "Email": "nope"}, create=True)["codes"] == ["REQUIRED_FIELD_MISSING"]
    assert run({"LastName": None, "Free__c": "A"})["codes"] == []


def test_only_what_differs_and_may_be_written_is():
    record = {"LastName": "Ray", "Email": "A@x.edu", "Mentor__c": LIVING, "Free__c": "UNSET"}
    values = {"Email": "a@x.edu", "Mentor__c": LIVING[:15], "Once__c": "x", "Later__c": "y", "Free__c": "UNSET"}
    assert json.loads(run(values, record=record)["body"]) == {"Later__c": "y"}
    body = json.loads(run({**values, "GPA__c": "3.0", "Out__c": "yes"}, create=True)["body"])
    assert body == {
        "LastName": "Ray", "Email": "a@x.edu", "Free__c": "UNSET", "GPA__c": 3, "Out__c": True, "Mentor__c": LIVING,
        "Once__c": "x",
    }  # fmt: skip


def test_a_unique_value_that_changes_is_claimed_in_small_letters():
    held = {"Code__c": "Old", "Badge__c": "B1", "Plain__c": "x"}
    (claim,) = run({"Code__c": "New", "Badge__c": "B1"}, record=held)["claims"]
    assert claim == {"field": "Code__c", "claimed": "new", "held": "old", "holder": None}
    (claim,) = run({"Code__c": "OLD"}, record={"Code__c": "Old"}, create=True)["claims"]
    assert (claim["claimed"], claim["held"], claim["holder"]) == ("old", None, LIVING)
    assert run({"Code__c": None}, record=held)["claims"] == []


def test_a_unique_number_is_claimed_as_it_is_compared():
    (claim,) = run({"Number__c": "7.00"}, record={"Number__c": 8.0})["claims"]
    assert claim == {"field": "Number__c", "claimed": "7", "held": "8", "holder": None}
    (claim,) = run({"Number__c": "7"}, record={"Number__c": 7.0}, create=True)["claims"]
    assert (claim["claimed"], claim["held"], claim["holder"]) == ("7", None, LIVING)


@pytest.mark.parametrize(
    ("values", "record", "is_open"),
    [
        ({"Other__c": LIVING}, {}, True),
        ({"Other__c": LIVING[:15]}, {"Other__c": LIVING}, False),
        ({"Other__c": "x"}, {}, False),
        ({"Mentor__c": LIVING}, {}, False),
    ],
)
def test_only_salesforce_knows_a_parent_of_an_object_that_was_not_pulled(values, record, is_open):
    assert run(values, record=record)["is_parent_open"] == is_open


CRITERIA = {
    "an incoming value counts": ("NOT(Out__c)", {"Out__c": "true"}, {"Out__c": False, "Criteria__c": True}, False),
    "Salesforce's own answer counts where no input changes": (
        "NOT(Out__c)",
        {},
        {"Out__c": False, "Criteria__c": False},
        False,
    ),
    "also where an equal value comes": ("GPA__c < 2", {"GPA__c": "3"}, {"GPA__c": 3.0, "Criteria__c": True}, True),
    "of unmapped fields": ("Plain__c = 'x'", {"GPA__c": "3"}, {"Criteria__c": True}, True),
    "a stored value beside an incoming one": ("Plain__c = 'x' && Out__c", {"Out__c": "true"}, {"Plain__c": "x"}, True),
    "a default value is for new records": ("Held__c && Out__c", {"Out__c": "true"}, {"Held__c": False}, False),
    "one that is not known as well": ("Odd__c && Out__c", {"Out__c": "true"}, {"Odd__c": True}, True),
    "numbers are numbers": ("GPA__c + Score__c > 5", {"GPA__c": "3"}, {"Score__c": 2.5}, True),
    "a blank number is less than nothing": ("GPA__c < 5", {}, {}, False),
    "60 % is 0.6": ("Rate__c > 0.5 && Rate__c < 1 && Out__c", {"Out__c": "true"}, {"Rate__c": 60.0}, True),
    "an incoming percentage": ("Share__c < 1", {"Share__c": "70"}, {"Share__c": 150.0}, True),
    "a division by zero": ("NOT(GPA__c / Score__c > 1)", {"GPA__c": "3"}, {"Score__c": 0.0}, False),
    "days": ("Start__c > Start__c", {"Start__c": "2026-01-05"}, {}, False),
    "a parent": ("Account.Name = 'North' && Out__c", {"Out__c": "true"}, {"Account.Name": "North"}, True),
    "the criteria field itself": ("", {}, {"Criteria__c": True}, True),
}


@pytest.mark.parametrize("case", CRITERIA)
def test_the_criteria_of_a_matched_record(case):
    formula, values, record, wanted = CRITERIA[case]
    row = run(values, record=record, formula=formula)
    assert (row["is_eligible"], row["is_eligibility_open"]) == (wanted, formula == "")


@pytest.mark.parametrize(
    ("formula", "values", "wanted"),
    [
        ("NOT(Out__c)", {}, True),
        ("NOT(Out__c)", {"Out__c": "yes"}, False),
        ("ISBLANK(Plain__c)", {}, True),
        ("ISBLANK(Account.Name)", {}, True),
        ("GPA__c >= 3", {"GPA__c": "3.5"}, True),
        ("ISPICKVAL(Level__c, 'A')", {"Level__c": "A"}, True),
        ("Held__c", {}, True),
        ("NOT(Held__c)", {}, False),
        ("Rank__c + 1 = 4", {}, True),
        ("Rate__c > 0.5 && Rate__c < 1", {}, True),
        ("ISPICKVAL(Status__c, 'Open')", {}, True),
        ("ISPICKVAL(Status__c, 'Open')", {"Status__c": "Closed"}, False),
        ("Guess__c = 'x'", {"Guess__c": "y"}, False),
    ],
)
def test_the_criteria_of_a_new_record(formula, values, wanted):
    row = run(values, formula=formula, create=True)
    assert (row["is_eligible"], row["is_eligibility_open"]) == (wanted, False)


@pytest.mark.parametrize(("formula", "values"), [("Odd__c", {}), ("NOT(Odd__c)", {}), ("Guess__c = 'x'", {})])
def test_a_default_value_that_is_not_known_leaves_the_criteria_of_a_new_record_open(formula, values):
    row = run(values, formula=formula, create=True)
    assert (row["is_eligible"], row["is_eligibility_open"]) == (True, True)


@pytest.mark.parametrize(
    ("path", "written", "moves"),
    [
        ("Mentor__r.Plain__c", {"Contact": {"Plain__c"}}, True),
        ("Mentor__r.Plain__c", {"Contact": {"Email"}}, False),
        ("Mentor__r.Plain__c", {"Lead": {"Plain__c"}}, False),
        ("Mentor__r.Name", {"Contact": {"Email"}}, True),
        ("Mentor__r.Id", {"Contact": {"Email"}}, False),
        ("Mentor__r.Account.Site", {"Contact": {"AccountId"}}, True),
        ("Mentor__r.Account.Site", {"Contact": {"Site"}, "Account": {"Site"}}, True),
        ("Mentor__r.Account.Site", {"Contact": {"Site"}}, False),
        ("Account.Parent.Site", {"Account": {"Site"}}, True),
        ("Account.Parent.Site", {"Account": {"Name"}}, False),
        ("Plain__c", {"Contact": {"Plain__c"}}, False),
    ],
)
def test_a_parent_that_the_same_preview_writes_leaves_the_criteria_open(path, written, moves):
    ends = {"Mentor__r.Name": SYSTEM, "Mentor__r.Id": {"type": "id", **SYSTEM}}
    extra = (SalesforceField(path, **ends.get(path, {})), SalesforceField("Plain__c"))
    about = {"formula": f"Out__c && ISBLANK({path})", "extra": extra, "written": written}
    free = {"mapped": [pair for pair in MAPPED if pair[0].name != "Mentor__c"]}
    row = run({"Out__c": "true"}, **about, **free)
    assert (row["is_eligible"], row["is_eligibility_open"]) == (True, moves)
    equal = run({"Out__c": "true"}, record={"Out__c": True, "LastName": "Ray", "Criteria__c": True}, **about, **free)
    assert (equal["is_eligible"], equal["is_eligibility_open"]) == (True, False)
    new = run({"Out__c": "true"}, create=True, **about, **free)
    assert (new["is_eligible"], new["is_eligibility_open"]) == (True, False)


@pytest.mark.parametrize(
    "formula", ["TODAY() > Start__c", "Gone__c", "Mentor__r.Name = 'Ana'", "ISBLANK(Name)", "GPA__c = 'x'"]
)
@pytest.mark.parametrize("stored", [True, False])
def test_what_only_salesforce_can_compute_is_open(formula, stored):
    row = run({"GPA__c": "3"}, record={"Criteria__c": stored}, formula=formula)
    assert (row["is_eligible"], row["is_eligibility_open"]) == (stored, True)
    equal = run({"GPA__c": "3"}, record={"Criteria__c": stored, "LastName": "Ray", "GPA__c": 3.0}, formula=formula)
    assert (equal["is_eligible"], equal["is_eligibility_open"]) == (stored, False)
    new = run({"GPA__c": "3"}, formula=formula, create=True)
    assert (new["is_eligible"], new["is_eligibility_open"]) == (True, True)


def test_criteria_that_are_a_plain_field():
    assert run({"Out__c": "true"}, formula="-", criteria="Out__c")["is_eligible"]
    assert not run({"Out__c": "no"}, record={"Out__c": True}, formula="-", criteria="Out__c")["is_eligible"]
    assert not run({}, formula="-", criteria="Out__c", create=True)["is_eligible"]


@pytest.mark.parametrize(
    "text",
    [
        LIVING,
        LIVING[:15],
        LIVING[:15] + LIVING[15:].lower(),
        LIVING[:17] + "x",
        "003",
        "",
        "x" * 19,
        "003-a0000000001",
        "00QabcDEFghiJK5",
    ],
)
def test_ids_are_completed_as_salesforce_does(text):
    assert duckdb.execute(f"SELECT {long_id('t')} FROM (SELECT $text AS t)", {"text": text}).fetchall() == [
        (parsed_id(text),)
    ]
