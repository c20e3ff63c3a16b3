"""Three-way previews of both directions over one store: what both sides last had, who moved, and who wins."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from world import START, World, mapping, record_id

from workbench.engine.agreed import look_at_pulls
from workbench.engine.explain import explain
from workbench.errors import ConfigurationError, NotFound
from workbench.operations import decide_conflict
from workbench.store import Store
from workbench.views_conflicts import conflicts, count_conflicts

# Dozens of previews each: minutes on a busy machine, and no sign of a hang.
pytestmark = pytest.mark.timeout(1200)

PHONE, OTHER = "4045550101", "4045550102"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("agreement") / "world.duckdb"))


def document(rules=None, **settings):
    text = json.loads(mapping(**settings))
    text["objects"][0]["conflicts"] = rules or {"default": "ask"}
    return json.dumps(text)


def pair(store, rules=None, **settings):
    """A linked pair, equal on both sides and looked at once."""
    world = World(store, document(rules, **settings))
    world.pulled_at = START
    world.record(1, MobilePhone=PHONE, Email="ana@x.edu", SMS__c="opted-in", Notes__c="old")
    world.contact(1, crm_id=record_id(1), phone=PHONE, email="ana@x.edu", custom={"Notes": "old"})
    world.contacts[0]["last_modified_at"] = START
    assert world.preview()[0].counts["none"] == 1
    return world


def move(world, *, salesforce=None, mainstay=None):
    world.records[0].update(salesforce or {})
    custom = (mainstay or {}).pop("custom", {})
    world.contacts[0].update(mainstay or {})
    world.contacts[0]["custom"].update(custom)


def one(world, direction="export"):
    _, (row,) = world.preview(direction)
    return row, {item["field"]: item["after"] for item in json.loads(row["fields"])}


def listed(world):
    return {row["field"]: row for row in conflicts(world.store)}


def test_an_export_does_not_overwrite_what_only_mainstay_changed(store):
    world = pair(store)
    move(world, salesforce={"LastName": "Ray"}, mainstay={"email": "new@x.edu"})
    row, fields = one(world)
    assert (row["action"], fields) == ("update", {"last_name": "Ray"})
    assert json.loads(row["requests"][0]["body"]) == {"last_name": "Ray"}
    assert (listed(world)["email"]["cause"], listed(world)["email"]["winner"]) == ("only_mainstay_changed", "mainstay")
    row, fields = one(world, "import")
    assert (row["action"], fields) == ("update", {"Email": "new@x.edu"})
    assert listed(world)["last_name"]["winner"] == "salesforce"


def test_the_sign_between_kept_values_may_stand_in_a_value(store):
    """The values of a pair are one text: what follows such a value must not move into another field's place."""
    world = World(store, document())
    world.pulled_at = START
    world.record(1, MobilePhone=PHONE, Email="ana@x.edu", SMS__c="opted-in", Notes__c="a\x1fb\x1fc")
    world.contact(1, crm_id=record_id(1), phone=PHONE, email="ana@x.edu", custom={"Notes": "a\x1fb\x1fc"})
    world.contacts[0]["last_modified_at"] = START
    world.records[0]["FirstName"] = world.contacts[0]["first_name"] = "An\x1fa"
    assert world.preview()[0].counts["none"] == 1
    move(world, salesforce={"LastName": "Ray"}, mainstay={"email": "new@x.edu"})
    _, fields = one(world)
    assert fields == {"last_name": "Ray"}
    assert (listed(world)["email"]["cause"], listed(world)["email"]["baseline"]) == (
        "only_mainstay_changed",
        "ana@x.edu",
    )


def test_a_full_payload_leaves_it_out_too(store):
    world = pair(store, everything=True)
    move(world, salesforce={"LastName": "Ray"}, mainstay={"email": "new@x.edu"})
    row, _ = one(world)
    body = json.loads(row["requests"][0]["body"])
    assert body["last_name"] == "Ray"
    assert "email" not in body


