"""The mapping editor: no edit is lost, none is saved unseen, every row says whether it is valid."""

import pytest

from dashboard.components import mapping_draft, mapping_editor
from workbench import views_mapping
from workbench.domain import mapping_edit
from workbench.domain.mapping import parse_mapping
from workbench.store.mappings import current_mapping, mapping_history, save_mapping

FIELDS = (
    """INSERT INTO salesforce.field BY NAME SELECT sobject, name, type, true AS updateable, true AS createable,
       true AS nillable, calculated, contains(name, '__c') AS custom, name AS label, refers AS reference_to,
       relation AS relationship_name
       FROM (VALUES ('Contact', 'Id', 'id', false, [], NULL), ('Contact', 'FirstName', 'string', false, [], NULL),
                    ('Contact', 'Score__c', 'double', true, [], NULL),
                    ('Contact', 'Sync_to_Mainstay__c', 'boolean', false, [], NULL),
                    ('Contact', 'AccountId', 'reference', false, ['Account'], 'Account'),
                    ('Account', 'Name', 'string', false, [], NULL),
                    ('Account', 'ParentId', 'reference', false, ['Account'], 'Parent'))
            AS t (sobject, name, type, calculated, refers, relation)""",
    """INSERT INTO mainstay.field BY NAME SELECT 'GPA' AS name, 'Number' AS data_type, true AS is_custom,
       true AS is_deprecated, true AS is_writable""",
)


@pytest.fixture
def known_store(small_store):
    small_store.write(*FIELDS)
    return small_store


@pytest.fixture
def starter(small_store):
    return current_mapping(small_store).mapping


def button(running, label):
    return next(one for one in running.button if one.label == label)


def grid(running):
    return running.main.dataframe[0].value


def test_an_edit_changes_one_thing(starter):
    off = mapping_edit.set_switch(starter, "Contact", "import", "create_unmatched", value=False)
    assert not off.objects[0].import_.create_unmatched
    assert off.objects[0].export == starter.objects[0].export

    pair = ("GPA__c", "custom.GPA")
    added = mapping_edit.put_pair(starter, "Contact", "export", pair, is_marked=True, position=None)
    assert added.objects[0].export.fields[-1].required
    assert mapping_edit.drop_pair(added, "Contact", "export", len(added.objects[0].export.fields) - 1) == starter

    swapped = mapping_edit.put_pair(starter, "Contact", "import", ("Email", "email"), is_marked=False, position=0)
    assert not swapped.objects[0].import_.fields[0].matching

    ruled = mapping_edit.set_conflict(starter, "Contact", "first_name", "newest")
    assert ruled.objects[0].conflicts["first_name"] == "newest"
    assert mapping_edit.set_conflict(ruled, "Contact", "first_name", None) == starter


def test_a_new_object_starts_switched_off_with_the_basic_pairs(starter):
    mapped = mapping_edit.add_object(starter, "Lead")

    assert not mapped.find("Lead").export.enabled
    assert [field.salesforce for field in mapped.find("Lead").export.fields] == [
        "FirstName",
        "LastName",
        "MobilePhone",
        "Email",
    ]
    assert mapping_edit.drop_object(mapped, "Lead") == starter
    with pytest.raises(ValueError, match="objects"):
        mapping_edit.drop_object(starter, "Contact")


def test_the_pickers_offer_own_fields_then_those_of_parents(known_store):
    offered = views_mapping.salesforce_choices(known_store, "Contact")

    assert list(offered)[:2] == ["Id", "FirstName"]
    assert {"Account.Name", "Account.Parent.Name"} <= set(offered)
    assert offered["Account.Parent.Name"].is_lookup
    assert views_mapping.mainstay_choices(known_store)["custom.GPA"].is_deprecated


