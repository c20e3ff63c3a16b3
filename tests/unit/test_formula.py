"""The formula subset: parsed, asked for its fields, and evaluated as the sandbox's Salesforce evaluates it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import duckdb
import polars as pl
import pytest

from workbench.domain.fields import SalesforceField
from workbench.domain.formula import (
    UnsupportedFormula,
    criteria_inputs,
    fields_of,
    formula_of,
    kind_of,
    parse_formula,
    to_sql,
)
from workbench.simulators.salesforce import SalesforceOrg
from workbench.simulators.salesforce.field_shapes import formula

KNOWN = {
    field.name: field
    for field in (
        SalesforceField("Language__c"),
        SalesforceField("Campus__c", type="picklist"),
        SalesforceField("Interests__c", type="multipicklist"),
        SalesforceField("GPA__c", type="double"),
        SalesforceField("Do_Not_Contact__c", type="boolean"),
        SalesforceField("Enrollment_Date__c", type="date"),
        SalesforceField("Account.Name"),
    )
}
ROWS = [
    {"Language__c": text, "Campus__c": campus, "GPA__c": gpa, "Do_Not_Contact__c": flag, "AccountId": parent}
    for text, campus, gpa, flag, parent in itertools.product(
        [None, "en", "EN", "a'b"], [None, "North"], [None, 0.0, 2.5], [False, True], [None, "001Wb00000000AAIA3"]
    )
]
# Both readings of the language know these; the sandbox computes them when a record is read.
SHARED = [
    "NOT(Do_Not_Contact__c)",
    "Do_Not_Contact__c",
    "!Do_Not_Contact__c && Language__c = 'en'",
    "AND(GPA__c >= 2, GPA__c < 3.5)",
    'OR(ISBLANK(Language__c), GPA__c > 2, Campus__c = "North")',
    "Language__c = ''",
    "Language__c <> 'en'",
    "Language__c == 'en' || GPA__c != 0",
    "NOT(GPA__c > 1)",
    "ISPICKVAL(Campus__c, 'North')",
    "ISPICKVAL(Campus__c, '')",
    "IF(Do_Not_Contact__c, GPA__c > 1, ISBLANK(GPA__c))",
    "IF(GPA__c > 1, 'high', 'low') = 'high'",
    "LEN(Language__c) > 0",
    "UPPER(Language__c) = 'EN'",
    "LOWER(Language__c) = 'en'",
    "CONTAINS(Language__c, 'n')",
    "BEGINS(Language__c, 'e')",
    "BLANKVALUE(Language__c, 'none') = 'none'",
    "Language__c & '-' & Campus__c = 'en-North'",
    "GPA__c * 2 + 1 - 1 = 5",
    "-GPA__c < -1",
    "1 + 2 * 3 = 7",
    "(1 + 2) * 3 = 9",
    "GPA__c / 2 = 1.25",
    "VALUE(Language__c) > 1",
    "TEXT(Campus__c) = 'North'",
    "Account.Name = 'North College'",
    "ISBLANK(Account.Name)",
    "TRUE",
    "FALSE || TRUE && FALSE",
    "Language__c = Campus__c",
    "Language__c <> Campus__c",
    "Language__c < 'f'",
    "TEXT(GPA__c) = '0'",
    "CONTAINS(Campus__c, Language__c)",
    "BEGINS(Campus__c, Language__c)",
    "GPA__c = NULL",
    "NULL <> Language__c",
    "(GPA__c = 2.5) = Do_Not_Contact__c",
    "BLANKVALUE(GPA__c, 3) > 2.5",
    "IF(Do_Not_Contact__c, NULL, GPA__c) > 2",
    "'a' & Language__c = 'aen'",
    "Language__c + 'x' = 'enx'",
    # A division by zero is an error, and a formula with an error in it false; what is not looked at is none.
    "5 / GPA__c > 1",
    "NOT(5 / GPA__c > 1)",
    "ISBLANK(5 / GPA__c)",
    "NOT(1 / 0 > 1)",
    "NOT(LEN(TEXT(5 / GPA__c)) > 0)",
    "-(5 / GPA__c) < 1 || TRUE",
    "TRUE || 5 / GPA__c > 1",
    "NOT(AND(GPA__c <> 0, 5 / GPA__c > 2))",
    "NOT(AND(5 / GPA__c > 2, GPA__c <> 0))",
    "OR(GPA__c = 0, Do_Not_Contact__c, 5 / GPA__c > 1)",
    "AND(5 / GPA__c > 1, 7 / GPA__c > 1)",
    "IF(GPA__c = 0, TRUE, 5 / GPA__c > 1)",
    "IF(GPA__c <> 0, 5 / GPA__c, NULL) > 1",
    "IF(5 / GPA__c > 1, TRUE, TRUE)",
    "IF(5 / GPA__c > 1, 5 / GPA__c, 1) > 1",
    "BLANKVALUE(5 / GPA__c, 1) > 0",
    "NOT(ISPICKVAL(Campus__c, 'North') && 5 / GPA__c > 1)",
]


def column_of(path):
    return '"' + path.replace('"', '""') + '"'


def evaluated(text, rows, known=KNOWN):
    con = duckdb.connect()
    frame = pl.DataFrame(
        rows,
        schema_overrides={
            "Language__c": pl.String,
            "Campus__c": pl.String,
            "GPA__c": pl.Float64,
            "Account.Name": pl.String,
        },
    )
    con.register("given", frame.to_arrow())
    sql = to_sql(parse_formula(text), column_of, lambda path: kind_of(known[path]))
    return [value for (value,) in con.execute(f"SELECT {sql} FROM given").fetchall()]


@pytest.fixture(scope="module")
def org():
    ids = [f"003Wb{number:010d}" for number in range(len(ROWS))]
    accounts = pl.DataFrame({"Id": ["001Wb00000000AAIA3"], "Name": ["North College"]})
    contacts = pl.DataFrame(
        [{"Id": one, "LastName": "Ray", **row} for one, row in zip(ids, ROWS, strict=True)],
        schema_overrides={
            "Language__c": pl.String,
            "Campus__c": pl.String,
            "GPA__c": pl.Float64,
            "AccountId": pl.String,
        },
    )
    made = SalesforceOrg({"Account": accounts, "Contact": contacts})
    for number, text in enumerate(SHARED):
        made.add_field("Contact", formula(f"F{number}__c", "boolean", text))
    yield made
    made.close()


@pytest.fixture(scope="module")
def answers(org):
    names = ", ".join(f"F{number}__c" for number in range(len(SHARED)))
    return org.query(f"SELECT Id, Account.Name, {names} FROM Contact ORDER BY Id").records("/")


@pytest.mark.parametrize("number", range(len(SHARED)), ids=SHARED)
def test_the_sandbox_evaluates_it_alike(answers, number):
    parents = [record["Account"] and record["Account"]["Name"] for record in answers]
    rows = [{**row, "Account.Name": name} for row, name in zip(ROWS, parents, strict=True)]
    assert len(answers) == len(ROWS)
    assert evaluated(SHARED[number], rows) == [record[f"F{number}__c"] for record in answers]


@pytest.mark.parametrize(
    ("text", "row", "value"),
    [
        ("CASE(Campus__c, 'North', 1, 'South', 2, 3) = 1", {"Campus__c": "North"}, True),
        ("CASE(Campus__c, 'North', 1, 'South', 2, 3)", {"Campus__c": None}, 3.0),
        ("CASE(Campus__c, '', 'blank', 'filled')", {"Campus__c": None}, "blank"),
        ("INCLUDES(Interests__c, 'Arts')", {"Interests__c": "Health;Arts"}, True),
        ("INCLUDES(Interests__c, 'Art')", {"Interests__c": "Health;Arts"}, False),
        ("INCLUDES(Interests__c, 'Arts')", {"Interests__c": None}, False),
        ("ISNULL(GPA__c)", {"GPA__c": None}, True),
        ("ISNULL(Language__c)", {"Language__c": None}, False),
        ("GPA__c = null", {"GPA__c": None}, True),
        ("Language__c <> NULL", {"Language__c": ""}, False),
        ("ISBLANK(Do_Not_Contact__c)", {"Do_Not_Contact__c": False}, False),
        ("NOT(Do_Not_Contact__c)", {"Do_Not_Contact__c": None}, True),
        ("GPA__c / 0", {"GPA__c": 3.0}, None),
        ("CASE(Campus__c, 'North', 1 / GPA__c, 1) = 1", {"Campus__c": "North", "GPA__c": 0.0}, False),
        ("NOT(CASE(Campus__c, 'North', 1 / GPA__c, 1) = 1)", {"Campus__c": "North", "GPA__c": 0.0}, False),
        ("CASE(Campus__c, 'North', 1 / GPA__c, 1) = 1", {"Campus__c": "South", "GPA__c": 0.0}, True),
        ("CASE(Campus__c, 'North', 1, 1 / GPA__c) = 1", {"Campus__c": "North", "GPA__c": 0.0}, True),
        ("NOT(CASE(Campus__c, 'North', 1, 1 / GPA__c) = 1)", {"Campus__c": "South", "GPA__c": 0.0}, False),
        ("NOT(CASE(1 / GPA__c, 1, 1, 2) = 1)", {"GPA__c": 0.0}, False),
        ("NOT(CASE(1, 1 / GPA__c, 1, 2) = 1)", {"GPA__c": 0.0}, False),
        ("TEXT(GPA__c)", {"GPA__c": 3.0}, "3"),
        ("TEXT(GPA__c)", {"GPA__c": 2.5}, "2.5"),
        ("TEXT(GPA__c)", {"GPA__c": None}, ""),
        ("Language__c + '!'", {"Language__c": "en"}, "en!"),
        ("Language__c = Campus__c", {"Language__c": None, "Campus__c": ""}, True),
        ("/* a note */ LEN('it\\'s') = 4", {"GPA__c": None}, True),
        ('\'say "x"\' = "say \\"x\\""', {"GPA__c": None}, True),
        (".5 < 1", {"GPA__c": None}, True),
    ],
)
def test_what_the_sandbox_does_not_compute(text, row, value):
    types = {
        "Campus__c": pl.String,
        "Interests__c": pl.String,
        "Language__c": pl.String,
        "GPA__c": pl.Float64,
        "Do_Not_Contact__c": pl.Boolean,
    }
    con = duckdb.connect()
    con.register("given", pl.DataFrame([row], schema_overrides=types).to_arrow())
    sql = to_sql(parse_formula(text), column_of, lambda path: kind_of(KNOWN[path]))
    assert con.execute(f"SELECT {sql} FROM given").fetchall() == [(value,)]


@pytest.mark.parametrize(
    "text",
    [
        "TODAY() > Enrollment_Date__c", "REGEX(Language__c, 'a')", "$User.Id = ''", "NOT(", "AND()", "IF(TRUE, 1)", "1 +",
        "'open", "Language__c # 2", "CASE(Campus__c, 'North', 1, 2, 3)", "(TRUE", "TRUE TRUE", "^", "", "NOT(TRUE",
        "(" * 200 + "TRUE" + ")" * 200, "-" * 200 + "1", "PRIORVALUE(Language__c)", "NEGATED(1)", "GPA__c ^ 2",
    ],
)  # fmt: skip
def test_what_is_outside_the_subset_is_refused(text):
    with pytest.raises(UnsupportedFormula):
        parse_formula(text)


@pytest.mark.parametrize(
    "text",
    [
        "GPA__c = 'x'", "NOT(GPA__c)", "LEN(GPA__c) > 1", "Language__c * 2", "Enrollment_Date__c + 1", "IF(TRUE, 1, 'x')",
        "TEXT(Do_Not_Contact__c)", "AND(Language__c, TRUE)", "CASE(Campus__c, 'a', 1, 'b', 'x', 2)",
    ],
)  # fmt: skip
def test_kinds_that_do_not_go_together_are_refused(text):
    with pytest.raises(UnsupportedFormula):
        to_sql(parse_formula(text), column_of, lambda path: kind_of(KNOWN[path]))


def test_without_kinds_a_field_takes_the_kind_of_what_it_is_compared_with():
    assert to_sql(parse_formula("Name = 'x'"), column_of) == "coalesce((coalesce(\"Name\", '') = 'x'), false)"
    assert to_sql(parse_formula("Fee__c"), column_of) == '"Fee__c"'


def test_fields_are_listed_once_in_order():
    tree = parse_formula("AND(Account.Parent.Name <> '', NOT(Out__c), OR(Out__c, LEN(Code__c) > 1))")
    assert fields_of(tree) == ("Account.Parent.Name", "Out__c", "Code__c")


def calculated(name, text):
    return SalesforceField(name, type="boolean", calculated=True, createable=False, updateable=False, formula=text)


def test_formulas_behind_formulas_are_written_out():
    known = {
        "A__c": calculated("A__c", "AND(b__c, Account.Active__c)"),
        "B__c": calculated("B__c", "NOT(Out__c)"),
        "Out__c": SalesforceField("Out__c", type="boolean"),
    }
    assert criteria_inputs(known["A__c"], known) == ["Out__c", "Account.Active__c"]
    assert criteria_inputs(known["Out__c"], known) == []
    assert fields_of(formula_of(known["A__c"], known)) == ("Out__c", "Account.Active__c")


@pytest.mark.parametrize(
    ("text", "as_zero", "as_blank"),
    [
        ("Score__c < 5", True, False),
        ("account.fee__c * 2 = 0", True, False),
        ("ISBLANK(Score__c)", False, True),
        ("Half__c = 0", True, False),
        ("Start__c <> NULL", False, False),
        ("Name = 'x'", False, False),
    ],
)
def test_a_formula_field_may_read_blank_numbers_as_zero(text, as_zero, as_blank):
    fields = [SalesforceField("Score__c", type="int"), SalesforceField("Account.Fee__c", type="currency"),
              SalesforceField("Start__c", type="date"), SalesforceField("Name"),
              SalesforceField("Half__c", type="double", calculated=True, formula="Score__c / 2")]  # fmt: skip
    known = {field.name: field for field in fields}
    columns = "SELECT CAST(NULL AS INT) AS s, CAST(NULL AS DOUBLE) AS f, CAST(NULL AS DATE) AS d, NULL AS n"
    names = {"Score__c": "s", "Account.Fee__c": "f", "account.fee__c": "f", "Start__c": "d", "Name": "n"}
    spelled = {path.lower(): field for path, field in known.items()}

    def answer(is_zero):
        tree = formula_of(replace(calculated("A__c", text), blank_is_zero=is_zero), known)
        sql = to_sql(tree, names.__getitem__, lambda path: kind_of(spelled[path.lower()]))
        return duckdb.sql(f"SELECT {sql} FROM ({columns})").fetchone()[0]

    assert (answer(is_zero=True), answer(is_zero=False)) == (as_zero, as_blank)


@pytest.mark.parametrize("text", ["A__c", "B__c", "Gone__c", "TODAY() = Start__c", None])
def test_a_formula_that_cannot_be_written_out_has_no_inputs(text):
    known = {"A__c": calculated("A__c", text), "B__c": calculated("B__c", "A__c")}
    assert criteria_inputs(known["A__c"], known) == []
    with pytest.raises(UnsupportedFormula):
        formula_of(known["A__c"], known)


def test_fields_that_formulas_do_not_compare():
    with pytest.raises(UnsupportedFormula):
        kind_of(SalesforceField("MailingAddress", type="address"))
    kinds = [kind_of(field) for field in KNOWN.values()]
    assert kinds == ["text", "text", "text", "number", "boolean", "date", "text"]
