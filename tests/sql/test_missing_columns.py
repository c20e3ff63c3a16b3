"""A mapping that is newer than the pull: every column that no pull has landed is named, so is every table."""

from __future__ import annotations

import duckdb
import pytest

from workbench.engine.run import missing_columns, require_columns
from workbench.errors import ConfigurationError

WANTED = (["Id", "Major__c"], ["id", "custom.Major"])


@pytest.fixture
def con():
    """A store of which contacts are landed, and another object's records."""
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS store")
        con.execute("CREATE SCHEMA store.salesforce")
        con.execute("CREATE SCHEMA store.mainstay")
        con.execute('CREATE TABLE store.salesforce."Contact" ("Id" VARCHAR, "Major__c" VARCHAR)')
        con.execute("CREATE TABLE store.mainstay.contact (id VARCHAR)")
        yield con


def test_columns_that_were_landed_are_not_missing(con):
    con.execute('ALTER TABLE store.mainstay.contact ADD COLUMN "custom.Major" VARCHAR')
    assert missing_columns(con, "Contact", WANTED) == []


def test_a_column_that_was_not_landed_is_missing(con):
    assert missing_columns(con, "Contact", WANTED) == ["Mainstay custom.Major"]


def test_of_an_object_that_was_never_landed_all_are_missing(con):
    assert missing_columns(con, "Lead", WANTED) == ["Lead.Id", "Lead.Major__c", "Mainstay custom.Major"]


def test_whoever_needs_them_is_told_what_to_do(con):
    with pytest.raises(
        ConfigurationError, match=r"Lead\.Id, Lead\.Major__c, Mainstay custom\.Major\. Run `workbench pull`"
    ):
        require_columns(con, "Lead", WANTED)
