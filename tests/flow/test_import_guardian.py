"""The guardian of imports: what the preview foretells of each contact is what both sandboxes then answer.

Hostile contacts are made by a seed, pulled, previewed, approved and pushed by the real clients over HTTP.
"""

from __future__ import annotations

import json
import random

import polars as pl
import pytest

from workbench.domain.fields import MainstayField
from workbench.operations import make_preview, pull_systems
from workbench.settings import MainstaySettings, PushSettings, SalesforceSettings, Settings
from workbench.simulators.mainstay.shape import complete_contacts
from workbench.simulators.salesforce.field_shapes import field_shape, formula, lookup
from workbench.simulators.salesforce.ids import long_id
from workbench.simulators.sandbox import Sandbox
from workbench.simulators.world import World
from workbench.stages.approve import Slice, approve_batch, create_batch
from workbench.stages.push import push_batch
from workbench.store import Store
from workbench.store.mappings import save_mapping

FIELDS = tuple(
    MainstayField(name, kind, is_custom=True)
    for name, kind in (
        ("GPA", "Number"), ("Visits", "Number"), ("Start", "Date"), ("Seen", "Date"), ("Opt Out", "True/False"),
        ("Nick", "Text"), ("Clean", "Text"), ("Mentor", "Text"), ("Notes", "Text"),
    )
)  # fmt: skip
PAIRS = (
    ("email", "Email"), ("first_name", "FirstName"), ("last_name", "LastName"), ("phone", "MobilePhone"),
    ("enrollment_id", "Student_ID__c"), ("custom.GPA", "GPA__c"), ("custom.Visits", "Visits__c"),
    ("custom.Start", "Enrollment_Date__c"), ("custom.Seen", "EmailBouncedDate"),
    ("custom.Opt Out", "Do_Not_Contact__c"), ("custom.Nick", "Language__c"), ("custom.Clean", "CleanStatus"),
    ("custom.Mentor", "ReportsToId"), ("custom.Notes", "High_School__c"),
)  # fmt: skip
RECORDS = [long_id(f"003Aa00000{number:05d}") for number in range(12)]
PERMANENT = {"blocked", "conflict", "excluded", "none"}


def mapping(matching=("email",), criteria="Sync_to_Mainstay__c", match="all"):
    fields = [{"mainstay": m, "salesforce": s, "matching": m in matching} for m, s in PAIRS]
    side = {"criteria": criteria, "create_unmatched": True, "match": match, "fields": fields}
    return json.dumps({"version": 1, "objects": [{"sobject": "Contact", "import": side}]})


def hostile_world(seed):
    """Twelve records, forty contacts: some linked, some to be linked, some new; each value may be a bad one."""
    dice = random.Random(seed)
    emails = [f"p{number}@example.edu" for number in range(12)]
    records = pl.DataFrame(
        {
            "Id": RECORDS,
            "FirstName": [dice.choice(["Ana", None, "Bo"]) for _ in RECORDS],
            "LastName": [dice.choice(["Ray", "Lopez"]) for _ in RECORDS],
            "Email": emails,
            "Student_ID__c": [f"S{number}" if dice.random() < 0.7 else None for number in range(12)],
            "GPA__c": [dice.choice([None, 3.0, 2.5]) for _ in RECORDS],
            "Visits__c": pl.Series([dice.choice([None, 1, 2]) for _ in RECORDS], dtype=pl.Int64),
            "Do_Not_Contact__c": [dice.random() < 0.2 for _ in RECORDS],
            "High_School__c": [dice.choice([None, "UNSET", "North"]) for _ in RECORDS],
        },
        schema_overrides={"FirstName": pl.String, "Student_ID__c": pl.String, "GPA__c": pl.Float64},
    )
    contacts = [_contact(dice, number, emails) for number in range(40)]
    customs = {field.path: pl.String for field in FIELDS}
    frame = pl.DataFrame(contacts, schema_overrides={"crm_id": pl.String, "phone": pl.String, **customs})
    return World({"Contact": records}, complete_contacts(frame, FIELDS), FIELDS)