def test_what_only_mainstay_changed_leaves_nothing_to_export(store):
    world = pair(store)
    move(world, mainstay={"email": "new@x.edu"})
    row, _ = one(world)
    assert (row["action"], row["reason"]) == ("none", "Linked by CRM ID; what differs is left to Mainstay")
    move(world, salesforce={"LastName": "Ray"}, mainstay={"email": "ana@x.edu"})
    row, _ = one(world, "import")
    assert (row["action"], row["reason"]) == ("none", "Linked by CRM ID; what differs is left to Salesforce")


@pytest.mark.parametrize(
    ("rule", "export", "back"),
    [
        ("salesforce", {"email": "sf@x.edu"}, {}),
        ("mainstay", {}, {"Email": "ms@x.edu"}),
        ("newest", {}, {"Email": "ms@x.edu"}),
    ],
)
def test_the_rule_of_the_field_decides_where_both_moved(store, rule, export, back):
    world = pair(store, {"default": "ask", "email": rule})
    move(world, salesforce={"Email": "sf@x.edu", "SystemModstamp": START + timedelta(hours=1)},
         mainstay={"email": "ms@x.edu", "last_modified_at": START + timedelta(hours=2)})  # fmt: skip
    assert one(world)[1] == export
    assert one(world, "import")[1] == back
    told = listed(world)["email"]
    who = "the Mainstay contact was changed last" if rule == "newest" else f"the mapping says {rule}"
    assert (told["decided_by"], told["reason"]) == ("the mapping", f"Both sides changed it; {who}")
    assert (told["salesforce_modified_at"], told["mainstay_modified_at"]) == (
        START + timedelta(hours=1), START + timedelta(hours=2),
    )  # fmt: skip


def test_newest_says_that_the_record_was_changed_last(store):
    world = pair(store, {"default": "newest"})
    move(world, salesforce={"Email": "sf@x.edu", "SystemModstamp": START + timedelta(hours=3)},
         mainstay={"email": "ms@x.edu", "last_modified_at": START + timedelta(hours=2)})  # fmt: skip
    assert one(world)[1] == {"email": "sf@x.edu"}
    assert listed(world)["email"]["reason"] == "Both sides changed it; the Salesforce record was changed last"


def test_ask_sends_the_record_to_the_worklist_until_a_person_decides(store):
    world = pair(store)
    move(world, salesforce={"Email": "sf@x.edu", "LastName": "Ray"}, mainstay={"email": "ms@x.edu"})
    for direction in ("export", "import"):
        row, fields = one(world, direction)
        assert (row["action"], fields, row["requests"]) == ("conflict", {}, [])
        assert row["reason"] == "Both sides changed email since they last agreed"
    open_row = listed(world)["email"]
    assert (open_row["baseline"], open_row["is_open"], open_row["winner"]) == ("ana@x.edu", True, None)
    assert (open_row["salesforce_value"], open_row["mainstay_value"]) == ("sf@x.edu", "ms@x.edu")
    assert {row["field"]: row["open_count"] for row in count_conflicts(store)} == {"email": 1, "last_name": 0}

    found = decide_conflict(store, record_id(1), "email", "salesforce", by="Ana", note="called her")
    assert (found["salesforce_value"], found["decided_by"]) == ("sf@x.edu", "Ana")
    decided = listed(world)["email"]
    assert (decided["is_open"], decided["decision"], decided["decision_note"]) == (False, "salesforce", "called her")

    row, fields = one(world)
    assert (row["action"], fields) == ("update", {"email": "sf@x.edu", "last_name": "Ray"})
    assert listed(world)["email"]["reason"] == "Ana decided for salesforce"
    assert one(world, "import")[0]["action"] == "none"

    move(world, mainstay={"email": "later@x.edu"})
    assert one(world)[0]["action"] == "conflict"