def test_every_pair_says_whether_it_is_valid_and_why_not(known_store):
    mapping = current_mapping(known_store).mapping
    pair = ("Score__c", "email")
    mapping = mapping_edit.put_pair(mapping, "Contact", "import", pair, is_marked=True, position=None)
    rows = {(row["direction"], row["salesforce"]): row for row in views_mapping.pairs_of(known_store, mapping)}

    assert mapping_editor.verdict(rows["export", "FirstName"]) == "✓"
    assert "no field LastName" in mapping_editor.verdict(rows["export", "LastName"])
    assert "a formula field cannot be used for matching" in mapping_editor.verdict(rows["import", "Score__c"])
    assert mapping_editor.roles(rows["import", "Score__c"]) == ["matching", "formula", "custom"]
    assert rows["export", "Id"]["is_locked"]


def test_a_toggle_makes_a_draft_that_survives_a_new_session(app, small_store):
    running = app(small_store, "mapping", direction="import")
    toggle = next(one for one in running.toggle if one.label == "Create unmatched records")
    toggle.set_value(not toggle.value).run()
    assert "Draft, not saved" in running.main.markdown[0].value

    running.switch_page("screens/errors.py").run()
    running.switch_page("screens/mapping.py").run()

    assert "Draft, not saved" in running.main.markdown[0].value
    assert mapping_draft._drafts()
    assert mapping_history(small_store)[0].revision == 1


def test_going_back_to_what_is_saved_leaves_no_draft(app, small_store):
    running = app(small_store, "mapping")
    for _ in range(2):
        toggle = next(one for one in running.toggle if one.label == "Include field deletions")
        toggle.set_value(not toggle.value).run()

    assert not mapping_draft._drafts()


def test_a_draft_is_saved_with_a_reason_once_its_impact_was_seen(app, small_store, monkeypatch):
    from workbench.operations import mappings

    monkeypatch.setattr(mappings, "connection_kinds", lambda _: {"salesforce": None, "mainstay": None})
    monkeypatch.setattr("workbench.operations.impact_of_mapping", lambda *_: [], raising=False)
    running = app(small_store, "mapping", direction="import")
    next(one for one in running.toggle if one.label == "Create unmatched records").set_value(False).run()
    running.query_params["tab"] = "Review and save"
    running.run()
    running.text_input(key="mapping_reason").set_value("no new records").run()
    assert running.button(key="mapping_save").disabled

    running.button(key="mapping_weigh").click().run()
    assert any("create_unmatched" in block.proto.body for block in running.get("html"))
    running.button(key="mapping_save").click().run()

    latest = mapping_history(small_store)[0]
    assert (latest.revision, latest.reason) == (2, "no new records")
    assert "Revision 2 counts now" in running.success[0].value
    assert not mapping_draft._drafts()


def test_a_revision_saved_meanwhile_is_not_replaced_silently(app, small_store):
    running = app(small_store, "mapping", direction="import")
    next(one for one in running.toggle if one.label == "Create unmatched records").set_value(False).run()
    text = views_mapping.document(small_store, 1).replace("include_all_fields: false", "include_all_fields: true")
    save_mapping(small_store, text, author="Sam", reason="all of them")

    running.query_params["tab"] = "Review and save"
    running.run()

    assert "Revision 2 was saved while you edited revision 1" in running.warning[0].value
    assert running.checkbox(key="mapping_replaces").value is False
    shown = " ".join(block.proto.body for block in running.get("html"))
    assert "include_all_fields" in shown


def test_a_mistake_in_the_text_is_told_with_its_line_and_loses_nothing(app, small_store):
    running = app(small_store, "mapping", tab="As text")
    area = running.main.text_area[0]
    area.set_value("version: 1\nobjects:\n  - sobject: 7 up\n").run()

    button(running, "Take into the draft").click().run()

    assert "line 3" in running.error[0].value
    assert "7 up" in running.main.text_area[0].value
    assert not mapping_draft._drafts()


def test_a_viewer_may_look_but_not_edit(app, small_store, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ACCESS__LOCAL_ROLE", "viewer")
    running = app(small_store, "mapping")

    assert all(one.disabled for one in running.main.toggle)
    assert button(running, "Add field mapping").disabled
    assert "FirstName" in grid(running)["Salesforce field"].tolist()


def test_the_text_of_a_draft_parses_back(starter):
    from workbench.domain.mapping import dump_mapping

    assert parse_mapping(dump_mapping(starter)) == starter
