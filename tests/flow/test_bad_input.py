"""What a store may be given and should not be: each ends in a clear sentence or in a correct result."""

from __future__ import annotations

import json

import pytest
import world as worlds
from world import World, mapping, record_id, send, status_of

from workbench.domain.fields import MainstayField
from workbench.engine.explain import explain
from workbench.errors import ConfigurationError, NotFound
from workbench.operations import check_mapping, decide_conflict, import_mapping
from workbench.settings import Settings
from workbench.store import Store

ODD = 'Odd "name"; drop table x'
ID = "003D000000QOMn0IAH"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("bad") / "world.duckdb"))


@pytest.fixture
def world(store):
    return World(store)


# -- the mapping ---------------------------------------------------------------------------------------------------

PAIRS = {
    "a field that Salesforce does not have": (
        "export", {"salesforce": "Nope__c", "mainstay": "custom.Notes"},
        "Contact.Nope__c and Mainstay custom.Notes: Salesforce has no field Nope__c on Contact (or it is not visible)",
    ),
    "a field that Mainstay does not have": (
        "export", {"salesforce": "Account.Name", "mainstay": "custom.Nope"},
        "Contact.Account.Name and Mainstay custom.Nope: Mainstay has no field custom.Nope",
    ),
    "types that do not fit": (
        "export", {"salesforce": "First__c", "mainstay": "email"},
        "Contact.First__c and Mainstay email: a boolean of Salesforce does not fit the email of Mainstay",
    ),
    "a lookup to match by": (
        "import", {"salesforce": "Account.Name", "mainstay": "custom.Notes", "matching": True},
        "Contact.Account.Name and Mainstay custom.Notes: a lookup field cannot be used for matching",
    ),
    "two rows that write one Mainstay field": (
        "export", {"salesforce": "Portal__c", "mainstay": "first_name"},
        "Contact export writes first_name twice (also row 1)",
    ),
    "two rows that write one Salesforce field, told in another case": (
        "import", {"salesforce": "firstname", "mainstay": "custom.Notes"},
        "Contact import writes firstname twice (also row 1)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PAIRS)
def test_a_pair_that_cannot_be_is_named_with_its_line_and_nothing_is_saved(world, case):
    direction, pair, sentence = PAIRS[case]
    world.land()
    world.store.write(
        """INSERT INTO salesforce.field BY NAME SELECT * REPLACE ('AccountId' AS name, 'reference' AS type,
           ['Account'] AS reference_to, 'Account' AS relationship_name) FROM salesforce.field WHERE name = 'Notes__c'""",
        """INSERT INTO salesforce.field BY NAME SELECT * REPLACE ('Account' AS sobject, 'Name' AS name,
           'string' AS type) FROM salesforce.field WHERE name = 'Notes__c'""",
    )
    document = json.loads(mapping())
    if direction == "import":
        document["objects"][0]["import"]["fields"] = [{"mainstay": "first_name", "salesforce": "FirstName"}]
    document["objects"][0][direction]["fields"].append(pair)
    text = json.dumps(document, indent=1)
    line = text[: text.rindex("{", 0, text.rindex(pair["salesforce"]))].count("\n") + 1

    with pytest.raises(ConfigurationError) as caught:
        import_mapping(world.store, Settings(_env_file=None), text, by="test")

    assert "nothing was saved" in str(caught.value)
    assert f"line {line}: {sentence}" in str(caught.value)
    assert world.store.rows("SELECT count(*) AS n FROM config.mapping_revision WHERE document = $t", {"t": text}) == [
        {"n": 0}
    ]


@pytest.mark.parametrize(
    ("document", "problems"),
    [
        ("version: 1\nobjects: 3\n", ["line 2: objects: Input should be a valid list"]),
        ("version: 1\nobjects: []\n", ["line 2: objects: List should have at least 1 item after validation, not 0"]),
        (
            "version: 1\nobjects:\n  - export: 3\n",
            [
                "line 3: objects.0.sobject: Field required",
                "line 3: objects.0.export: Input should be a valid dictionary or instance of ExportMapping",
            ],
        ),
    ],
)
def test_each_mistake_of_shape_is_told_once(world, document, problems):
    with pytest.raises(ConfigurationError) as refused:
        check_mapping(world.store, Settings(_env_file=None), document)
    assert refused.value.problems == problems


def test_a_mapping_that_fits_is_checked_against_the_pull(world):
    world.land()
    assert check_mapping(world.store, Settings(_env_file=None), mapping()).checked_against == "pull"


def test_a_required_field_stays_mapped_until_it_is_no_longer_marked(tmp_path):
    """Guide: "Required Mapping indicates that this field must be included in your mapping"."""
    store, settings = Store(str(tmp_path / "world.duckdb")), Settings(_env_file=None)
    document = json.loads(mapping())
    fields = document["objects"][0]["export"]["fields"]
    fields[2]["required"] = True
    import_mapping(store, settings, json.dumps(document), by="test")
    kept = {**document, "objects": [{**document["objects"][0], "export": {"fields": fields[:2] + fields[3:]}}]}

    with pytest.raises(ConfigurationError) as caught:
        import_mapping(store, settings, json.dumps(kept), by="test")

    assert "Contact export no longer maps phone, which is marked as required; save it unmarked first" in str(
        caught.value
    )
    moved = {**document, "objects": [{**document["objects"][0], "export": {"fields": fields[::-1]}}]}
    assert import_mapping(store, settings, json.dumps(moved), by="test").is_new
    fields[2]["required"] = False
    import_mapping(store, settings, json.dumps(document), by="test")
    assert import_mapping(store, settings, json.dumps(kept), by="test").is_new


# -- names and ids -------------------------------------------------------------------------------------------------


def test_a_field_whose_name_is_sql_goes_through_as_a_name(world):
    value = 'a\'; DROP TABLE salesforce."Contact"; --'
    world.record(1, Odd__c=value)
    world.record(2, Odd__c=value)
    world.contact(2, crm_id=record_id(2), custom={ODD: 'b"'})

    _, rows = world.preview()

    made, altered = (json.loads(row["requests"][0]["body"]) for row in rows)
    assert (made["custom"][ODD], altered) == (value, {"custom": {ODD: value}})
    assert json.loads(rows[1]["fields"]) == [{"field": f"custom.{ODD}", "before": 'b"', "after": value}]
    told = {step.name: step.sentence for step in explain(world.store, record_id(2)).steps}
    assert told["Fields"] == f"1 would change: custom.{ODD}."
    for row in rows:
        request = row["requests"][0]
        answer = send(
            request["method"], request["path"], json.loads(request["body"]), world.directory(), world.people()
        )
        assert (row["predicted_status"], status_of(answer)) == ("success", "success")


def test_a_field_whose_name_is_sql_comes_back_as_a_name(store):
    document = json.loads(mapping())
    document["objects"][0]["import"]["fields"].append({"mainstay": f"custom.{ODD}", "salesforce": "Odd__c"})
    world = World(store, json.dumps(document))
    world.record(1)
    world.contact(1, crm_id=record_id(1), custom={ODD: 'say "x"; drop'})
    _, (row,) = world.preview("import")
    assert json.loads(row["requests"][0]["body"]) == {"Odd__c": 'say "x"; drop'}


def test_a_record_may_be_named_by_15_characters(world):
    world.record(1, Id=ID)
    world.record(2)
    report, rows = world.preview(only_record=ID[:15])
    assert (report.counts["create"], [row["salesforce_id"] for row in rows]) == (1, [ID])
    assert explain(world.store, ID[:15]).salesforce["Id"] == ID
    with pytest.raises(NotFound, match="003d000000qomn0AAA is not among the records"):
        world.preview(only_record="003d000000qomn0")


def test_a_conflict_may_be_decided_by_15_characters(world):
    world.record(1, Id=ID)
    report, (row,) = world.preview()
    world.store.write(
        (
            """INSERT INTO preview.conflict BY NAME
               SELECT $preview_id AS preview_id, $change_id AS change_id, 'email' AS field, 'ask' AS cause""",
            {"preview_id": report.preview_id, "change_id": row["change_id"]},
        )
    )
    assert decide_conflict(world.store, ID[:15], "email", "salesforce", by="Ana")["salesforce_id"] == ID


def test_a_crm_id_of_15_characters_is_another_one_to_mainstay(world):
    """Mainstay compares CRM IDs exactly: a PUT by 18 characters finds no contact that carries 15. Salesforce takes both."""
    world.record(1, Id=ID, MobilePhone="4045550101")
    world.contact(1, crm_id=ID[:15], phone="4045550101")

    _, (sent,) = world.preview()
    _, (back,) = world.preview("import")

    assert (sent["action"], sent["codes"]) == ("blocked", ["phone-match-found-but-crmId-mismatch"])
    assert world.directory().by_crm_id(ID) is None
    assert (back["action"], back["salesforce_id"]) == ("none", ID)


def test_a_capital_i_with_a_dot_does_not_become_an_i(world):
    world.record(1, Email="\u0130nci@X.edu", SMS__c="OPTED-\u0130N", Language__c="\u0130D")
    world.contact(1, crm_id=record_id(1), phone="4045550101", email="inci@x.edu", messaging_status_sms="opted-in")

    _, (row,) = world.preview()

    request = row["requests"][0]
    body = json.loads(request["body"])
    answer = send(request["method"], request["path"], body, world.directory(), world.people())
    assert body == {"email": "\u0130nci@x.edu", "messaging_status_sms": "opted-\u0130n", "language": "\u0130D"}
    assert sorted(row["codes"]) == sorted(answer.codes) == ["invalid-language", "invalid-messaging-status"]
    assert (row["predicted_status"], status_of(answer)) == ("partial", "partial")


# -- sizes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["export", "import"])
def test_two_empty_systems_have_nothing_to_say(world, direction):
    report, rows = world.preview(direction)
    assert rows == []
    assert set(report.counts.values()) == {0}
    assert sum(bucket["row_count"] for bucket in report.buckets) == 0
    assert report.guards == []


@pytest.mark.parametrize("direction", ["export", "import"])
def test_where_one_side_is_empty_the_other_is_made_or_left_alone(world, direction):
    world.record(1, Email="one@example.edu")
    world.record(2, MobilePhone="4045550102")
    report, _ = world.preview(direction)
    made = 2 if direction == "export" else 0
    assert (report.counts["create"], sum(report.counts.values())) == (made, made)

    world.records = []
    world.contact(1, email="one@example.edu")
    world.contact(2, crm_id=record_id(2))
    report, _ = world.preview(direction)
    found = {action: count for action, count in report.counts.items() if count}
    # Nobody knows what the second contact's CRM ID was: a person has to say.
    assert found == ({} if direction == "export" else {"create": 1, "conflict": 1})


@pytest.mark.parametrize("mapped", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_thousand_custom_fields(store, monkeypatch, mapped):
    names = [f"Field {n}" for n in range(1000)]
    fields = tuple((f"F{n}__c", "string", "VARCHAR", f"custom.{name}") for n, name in enumerate(names))
    monkeypatch.setattr(worlds, "CUSTOM", tuple(MainstayField(name, "Text", is_custom=True) for name in names))
    monkeypatch.setattr(worlds, "FIELDS", (*worlds.FIELDS[:4], *fields))
    document = json.loads(mapping())
    export = document["objects"][0]["export"]
    export["fields"] = export["fields"][: 4 + mapped]
    world = World(store, json.dumps(document))
    values = {f"F{n}__c": f"value {n}" for n in range(1000)}
    world.record(1, **values)
    world.record(2, **values)
    world.contact(2, crm_id=record_id(2), custom={name: f"value {n}" for n, name in enumerate(names[: mapped - 1])})

    _, (made, altered) = world.preview()

    assert len(json.loads(made["requests"][0]["body"])["custom"]) == mapped
    last = mapped - 1
    assert json.loads(altered["requests"][0]["body"]) == {"custom": {f"Field {last}": f"value {last}"}}


# -- nothing where something may stand -----------------------------------------------------------------------------


def test_nulls_in_every_optional_place(store):
    world = World(store, mapping(deletions=True, everything=True, matching=("email", "phone")))
    world.record(1, FirstName=None, LastName=None, Sync__c=True, SystemModstamp=None)
    world.record(2, Sync__c=None)
    world.record(3, FirstName=None, LastName=None)
    for number in (1, 2):
        world.contact(number, first_name=None, last_name=None)
    world.contact(3, first_name=None, last_name=None, crm_id=record_id(3))
    world.land()
    world.store.write(
        "UPDATE salesforce.field SET label = NULL, length = NULL, picklist_values = NULL, reference_to = NULL, formula = NULL",
        "UPDATE mainstay.field SET options = NULL",
    )

    _, sent = world.preview()
    _, back = world.preview("import")

    by_record = {row["salesforce_id"]: row for row in sent}
    assert (by_record[record_id(1)]["action"], by_record[record_id(1)]["codes"]) == (
        "blocked", ["blank-required-data-in-record"],
    )  # fmt: skip
    assert by_record[record_id(2)]["action"] == "excluded"
    assert by_record[record_id(3)]["action"] == "none"
    by_contact = {row["mainstay_id"]: row for row in back}
    assert {row["action"] for row in back if row["salesforce_id"] is None} == {"blocked"}
    assert by_contact[world.contacts[0]["id"]]["codes"] == ["REQUIRED_FIELD_MISSING"]
    assert by_contact[world.contacts[2]["id"]]["action"] == "none"
    for row in (sent[0], back[0]):
        assert all(step.sentence for step in explain(world.store, row["change_id"]).steps)