def test_a_decision_needs_a_side_a_name_and_a_difference(store):
    world = pair(store)
    move(world, salesforce={"Email": "sf@x.edu"}, mainstay={"email": "ms@x.edu"})
    one(world)
    with pytest.raises(ConfigurationError, match="decided for salesforce or for mainstay"):
        decide_conflict(store, record_id(1), "email", "both", by="Ana")
    with pytest.raises(ConfigurationError, match="say who decides"):
        decide_conflict(store, record_id(1), "email", "mainstay", by=" ")
    with pytest.raises(NotFound, match="No preview lists a difference in nickname of 003XX"):
        decide_conflict(store, record_id(1), "nickname", "mainstay", by="Ana")


def test_without_a_baseline_the_direction_decides_and_the_difference_is_listed(store):
    world = World(store, document())
    world.record(1, Email="sf@x.edu")
    world.contact(1, crm_id=record_id(1), email="ms@x.edu")
    row, fields = one(world)
    assert (row["action"], fields) == ("update", {"email": "sf@x.edu"})
    assert listed(world)["email"]["reason"] == "Never seen equal; the direction of the run decides"
    assert one(world, "import")[1] == {"Email": "ms@x.edu"}


def test_a_phone_that_only_mainstay_changed_is_neither_sent_nor_refused(store):
    """The old phone belongs to somebody else by now: sending it would be refused, leaving it is right."""
    world = pair(store)
    world.contact(2, phone=PHONE)
    move(world, mainstay={"phone": OTHER})
    row, _ = one(world)
    assert (row["action"], row["codes"]) == ("none", [])


def test_a_walked_record_leaves_and_keeps_what_mainstay_won(store):
    """Two records want one phone; with deletions on, a field left to Mainstay is not cleared on the way."""
    world = pair(store, deletions=True)
    world.record(2, MobilePhone=OTHER)
    move(world, salesforce={"MobilePhone": OTHER}, mainstay={"custom": {"Notes": "new"}})
    _, (first, _) = world.preview()
    assert json.loads(first["requests"][0]["body"]) == {"phone": OTHER}


def test_a_clear_reaches_the_other_side_only_from_the_side_that_made_it(store):
    world = pair(store)
    move(world, mainstay={"custom": {"Notes": None}, "phone": None})
    row, _ = one(world)
    assert row["action"] == "none"
    row, fields = one(world, "import")
    assert (fields, row["guards"]) == ({"Notes__c": None, "MobilePhone": None}, ["blank-value"])
    assert json.loads(row["requests"][0]["body"]) == {"MobilePhone": None, "Notes__c": None}
    move(
        world, salesforce={"Notes__c": None, "MobilePhone": None}, mainstay={"custom": {"Notes": "old"}, "phone": PHONE}
    )
    assert one(world, "import")[0]["action"] == "none"


def fanned_out(store):
    """A pair whose email also fills another Salesforce field, which no export reads back."""
    text = json.loads(document())
    text["objects"][0]["import"]["fields"].append({"mainstay": "email", "salesforce": "Preferred__c"})
    world = pair(store)
    world.document = json.dumps(text)
    world.records[0]["Preferred__c"] = "ana@x.edu"
    world.preview()
    return world


def test_a_clear_stays_within_the_pair_that_is_mapped_both_ways(store):
    world = fanned_out(store)
    move(world, salesforce={"Preferred__c": "kept by hand"}, mainstay={"email": None})
    assert one(world, "import")[1] == {"Email": None}


def test_a_field_with_one_owner_is_written_where_the_pair_is_left(store):
    world = fanned_out(store)
    move(world, salesforce={"Email": "new@x.edu", "Preferred__c": None})
    assert one(world, "import")[1] == {"Preferred__c": "ana@x.edu"}


