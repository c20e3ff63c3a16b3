"""The keys of both sides: a blank is none, whatever its form, and a phone is the number it dials."""

from __future__ import annotations

from world import World, record_id

from workbench.engine import compile_export
from workbench.engine.catalogues import fitting_catalogues
from workbench.engine.planning import export_plan
from workbench.engine.run import scratch

PHONES = {"4045550101": 4045550101, "(404) 555-0102": 4045550102, "": None, None: None}


def keys(world, compiled):
    plan = export_plan(world.revision.mapping.objects[0], fitting_catalogues(world.store, world.revision))
    with scratch() as con, world.store.attached(con):
        return con.execute(f"SELECT * FROM ({compiled(plan)}) ORDER BY 1").to_arrow_table().to_pylist()


def test_a_blank_of_a_record_or_a_contact_is_no_key(tmp_path):
    world = World(tmp_path)
    for number, phone in enumerate(PHONES):
        world.record(number, MobilePhone=phone)
        world.contact(number, phone=phone, previous_phone=phone, crm_id=record_id(number) if number else "")
    world.land()
    records, contacts = keys(world, compile_export.record_key), keys(world, compile_export.contact_now)
    wanted = list(PHONES.values())
    assert [row["phone_key"] for row in records] == wanted
    assert [row["has_phone"] for row in records] == [True, True, False, False]
    assert [row["phone_key"] for row in contacts] == wanted
    assert [row["previous_phone_key"] for row in contacts] == wanted
    assert [row["crm_id_key"] for row in contacts] == [None, *(record_id(number) for number in (1, 2, 3))]


def test_a_text_that_is_no_phone_is_a_key_of_a_contact_alone(tmp_path):
    """Mainstay holds it, so it can be given up; no record can want it."""
    world = World(tmp_path)
    world.record(0, MobilePhone="123")
    world.contact(0, phone="123")
    world.contact(1, phone="124")
    world.land()
    (record,), contacts = keys(world, compile_export.record_key), keys(world, compile_export.contact_now)
    assert (record["has_phone"], record["phone_key"]) == (True, None)
    assert len({row["phone_key"] for row in contacts} - {None}) == 2
