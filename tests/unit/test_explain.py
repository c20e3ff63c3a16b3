"""One record's way through a preview, in words."""

from __future__ import annotations

import pytest
from world import World, record_id

from workbench.engine.explain import explain
from workbench.errors import NotFound


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    world.record(1, MobilePhone="(404) 555-0101", Email="nope")
    world.record(2, MobilePhone="404 555 0101")
    world.record(3, MobilePhone="12")
    world.record(4, Sync__c=False)
    world.contact(1, phone="4045550101")
    world.contact(2, email="new@example.edu", last_name=None)
    return world


def told(world, record):
    return {step.name: step.sentence for step in explain(world.store, record).steps}


def test_a_shared_phone_is_told_in_order(world):
    world.preview()
    first, second = told(world, record_id(1)), told(world, record_id(2))
    assert "is 4045550101; contact ah000000000000001 holds it and carries no CRM ID." in first["Match by phone"]
    assert first["Decision"].startswith("link: Same phone")
    assert first["Expected code"].startswith("invalid-email (partial, certain)")
    assert second["Decision"].startswith("blocked: The contact with this phone carries another CRM ID")
    assert second["Sequence"] == (
        "2 records share a phone and are decided in order of their last change, then Id; 1 come before this one."
    )


def test_an_invalid_phone_and_false_criteria_are_told(world):
    world.preview()
    assert "not a phone Mainstay accepts" in told(world, record_id(3))["Match by phone"]
    excluded = told(world, record_id(4))
    assert excluded["Record sync criteria"] == "Sync__c is False: the record is left out."
    assert excluded["Request"] == "Nothing is sent."


def test_an_import_is_told_from_the_contact(world):
    world.preview("import")
    about = told(world, "ah000000000000002")
    assert "Matching on email reaches no single free record." in about["Match by fields"]
    assert about["Expected code"].startswith("REQUIRED_FIELD_MISSING (complete, certain)")


def test_an_unknown_record_is_named(world):
    with pytest.raises(NotFound, match="003nobody"):
        explain(world.store, "003nobody")