def test_what_salesforce_cannot_do_without_is_not_cleared(store):
    world = pair(store)
    move(world, mainstay={"last_name": None})
    row, fields = one(world, "import")
    assert (row["action"], fields) == ("none", {})
    told = "Linked by CRM ID; Salesforce cannot clear last_name as Mainstay did: its value stays"
    assert row["reason"] == told
    assert f"none: {told}." in [step.sentence for step in explain(store, record_id(1)).steps]
    assert one(world)[0]["reason"] == "Linked by CRM ID; what differs is left to Mainstay"


def test_a_boolean_of_salesforce_is_never_blank(store):
    text = json.loads(document())
    text["objects"][0]["import"]["fields"].append({"mainstay": "custom.First Gen", "salesforce": "First__c"})
    world = pair(store)
    world.document = json.dumps(text)
    move(world, salesforce={"First__c": True}, mainstay={"custom": {"First Gen": True}})
    world.preview()
    move(world, mainstay={"custom": {"First Gen": None}, "last_name": None})
    row, fields = one(world, "import")
    assert (row["action"], fields) == ("none", {})
    assert "cannot clear custom.First Gen, last_name as Mainstay did" in row["reason"]
    move(world, mainstay={"email": "new@x.edu"})
    row, fields = one(world, "import")
    assert (row["reason"], fields) == ("Linked by CRM ID; values differ", {"Email": "new@x.edu"})


def test_a_value_mapped_one_way_has_one_owner(store):
    world = pair(store)
    move(world, salesforce={"Student__c": "S1"}, mainstay={"enrollment_id": "S2"})
    assert one(world)[1] == {"enrollment_id": "S1"}
    assert "enrollment_id" not in listed(world)


def test_the_same_change_on_both_sides_is_agreement(store):
    world = pair(store)
    move(world, salesforce={"Email": "New@x.edu"}, mainstay={"email": "new@x.edu"})
    assert one(world)[0]["action"] == "none"
    kept = {row["field"]: row["value"] for row in store.rows("SELECT field, value FROM view.last_agreed")}
    assert (kept["email"], kept["custom.Campus"]) == ("new@x.edu", None)


def test_a_pair_that_a_later_pull_shows_equal_is_kept(store):
    world = pair(store)
    world.pulled_at = later = START + timedelta(days=1)
    world.record(2, MobilePhone=OTHER, Email="bo@x.edu", SystemModstamp=later)
    world.contact(2, crm_id=record_id(2), phone=OTHER, email="bo@x.edu")
    world.contacts[1]["last_modified_at"] = later
    world.preview()
    world.contacts[1]["email"] = "new@x.edu"
    rows = {row["salesforce_id"]: row["action"] for row in world.preview()[1]}
    assert rows[record_id(2)] == "none"
    assert listed(world)["email"]["cause"] == "only_mainstay_changed"


def test_what_a_contact_alone_came_to_say_is_kept(store):
    world = World(store, document())
    world.pulled_at = START
    world.record(1, MobilePhone=PHONE, Email="ana@x.edu", SystemModstamp=START - timedelta(days=30))
    world.contact(1, crm_id=record_id(1), phone=PHONE, email="old@x.edu")
    world.contacts[0]["last_modified_at"] = START - timedelta(days=30)
    world.preview()
    world.pulled_at = later = START + timedelta(days=1)
    world.contacts[0].update(email="ana@x.edu", last_modified_at=later)
    world.preview()
    world.records[0].update(Email="new@x.edu", SystemModstamp=later)
    _, (row,) = world.preview("import")
    assert row["action"] == "none"
    assert listed(world)["email"]["cause"] == "only_salesforce_changed"


def test_a_deleted_record_agrees_on_nothing_new(store):
    world = pair(store)
    kept = "SELECT record_id, contact_id, agreed FROM journal.last_agreed"
    before = world.store.rows(kept)
    move(world, salesforce={"Email": "new@x.edu", "IsDeleted": True}, mainstay={"email": "new@x.edu"})
    world.preview()
    assert world.store.rows(kept) == before
    world.records[0]["IsDeleted"] = False
    world.preview()
    assert world.store.rows(kept) != before