def _contact(dice, number, emails):
    """One in eight values is out of the ordinary; ids, which others may hold, one in two."""

    def pick(plain, *odd, share=0.12):
        return dice.choice(odd) if dice.random() < share else plain

    def custom(plain, *odd):
        value = pick(plain, *odd)
        return None if value is None else json.dumps(value)

    email = (
        emails[number]
        if number < 12
        else pick(
            f"n{number}@example.edu",
            None,
            "nope",
            "a@b",
            "x@exa mple.edu",
            f"{'y' * 80}@example.edu",
            "a,b@example.edu",
        )
    )
    wanted_id = pick(f"N{number}", None, "S1", "s2", "S3", "S4", "N1", "n20", "N20", "T" * 21, share=0.5)
    return {
        "id": f"ah{number:015x}",
        "crm_id": RECORDS[number] if number < 8 else None,
        "email": email,
        "first_name": pick("Ana", None, "Bo", "B" * 41),
        "last_name": pick("Ray", None, "L" * 81, "O'Brien 李"),
        "phone": f"40455{50000 + number}",
        "enrollment_id": wanted_id,
        "custom.GPA": custom(3, None, 2.5, "soon", 1e300),
        "custom.Visits": custom(2, None, 2.5, "many", 7.0),
        "custom.Start": custom("2026-01-05", None, "1/6/2026", "someday", "2026-02-30"),
        "custom.Seen": custom("2026-01-05T10:00:00Z", None, "2026-01-05", "infinity", "lately"),
        "custom.Opt Out": custom(False, None, True, "yes", "perhaps"),
        "custom.Nick": custom("en", None, "much too long", ""),
        "custom.Clean": custom("Pending", None, "Spotless"),
        "custom.Mentor": custom(None, RECORDS[0], RECORDS[1][:15], RECORDS[2][:17] + "x", long_id("003Aa0000099999"), "someone", long_id("001Aa0000000001")),
        "custom.Notes": custom("North", None, "UNSET", " ", "x" * 256, 'say "hi", \n 李'),
    }  # fmt: skip


def settings_of(sandbox):
    connection = sandbox.connection
    return Settings(
        _env_file=None,
        mainstay=MainstaySettings(**connection["mainstay"]),
        salesforce=SalesforceSettings(
            instance_url=connection["salesforce"]["instance_url"],
            access_token=connection["salesforce"]["access_token"],
        ),
        push=PushSettings(stop_margin=1.0, stop_minimum=1000, chunk=17),
    )


def previewed(store, settings, direction="import"):
    pull_systems(store, settings)
    report = make_preview(store, settings, direction)
    query = "SELECT * FROM preview.change WHERE preview_id = $id ORDER BY seq"
    return report, {row["change_id"]: row for row in store.rows(query, {"id": report.preview_id})}


def pushed(store, settings, report):
    """Approve and push everything, the foretold failures too: change id -> outcome."""
    batch = create_batch(store, report.preview_id, by="Ana", chosen=Slice(all=True)).batch
    approve_batch(store, settings, batch, by="Bo")
    push_batch(store, settings, batch, by="Bo")
    rows = store.rows("SELECT * FROM journal.outcome WHERE batch_id = $batch", {"batch": batch})
    return {row["change_id"]: row for row in rows}


def assert_foretold(changes, outcomes):
    sent = {name: row for name, row in changes.items() if row["predicted_status"] is not None}
    assert set(outcomes) == set(sent)
    for name, row in sent.items():
        answer = outcomes[name]
        told = (row["predicted_status"], set(row["codes"]))
        assert told == (answer["status"], set(answer["codes"])), (
            f"{row['fields']} {answer['request_body']} {answer['fail_message']}"
        )


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_every_answer_is_foretold_and_nothing_is_left(tmp_path, seed):
    matching, match = [(("email",), "all"), (("email", "last_name"), "all"), (("email", "enrollment_id"), "any")][
        seed % 3
    ]
    with Sandbox(hostile_world(seed)) as sandbox:
        settings, store = settings_of(sandbox), Store(str(tmp_path / "store.duckdb"))
        save_mapping(store, mapping(matching, match=match), author="test")
        report, changes = previewed(store, settings)
        outcomes = pushed(store, settings, report)
        assert_foretold(changes, outcomes)

        written = {row["record_id"] for row in outcomes.values() if row["status"] == "success"}
        found = sandbox.salesforce_org.query("SELECT Id FROM Contact WHERE Sync_to_Mainstay__c = false")
        assert written.isdisjoint(record["Id"] for record in found.records("/"))

        refused = {row["mainstay_id"] for row in changes.values() if row["codes"]}
        _, left = previewed(store, settings)
        proposed = {row["mainstay_id"] for row in left.values() if row["action"] not in PERMANENT}
        assert proposed <= refused
        again = {row["mainstay_id"]: row for row in left.values()}
        assert all(again[row["mainstay_id"]]["action"] != "update" for row in changes.values() if not row["codes"])


