"""config.mapping_revision: append-only, one revision per meaning, the text kept as written."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import ConfigurationError, NotFound
from workbench.operations import diff_mappings, sample_mapping
from workbench.store import Store
from workbench.store.mappings import (
    current_mapping,
    mapping_at,
    mapping_document,
    mapping_history,
    require_mapping,
    save_mapping,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store.duckdb"))


def test_before_the_first_there_is_none(store):
    assert current_mapping(store) is None
    assert mapping_history(store) == []
    with pytest.raises(ConfigurationError, match="workbench mapping import"):
        require_mapping(store)
    with pytest.raises(NotFound, match="none is saved yet"):
        mapping_at(store, 1)


def test_a_revision_is_saved_with_its_text_author_and_reason(store):
    text = sample_mapping()
    revision, is_new = save_mapping(store, text, author="Dana", reason="first")
    assert (revision.revision, is_new) == (1, True)
    assert mapping_document(store, 1) == text
    assert current_mapping(store) == revision
    (line,) = mapping_history(store)
    assert (line.revision, line.author, line.reason, line.digest) == (1, "Dana", "first", revision.digest)


def test_the_same_meaning_is_not_saved_twice(store):
    save_mapping(store, sample_mapping(), author="Dana")
    again, is_new = save_mapping(store, "# another comment\n" + sample_mapping(), author="Sam")
    assert (again.revision, is_new) == (1, False)


def test_history_grows_and_old_revisions_stay(store):
    text = sample_mapping()
    save_mapping(store, text, author="Dana")
    save_mapping(store, text.replace("match: all", "match: any"), author="Sam")
    save_mapping(store, text, author="Dana", reason="back")
    assert [line.revision for line in mapping_history(store)] == [3, 2, 1]
    assert mapping_at(store, 1).digest == mapping_at(store, 3).digest
    assert mapping_at(store, 2).mapping.objects[0].import_.match == "any"
    with pytest.raises(NotFound, match="revisions 1 to 3 exist"):
        mapping_at(store, 9)


def test_a_document_without_the_shape_saves_nothing(store):
    with pytest.raises(ConfigurationError, match="shape"):
        save_mapping(store, "version: 2\nobjects: []\n", author="Dana")
    assert current_mapping(store) is None


def test_the_packaged_sample_is_the_starter_file():
    assert sample_mapping() == (ROOT / "data" / "mappings" / "starter.yaml").read_text()


def test_a_diff_names_pairs_and_switches(store):
    text = sample_mapping()
    changed = (
        text.replace("        - {salesforce: GPA__c, mainstay: custom.GPA}\n", "")
        .replace("{salesforce: Campus__c, mainstay: custom.Campus}", "{salesforce: Region__c, mainstay: custom.Campus}")
        .replace("match: all", "match: any")
        .replace("phone: mainstay}", "phone: mainstay, last_name: newest}")
    )
    before, _ = save_mapping(store, text, author="Dana")
    after, _ = save_mapping(store, changed, author="Dana")
    sentences = {item.sentence() for item in diff_mappings(before.mapping, after.mapping)}
    assert sentences == {
        "- Contact export: Mainstay custom.GPA from GPA__c",
        "~ Contact export: Mainstay custom.Campus from Campus__c -> from Region__c",
        "~ Contact import: match all -> any",
        "+ Contact conflicts: last_name newest",
    }
    assert diff_mappings(before.mapping, before.mapping) == []
    dropped = diff_mappings(before.mapping, before.mapping.model_copy(update={"objects": ()}))
    assert {item.after for item in dropped} == {None}