def test_a_field_mapped_anew_is_looked_at_and_the_others_keep_what_was_agreed(store):
    whole = document()
    fewer = json.loads(whole)
    for side in ("export", "import"):
        fields = fewer["objects"][0][side]["fields"]
        fewer["objects"][0][side]["fields"] = [field for field in fields if field["mainstay"] != "first_name"]
    world = pair(store)
    for world.document in (json.dumps(fewer), whole):
        world.preview()
    move(world, mainstay={"email": "new@x.edu", "first_name": "Eve"})
    assert one(world)[0]["action"] == "none"
    assert {name: (row["cause"], row["baseline"]) for name, row in listed(world).items()} == {
        "email": ("only_mainstay_changed", "ana@x.edu"),
        "first_name": ("only_mainstay_changed", "Ana"),
    }


def test_what_a_push_wrote_after_a_pull_stands(store):
    world = pair(store)
    pushed_at = START + timedelta(days=3)
    world.store.write(
        (
            "UPDATE journal.last_agreed SET agreed = replace(agreed, 'ana@x.edu', 'pushed@x.edu'), agreed_at = $at",
            {"at": pushed_at},
        )
    )
    world.pulled_at = world.contacts[0]["last_modified_at"] = START + timedelta(days=1)
    world.preview()
    (kept,) = world.store.rows("SELECT agreed, agreed_at FROM journal.last_agreed")
    assert "pushed@x.edu" in kept["agreed"]
    assert kept["agreed_at"] == pushed_at


def test_who_is_only_matched_by_phone_has_no_conflict(store):
    world = World(store, document())
    world.record(1, MobilePhone=PHONE, Email="ana@x.edu")
    world.contact(1, phone=PHONE, email="old@x.edu")
    row, fields = one(world)
    assert (row["action"], fields["email"]) == ("link", "ana@x.edu")
    assert listed(world) == {}


def test_a_link_that_was_lost_is_made_anew_without_what_was_agreed(store):
    world = pair(store)
    world.contacts[0]["crm_id"] = None
    move(world, mainstay={"email": "new@x.edu"})
    row, fields = one(world)
    assert (row["action"], fields["email"]) == ("link", "ana@x.edu")


def test_pulls_are_looked_at_once(store):
    world = pair(store)
    assert look_at_pulls(store, world.revision) == 0
    move(world, salesforce={"Email": "new@x.edu"}, mainstay={"email": "new@x.edu"})
    world.land()
    assert look_at_pulls(store, world.revision) == 1
    assert look_at_pulls(store, world.revision) == 0
    world.records[0]["SystemModstamp"] = datetime.now(UTC) + timedelta(days=1)  # saved once more, as it was
    (before,) = store.rows("SELECT agreed_at, looked_at FROM journal.last_agreed")
    world.pulled_at = START + timedelta(hours=1)
    world.land()
    assert look_at_pulls(store, world.revision) == 0
    (after,) = store.rows("SELECT agreed_at, looked_at FROM journal.last_agreed")
    assert after["agreed_at"] == before["agreed_at"]
    assert after["looked_at"] > before["looked_at"]


@pytest.mark.parametrize("side", ["salesforce", "mainstay"])
def test_what_one_side_alone_came_to_say_is_agreed_on(store, side):
    """The other side has not moved for days, so that nothing but this side's stamp leads to the pair."""
    world = World(store, document())
    world.pulled_at = START
    old = START - timedelta(days=3)
    world.record(1, Email="ana@x.edu", SystemModstamp=old)
    world.contact(1, crm_id=record_id(1), email="new@x.edu", last_modified_at=old)
    world.preview()
    later = START + timedelta(hours=1)
    if side == "salesforce":
        move(world, salesforce={"Email": "new@x.edu", "SystemModstamp": later})
    else:
        move(world, mainstay={"email": "ana@x.edu", "last_modified_at": later})
    world.land()
    assert look_at_pulls(store, world.revision) == 1