ABOUT = tuple(MainstayField(name, "Text", is_custom=True) for name in ("School", "Term", "Applicant"))
CONTACT, LEAD, APPLICATION = long_id("003Aa0000000001"), long_id("00QAa0000000001"), long_id("a00Aa0000000001")


def several_objects():
    """Contact, Lead and an object with its contact behind a lookup, all three in both directions."""
    person = [("first_name", "FirstName"), ("last_name", "LastName"), ("email", "Email"), ("phone", "MobilePhone")]
    lead = [*person, ("custom.School", "Company")]
    behind = [(mainstay, f"Contact__r.{name}") for mainstay, name in person]
    applied = [("enrollment_id", "Application_Number__c"), ("custom.Term", "Term__c")]

    def export(pairs):
        return {"fields": [{"salesforce": s, "mainstay": m} for m, s in pairs]}

    def back(pairs, matching, **about):
        fields = [{"mainstay": m, "salesforce": s, "matching": m == matching} for m, s in pairs]
        return {"fields": fields, **about}

    objects = [
        {"sobject": "Contact", "export": export(person), "import": back(person, "email")},
        {"sobject": "Lead", "export": export(lead), "import": back(lead, "email", create_unmatched=True)},
        {
            "sobject": "Application__c",
            "export": export([*behind, *applied]),
            "import": back(
                [*applied, ("custom.Applicant", "Contact__c")], "enrollment_id",
                criteria="Is_For_Somebody__c", create_unmatched=False,
            ),
        },
    ]  # fmt: skip
    return json.dumps({"version": 1, "objects": objects})


def three_objects_world():
    records = {
        "Contact": pl.DataFrame(
            {"Id": [CONTACT], "FirstName": ["Ana"], "LastName": ["Ray"], "Email": ["ana@example.edu"], "MobilePhone": ["4045550101"]}
        ),
        "Lead": pl.DataFrame(
            {
                "Id": [LEAD, long_id("00QAa0000000002")], "FirstName": ["Bo", "Di"], "LastName": ["Lopez", "Kim"],
                "Company": ["North", "South"], "Email": ["bo@example.edu", "di@example.edu"],
                "MobilePhone": ["4045550102", "4045550105"],
            }
        ),
        "Application__c": pl.DataFrame(
            {
                "Id": [APPLICATION, long_id("a00Aa0000000002")], "Contact__c": [CONTACT, CONTACT],
                "Application_Number__c": ["A1", "A2"], "Term__c": ["Fall", None],
            }
        ),
    }  # fmt: skip

    def contact(number, **about):
        return {"id": f"ah{number}", "first_name": "Ana", "last_name": "Ray", "phone": f"404555011{number}", **about}

    contacts = [
        contact(1, crm_id=CONTACT, email="ana@example.edu"),
        contact(2, crm_id=LEAD, email="bo@example.edu", **{"custom.School": '"West"'}),
        contact(3, crm_id=APPLICATION, enrollment_id="A1", **{"custom.Term": '"Spring"'}),
        contact(4, email="di@example.edu", **{"custom.School": '"South"'}),
        contact(5, email="new@example.edu", **{"custom.School": '"East"'}),
        contact(6, email="bare@example.edu"),
        contact(7, crm_id=long_id("a00Aa0000000002"), enrollment_id="A2", **{"custom.Applicant": '"003Aa0000099999"'}),
    ]
    customs = ABOUT
    frame = pl.DataFrame(
        contacts,
        schema_overrides=dict.fromkeys(("crm_id", "email", "enrollment_id", *(f.path for f in customs)), pl.String),
        infer_schema_length=None,
    )
    return World(records, complete_contacts(frame, customs), customs)


