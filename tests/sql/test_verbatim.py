"""Which records go into a request word for word, each doubt by itself; and that nothing else comes of it."""

from __future__ import annotations

from unittest import mock

import pytest
from world import World, mapping

from workbench.domain.fields import Direction
from workbench.engine import keeping
from workbench.engine.catalogues import fitting_catalogues
from workbench.engine.compile_verbatim import verbatim
from workbench.engine.compute import computed
from workbench.engine.kept import NOTHING_KEPT
from workbench.engine.planning import export_plan
from workbench.engine.run import scratch
from workbench.store import Store

PHONE = {"MobilePhone": "4045550101"}
PLAIN = {
    "blanks": {},
    "a phone": PHONE,
    "a phone in another form": {"MobilePhone": "(404) 555-0101"},
    "an empty text and the keyword": {"Notes__c": "", "Student__c": "UNSET"},
    "texts that fit": {"Email": "ana@x.edu", "Language__c": "es", "Notes__c": "naïve — 日本", "Campus__c": "North"},
    "a number": {"Grad__c": "2026"},
    "a day": {"Start__c": "2026-01-05"},
    "an address": {"Portal__c": "https://example.edu/a"},
    "a guardian's phone": {"HomePhone": "4045550102"},
    "opted in by the phone": {**PHONE, "SMS__c": "opted-in"},
    "opted out": {**PHONE, "SMS__c": "opted-out"},
    "as long as may be": {"Notes__c": "x" * 1000, "FirstName": "N" * 64},
}
DOUBTFUL = {
    "the keyword where a number belongs": {"Grad__c": "UNSET"},
    "a bad phone": {"MobilePhone": "123"},
    "opted in without a phone": {"SMS__c": "opted-in"},
    "opted in, with a bad phone": {"SMS__c": "opted-in", "MobilePhone": "123"},
    "paused": {**PHONE, "SMS__c": "paused"},
    "a status in another form": {**PHONE, "SMS__c": "Opted In"},
    "a status of another channel": {**PHONE, "Web__c": "opted-out"},
    "an address with capitals": {"Email": "Ana@x.edu"},
    "no address": {"Email": "nope"},
    "no language": {"Language__c": "EN"},
    "a long first name": {"FirstName": "N" * 65},
    "a long last name": {"LastName": "N" * 65},
    "a long preferred name": {"Preferred__c": "N" * 65},
    "a number in another form": {"Grad__c": "1e3"},
    "no number": {"Grad__c": "soon"},
    "a day in another form": {"Start__c": "1/5/2026"},
    "no such day": {"Start__c": "2026-02-30"},
    "no option": {"Campus__c": "Moon"},
    "no web address": {"Portal__c": "ftp://x"},
    "a long web address": {"Portal__c": "https://example.edu/" + "a" * 1000},
    "a guardian's phone in another form": {"HomePhone": "(404) 555-0102"},
    "a long text": {"Notes__c": "x" * 1001},
    "a quote": {"Notes__c": 'say "yes"'},
    "a backslash": {"LastName": "O\\Brien"},
    "a line break": {"Notes__c": "one\ntwo"},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Every case is a record without a contact, so each is sent as a new one."""
    world = World(Store(str(tmp_path_factory.mktemp("verbatim") / "world.duckdb")), mapping())
    for number, values in enumerate((PLAIN | DOUBTFUL).values()):
        # One phone a record, so that none waits for another.
        phone = values.get("MobilePhone", "").replace(PHONE["MobilePhone"], f"404555{number:04d}")
        world.record(number, **{**values, "MobilePhone": phone or None})
    world.land()
    return world


@pytest.fixture(scope="module")
def flags(world):
    """Name of a case -> what is kept of its record."""
    catalogues = fitting_catalogues(world.store, world.revision)
    plan = export_plan(world.revision.mapping.objects[0], catalogues)
    with scratch() as con, world.store.attached(con):
        found = con.execute(f'SELECT {verbatim(plan)} FROM store.salesforce."Contact" AS s ORDER BY s."Id"').fetchall()
    return dict(zip(PLAIN | DOUBTFUL, (flag for (flag,) in found), strict=True))


@pytest.mark.parametrize("name", PLAIN)
def test_a_record_without_a_doubt_is_sent_as_it_is(flags, name):
    assert flags[name] == 1


@pytest.mark.parametrize("name", DOUBTFUL)
def test_a_doubt_asks_for_a_closer_look(flags, name):
    assert flags[name] == 0


def test_requests_and_codes_are_those_of_a_closer_look(world):
    def told():
        with computed(world.store, world.revision, Direction.EXPORT) as work:
            changes = work.con.execute("SELECT seq, action, codes FROM work.all_changes ORDER BY seq").fetchall()
            return changes, work.con.execute("SELECT seq, body FROM work.all_requests ORDER BY seq").fetchall()

    with mock.patch("workbench.engine.compute.kept_columns", return_value=NOTHING_KEPT):
        looked_at = told()
    with mock.patch.object(keeping, "WORTH_KEEPING", 0):
        keeping.keep(world.store, world.revision)
    assert told() == looked_at
    refused = {seq for seq, _, codes in looked_at[0] if codes}
    assert refused
    assert not refused & set(range(1, len(PLAIN) + 1))
