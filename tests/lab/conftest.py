"""A small store with people whose truth is known by construction."""

from __future__ import annotations

import pytest
from world import World

from workbench.lab import MatchLab


@pytest.fixture
def lab(tmp_path):
    """Five records and six contacts.

    1: linked by CRM ID, and its phone agrees. 2 and 3: twins on one phone, with an email each. 4: found by email alone.
    5: its phone belongs to another person, as the names say; its email finds the right one.
    """
    world = World(tmp_path)
    one = world.record(1, FirstName="Ana", LastName="Lopez", MobilePhone="(404) 555-0101", Email="ana@example.com")
    world.record(2, FirstName="Bo", LastName="Twin", MobilePhone="4045550102", Email="bo@example.com")
    world.record(3, FirstName="Cy", LastName="Twin", MobilePhone="4045550102", Email="cy@example.com")
    world.record(4, FirstName="Di", LastName="Solo", Email="DI@example.com")
    world.record(5, FirstName="Ed", LastName="Moved", MobilePhone="4045550105", Email="ed@example.com")
    world.contact(1, crm_id=one, first_name="Ana", last_name="Lopez", phone="4045550101", email="ana@example.com")
    world.contact(2, first_name="Bo", last_name="Twin", phone="4045550102", email="bo@example.com")
    world.contact(3, first_name="Cy", last_name="Twin", email="cy@example.com")
    world.contact(4, first_name="Di", last_name="Solo", email="di@example.com")
    world.contact(5, first_name="Other", last_name="Person", phone="4045550105")
    world.contact(6, first_name="Ed", last_name="Moved", email="ed@example.com")
    world.land()
    return MatchLab(world.store)