@pytest.mark.parametrize(("criteria", "created"), [("Sync__c", True), ("Go__c", False)])
def test_a_new_record_has_the_default_value_of_a_checkbox(tmp_path, criteria, created):
    records = {"Contact": pl.DataFrame({"Id": [CONTACT], "LastName": ["Ray"], "Email": ["ray@example.edu"]})}
    contacts = pl.DataFrame([{"id": "ah1", "last_name": "New", "email": "new@example.edu", "phone": "4045550101"}])
    with Sandbox(World(records, complete_contacts(contacts, ()))) as sandbox:
        sandbox.salesforce_org.add_field("Contact", field_shape("Sync__c", "boolean", defaultValue=True))
        sandbox.salesforce_org.add_field("Contact", formula("Go__c", "boolean", "NOT(Sync__c)"))
        settings, store = settings_of(sandbox), Store(str(tmp_path / "store.duckdb"))
        fields = [{"mainstay": m, "salesforce": s, "matching": s == "Email"} for m, s in PAIRS[:3]]
        side = {"criteria": criteria, "create_unmatched": True, "fields": fields}
        save_mapping(store, json.dumps({"version": 1, "objects": [{"sobject": "Contact", "import": side}]}), author="t")
        report, changes = previewed(store, settings)
        told = [(row["action"], row["certainty"]) for row in changes.values()]
        assert told == [("create", "certain") if created else ("excluded", None)]
        if created:
            assert_foretold(changes, pushed(store, settings, report))
        # A store that was pulled before default values were kept knows none.
        store.write("UPDATE salesforce.field SET default_value = NULL")
        store.write('DELETE FROM salesforce."Contact" WHERE "LastName" = \'New\'')
        report = make_preview(store, settings, "import")
        (row,) = store.rows("SELECT * FROM preview.change WHERE preview_id = $id", {"id": report.preview_id})
        assert (row["action"], row["certainty"]) == ("create", "possible")


@pytest.mark.parametrize("is_zero", [True, False])
def test_a_formula_may_read_a_blank_number_as_zero(tmp_path, is_zero):
    records = {"Contact": pl.DataFrame({"Id": [CONTACT], "LastName": ["Ray"], "Email": ["ray@example.edu"]})}
    contacts = pl.DataFrame([{"id": "ah1", "last_name": "New", "email": "new@example.edu", "phone": "4045550101"}])
    with Sandbox(World(records, complete_contacts(contacts, ()))) as sandbox:
        sandbox.salesforce_org.add_field("Contact", field_shape("Score__c", "double"))
        rule = formula("Go__c", "boolean", "Score__c < 5", formulaTreatNullNumberAsZero=is_zero)
        sandbox.salesforce_org.add_field("Contact", rule)
        settings, store = settings_of(sandbox), Store(str(tmp_path / "store.duckdb"))
        fields = [{"mainstay": m, "salesforce": s, "matching": s == "Email"} for m, s in PAIRS[:3]]
        side = {"criteria": "Go__c", "create_unmatched": True, "fields": fields}
        save_mapping(store, json.dumps({"version": 1, "objects": [{"sobject": "Contact", "import": side}]}), author="t")
        report, changes = previewed(store, settings)
        told = [(row["action"], row["certainty"]) for row in changes.values()]
        assert told == [("create", "certain") if is_zero else ("excluded", None)]
        # A store that was pulled before this was read does not know.
        known = store.rows("SELECT name, blank_is_zero FROM salesforce.field WHERE blank_is_zero")
        assert [row["name"] for row in known] == (["Go__c"] if is_zero else [])
        store.write("UPDATE salesforce.field SET blank_is_zero = NULL")
        unsure = make_preview(store, settings, "import").preview_id
        (row,) = store.rows("SELECT * FROM preview.change WHERE preview_id = $id", {"id": unsure})
        assert (row["action"], row["certainty"]) == ("create", "possible")
        if is_zero:
            assert_foretold(changes, pushed(store, settings, report))
        previewed(store, settings)
        answered = {row["Go__c"] for row in store.rows('SELECT "Go__c" FROM salesforce."Contact"')}
        assert answered == {is_zero}


def test_criteria_over_a_parent_that_the_same_preview_changes_are_possible(tmp_path):
    world = three_objects_world()
    with Sandbox(world) as sandbox:
        rule = formula("Is_For_Somebody__c", "boolean", "Contact__r.LastName = 'Ray'")
        sandbox.salesforce_org.add_field("Application__c", rule)
        settings, store = settings_of(sandbox), Store(str(tmp_path / "store.duckdb"))
        document = json.loads(several_objects())
        side = document["objects"][2]["import"]
        side["fields"] = [pair for pair in side["fields"] if pair["salesforce"] != "Contact__c"]
        save_mapping(store, json.dumps(document), author="test")
        _, changes = previewed(store, settings)
        told = {(r["sobject"], r["mainstay_id"]): r["certainty"] for r in changes.values() if r["predicted_status"]}
        assert told[("Application__c", "ah3")] == "possible"
        assert {certainty for (sobject, _), certainty in told.items() if sobject != "Application__c"} == {"certain"}
        report = make_preview(store, settings, "import", sobjects=["Application__c"])
        query = "SELECT certainty FROM preview.change WHERE preview_id = $id AND mainstay_id = 'ah3'"
        assert store.rows(query, {"id": report.preview_id}) == [{"certainty": "certain"}]


