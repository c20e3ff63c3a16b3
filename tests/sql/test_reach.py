"""The children that show a parent's field: paths of one and two steps over landed tables."""

from __future__ import annotations

import duckdb
import pytest

from workbench.domain.mapping_graph import Reach
from workbench.engine.compile_reach import NOBODY, reach_sql

ONE = Reach("Contact", "Account", "Name", ("AccountId",), (), "Account.Name", "custom.School")
TWO = Reach(
    "Contact", "Account", "Name", ("AccountId", "ParentId"), ("Account",), "Account.Parent.Name", "custom.School"
)
LANDED = {("Contact", "AccountId"), ("Account", "ParentId")}


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS store; CREATE SCHEMA store.salesforce; CREATE SCHEMA work")
        con.execute(
            """CREATE TABLE store.salesforce."Contact" AS SELECT * FROM (VALUES ('c1', 'a1', false), ('c2', 'a1', NULL),
               ('c3', 'a1', true), ('c4', 'a2', false), ('c5', NULL, false)) t("Id", "AccountId", "IsDeleted")"""
        )
        con.execute(
            """CREATE TABLE store.salesforce."Account" AS
               SELECT * FROM (VALUES ('a1', 'a9'), ('a2', NULL)) t("Id", "ParentId")"""
        )
        con.execute(
            """CREATE TABLE work.all_changes AS SELECT * FROM (VALUES ('a1', 'update'), ('a9', 'update'),
               ('a2', 'blocked')) t(salesforce_id, action)"""
        )
        yield con


def rows(con, *reach):
    return sorted(con.execute(reach_sql(reach, LANDED)).fetchall())


def test_living_children_of_updated_parents_are_reached(con):
    assert rows(con, ONE) == [("Account", "a1", "Name", "Contact", child) for child in ("c1", "c2")]


def test_two_steps_up(con):
    assert rows(con, TWO) == [("Account", "a9", "Name", "Contact", child) for child in ("c1", "c2")]


def test_a_path_told_twice_counts_once_and_one_through_what_was_not_pulled_not_at_all(con):
    unseen = Reach("Contact", "Lead", "Name", ("LeadId",), (), "Lead.Name", "custom.School")
    assert rows(con, ONE, ONE, unseen) == rows(con, ONE)
    assert reach_sql([unseen], LANDED) == NOBODY
    assert con.execute(NOBODY).fetchall() == []
