"""A changed mapping is measured over the current pulls before it is saved."""

from __future__ import annotations

import json

import pytest
from world import World, mapping, record_id

from workbench import cli
from workbench.domain.fields import Direction
from workbench.domain.mapping import parse_mapping
from workbench.engine.impact import mapping_impact
from workbench.engine.preview import make_preview
from workbench.store.mappings import MappingRevision, current_mapping


def test_an_altered_mapping_is_counted_and_not_saved(tmp_path):
    world = World(tmp_path)
    world.record(1, MobilePhone="4045550101", Notes__c="x")
    world.record(2, MobilePhone="123", Notes__c="y")
    world.record(3)
    world.contact(1, phone="4045550101")
    world.land()
    document = json.loads(mapping())
    fields = document["objects"][0]["export"]["fields"]
    document["objects"][0]["export"]["fields"] = [f for f in fields if f["mainstay"] not in ("custom.Notes", "phone")]
    changed = parse_mapping(json.dumps(document))

    impact = mapping_impact(world.store, world.revision, MappingRevision(2, changed, changed.digest), Direction.EXPORT)

    assert (impact.records, impact.altered_payloads, impact.no_longer_fails) == (3, 2, 1)
    assert (impact.newly_fails, impact.newly_matches, impact.no_longer_matches) == (0, 0, 1)
    assert impact.examples == [record_id(1), record_id(2)]
    assert impact.sentence == "Export: alters 2 payloads, newly fails 0, newly matches 0 of 3 records."
    assert current_mapping(world.store).revision == world.revision.revision
    assert world.store.rows("SELECT * FROM preview.preview") == []


def test_a_mapping_that_says_the_same_alters_nothing(tmp_path):
    """What matched, failed or was refused in part before does so still, and is not counted."""
    world = World(tmp_path)
    world.record(1, MobilePhone="4045550101", Notes__c="x")
    world.record(2, MobilePhone="123")
    world.record(3, Language__c="EN")
    world.contact(1, phone="4045550101")
    world.land()
    for direction in Direction:
        impact = mapping_impact(world.store, world.revision, world.revision, direction)
        found = impact.as_dict()
        records = found.pop("records")
        assert records > 0
        assert found == {"direction": direction, "examples": []} | dict.fromkeys(
            found.keys() - {"direction", "examples"}, 0
        )


def test_the_command_tells_the_impact_and_saves_nothing(tmp_path, capsys):
    """`workbench mapping impact FILE`: both directions, what newly matches and newly fails among them."""
    world = World(tmp_path, mapping(matching=("last_name",), create=False))
    for number in (1, 2):
        world.record(number, Email=f"p{number}@x.edu", LastName=f"Name{number}")
    world.contact(1, email="p1@x.edu", last_name="Another")
    world.contact(2, email="p2@x.edu", last_name="x" * 81)
    world.land()
    file = tmp_path / "new.yaml"
    file.write_text(mapping(matching=("email",), create=False))
    before = world.store.rows("SELECT count(*) AS n FROM config.mapping_revision")

    with pytest.raises(SystemExit) as ended:
        cli.main(["mapping", "impact", str(file), "--database", str(tmp_path / "world.duckdb")])

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "Export: alters 0 payloads, newly fails 0, newly matches 0 of 2 records." in said
    assert "Import: alters 2 payloads, newly fails 1, newly matches 2 of 2 records." in said
    assert f"For example: {world.contacts[0]['id']}, {world.contacts[1]['id']}" in said
    assert world.store.rows("SELECT count(*) AS n FROM config.mapping_revision") == before
    assert current_mapping(world.store).revision == world.revision.revision
    assert world.store.rows("SELECT * FROM preview.preview") == []


def test_only_what_changed_on_either_side_is_looked_at_again(tmp_path):
    world = World(tmp_path)
    for number in range(4):
        world.record(number)
    world.contact(1, crm_id=record_id(1))
    report, _ = world.preview(only_changed=True)
    assert sum(report.counts.values()) == 4
    world.record(9, SystemModstamp=report_time(world))
    world.contacts[0]["last_modified_at"] = report_time(world)
    world.land()
    again = make_preview(world.store, direction=Direction.EXPORT, revision=world.revision, only_changed=True)
    assert sum(again.counts.values()) == 2


def report_time(world):
    return world.store.rows("SELECT now() AS moment")[0]["moment"]