def test_three_objects_in_one_preview(tmp_path):
    with Sandbox(three_objects_world()) as sandbox:
        rule = formula("Is_For_Somebody__c", "boolean", "OR(Contact__r.LastName = 'Ray', ISBLANK(Term__c))")
        sandbox.salesforce_org.add_field("Application__c", rule)
        settings, store = settings_of(sandbox), Store(str(tmp_path / "store.duckdb"))
        save_mapping(store, several_objects(), author="test")
        report, changes = previewed(store, settings)
        found = {(row["sobject"], row["mainstay_id"]): (row["action"], *row["codes"]) for row in changes.values()}
        assert len(found) == 3 * 7
        assert {key: action for key, action in found.items() if action != ("excluded",)} == {
            ("Contact", "ah1"): ("update",),
            ("Lead", "ah2"): ("update",),
            ("Lead", "ah4"): ("link",),
            ("Lead", "ah5"): ("create",),
            ("Lead", "ah6"): ("blocked", "REQUIRED_FIELD_MISSING"),
            ("Application__c", "ah3"): ("update",),
            ("Application__c", "ah7"): ("blocked", "INVALID_CROSS_REFERENCE_KEY"),
        }
        assert_foretold(changes, pushed(store, settings, report))
        _, left = previewed(store, settings)
        assert {
            (row["sobject"], row["mainstay_id"]) for row in left.values() if row["action"] not in PERMANENT
        } == set()

        report, changes = previewed(store, settings, "export")
        assert {row["sobject"] for row in changes.values()} == {"Contact", "Lead", "Application__c"}
        assert_foretold(changes, pushed(store, settings, report))


def foretold_and_answered(tmp_path, shapes, customs, contacts, *, objects=(), others=None, edits=()):
    """The changes and outcomes of contacts that are linked to records in order; what was written is then settled.

    `contacts`: their custom values. `shapes`: the fields these are mapped to, in order of `customs`. `edits`: (record
    number, values) of records before the pull.
    """
    count = len(contacts)
    records = pl.DataFrame(
        {
            "Id": RECORDS[:count],
            "LastName": ["Ray"] * count,
            "Email": [f"p{number}@example.edu" for number in range(count)],
        }
    )
    frame = pl.DataFrame(
        [
            {
                "id": f"ah{number}", "crm_id": RECORDS[number], "last_name": "Ray", "email": f"p{number}@example.edu",
                "phone": f"404555010{number}",
                **{f"custom.{name}": None if value is None else json.dumps(value) for name, value in about.items()},
            }
            for number, about in enumerate(contacts)
        ],
        schema_overrides={field.path: pl.String for field in customs},
        infer_schema_length=None,
    )  # fmt: skip
    pairs = [("email", "Email"), *((field.path, shape["name"]) for field, shape in zip(customs, shapes, strict=True))]
    fields = [{"mainstay": m, "salesforce": s, "matching": m == "email"} for m, s in pairs]
    document = {"version": 1, "objects": [{"sobject": "Contact", "import": {"fields": fields}}, *objects]}
    world = World({"Contact": records, **(others or {})}, complete_contacts(frame, customs), customs)
    with Sandbox(world) as sandbox:
        for shape in shapes:
            sandbox.salesforce_org.add_field("Contact", shape)
        for number, values in edits:
            sandbox.salesforce_org.edit("Contact", RECORDS[number], values)
        settings, store = settings_of(sandbox), Store(str(tmp_path / "store.duckdb"))
        save_mapping(store, json.dumps(document), author="test")
        report, changes = previewed(store, settings)
        outcomes = pushed(store, settings, report)
        _, again = previewed(store, settings)
    answered = {changes[name]["mainstay_id"] for name, answer in outcomes.items() if answer["status"] == "success"}
    assert answered.isdisjoint(row["mainstay_id"] for row in again.values() if row["action"] not in PERMANENT)
    return changes, outcomes


def by_contact(changes):
    return [row for row in sorted(changes.values(), key=lambda row: row["mainstay_id"]) if row["sobject"] == "Contact"]


NUMBER = (MainstayField("Number", "Number", is_custom=True),)


def test_a_unique_number_has_one_holder(tmp_path):
    """Held as 7.0 by another record; and taken in the order in which the holders give theirs up."""
    shape = field_shape("Student_No__c", "double", precision=18, scale=0, unique=True, externalId=True)
    contacts = [{"Number": 8}, {"Number": 7}, {"Number": 9}, {"Number": None}]
    changes, outcomes = foretold_and_answered(
        tmp_path, [shape], NUMBER, contacts, edits=[(0, {"Student_No__c": 7.0}), (3, {"Student_No__c": 9.0})]
    )
    assert_foretold(changes, outcomes)
    rows = by_contact(changes)
    assert [row["codes"] for row in rows] == [[], [], ["DUPLICATE_VALUE"], []]
    assert rows[0]["group_id"] == rows[1]["group_id"] is not None


def test_a_number_holds_so_many_digits_before_the_point(tmp_path):
    """More of them after the point are kept as they are, so nothing is left to write."""
    shape = field_shape("Score__c", "double", precision=5, scale=2)
    values = [999.99999, 1000, -1000, 0.123456789]
    changes, outcomes = foretold_and_answered(tmp_path, [shape], NUMBER, [{"Number": value} for value in values])
    assert_foretold(changes, outcomes)
    too_large = ["NUMBER_OUTSIDE_VALID_RANGE"]
    assert [row["codes"] for row in by_contact(changes)] == [[], too_large, too_large, []]


def test_an_int_has_32_bits(tmp_path):
    values = [2**31 - 1, 2**31, -(2**31), -(2**31) - 1]
    contacts = [{"Number": value} for value in values]
    changes, outcomes = foretold_and_answered(tmp_path, [field_shape("Count__c", "int")], NUMBER, contacts)
    assert_foretold(changes, outcomes)
    unreadable = ["JSON_PARSER_ERROR"]
    assert [row["codes"] for row in by_contact(changes)] == [[], unreadable, [], unreadable]


SCHOOL = (MainstayField("School", "Text", is_custom=True),)
KNOWN, BINNED = long_id("001Aa0000000001"), long_id("001Aa0000000002")
ACCOUNTS = {"Account": pl.DataFrame({"Id": [KNOWN, BINNED], "Name": ["North", "South"], "IsDeleted": [False, True]})}
NOBODY = long_id("001Aa0000099999")


def test_a_parent_of_an_object_that_is_not_mapped_is_only_possible(tmp_path):
    """Whether it is there, only Salesforce can tell; what is no id at all is refused for certain."""
    contacts = [{"School": KNOWN}, {"School": NOBODY}, {"School": "North"}, {"School": None}]
    changes, outcomes = foretold_and_answered(
        tmp_path, [lookup("School__c", "Account", "School__r")], SCHOOL, contacts, others=ACCOUNTS
    )
    told = [(row["action"], row["codes"], row["certainty"]) for row in by_contact(changes)]
    assert told == [
        ("update", [], "possible"),
        ("update", [], "possible"),
        ("blocked", ["MALFORMED_ID"], "certain"),
        ("none", [], None),
    ]
    answers = sorted((changes[name]["mainstay_id"], answer["codes"]) for name, answer in outcomes.items())
    assert answers == [("ah0", []), ("ah1", ["INVALID_CROSS_REFERENCE_KEY"]), ("ah2", ["MALFORMED_ID"])]


def test_which_refusal_a_missing_parent_meets_is_only_possible(tmp_path):
    """Pulls leave deleted records out, so that one looks like one that never was; refused it is either way."""
    account = {
        "sobject": "Account",
        "import": {"fields": [{"mainstay": "preferred_name", "salesforce": "Name", "matching": True}]},
    }
    contacts = [{"School": KNOWN}, {"School": NOBODY}, {"School": BINNED}]
    changes, outcomes = foretold_and_answered(
        tmp_path, [lookup("School__c", "Account", "School__r")], SCHOOL, contacts, others=ACCOUNTS, objects=[account]
    )
    nobody = ("fail", ["INVALID_CROSS_REFERENCE_KEY"], "possible")
    told = [(row["predicted_status"], row["codes"], row["certainty"]) for row in by_contact(changes)]
    assert told == [("success", [], "certain"), nobody, nobody]
    answers = sorted((changes[name]["mainstay_id"], answer["codes"]) for name, answer in outcomes.items())
    assert answers == [("ah0", []), ("ah1", ["INVALID_CROSS_REFERENCE_KEY"]), ("ah2", ["ENTITY_IS_DELETED"])]
