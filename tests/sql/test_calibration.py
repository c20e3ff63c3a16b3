"""Predicted against actual codes, by certainty and by the version of the rules: the view that scores every rule."""

from __future__ import annotations

import pyarrow as pa
import pytest

from workbench.domain.prediction_rules import RULES, RULES_VERSION
from workbench.store import Store
from workbench.views_conflicts import calibration

TEXT, NUMBER = pa.string(), pa.int32()


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("calibration") / "store.duckdb"))


@pytest.fixture
def store(empty):
    empty.write("DELETE FROM journal.outcome", "DELETE FROM journal.batch", "DELETE FROM preview.prediction")
    empty.write("INSERT INTO journal.batch BY NAME SELECT 1 AS batch_id, 7 AS preview_id UNION ALL SELECT 2, 8")
    return empty


def journal(store, *pushed):
    """pushed: (predicted codes, status, actual codes[, about the prediction]) per change."""
    outcomes, predictions = [], []
    for number, (expected, status, actual, *about) in enumerate(pushed):
        told = {"certainty": "certain", "rules_version": "now", **(about[0] if about else {})}
        outcomes.append(
            {"batch_id": 1, "change_id": f"C{number}", "direction": "export", "status": status, "codes": actual}
        )
        predictions += [{"preview_id": 7, "change_id": f"C{number}", "code": code, **told} for code in expected]
    predictions.append(
        {
            "preview_id": 8,
            "change_id": "C0",
            "code": "of another preview",
            "certainty": "certain",
            "rules_version": "now",
        }
    )
    store.write(
        "INSERT INTO journal.outcome BY NAME SELECT * FROM ended",
        "INSERT INTO preview.prediction BY NAME SELECT * FROM foretold",
        tables={
            "ended": pa.Table.from_pylist(outcomes, pa.schema([("batch_id", NUMBER), ("change_id", TEXT), ("direction", TEXT), ("status", TEXT), ("codes", pa.list_(TEXT))])),
            "foretold": pa.Table.from_pylist(predictions, pa.schema([("preview_id", NUMBER), *((name, TEXT) for name in ("change_id", "code", "certainty", "rules_version"))])),
        },
    )  # fmt: skip
    return {
        (row["code"], row["certainty"], row["rules_version"]): [
            row[name] for name in ("predicted", "actual", "hits", "false_alarms", "misses", "hit_rate")
        ]
        for row in calibration(store)
    }


def test_hits_false_alarms_and_misses_by_code(store):
    found = journal(
        store,
        (["invalid-email"], "partial", ["invalid-email"]),
        (["invalid-email"], "success", []),
        ([], "partial", ["invalid-email"]),
        ([], "success", None),
    )
    assert found == {
        ("invalid-email", "certain", "now"): [2, 1, 1, 1, 0, 0.5],
        ("invalid-email", "not foretold", None): [0, 1, 0, 0, 1, 0.0],
    }


def test_the_field_a_code_names_is_left_out_and_counts_once(store):
    two = ["invalid-attribute-data: GPA", "invalid-attribute-data: Start"]
    assert journal(store, (two, "partial", two)) == {("invalid-attribute-data", "certain", "now"): [1, 1, 1, 0, 0, 1.0]}


def test_what_nobody_knows_is_not_scored(store):
    assert journal(store, (["invalid-email"], "unknown", [])) == {}


def test_certainties_and_versions_are_told_apart(store):
    found = journal(
        store,
        (["invalid-email"], "partial", ["invalid-email"], {"certainty": "possible"}),
        (["invalid-email"], "partial", ["invalid-email"], {"rules_version": "old"}),
        (["invalid-email"], "partial", ["invalid-email"], {"rules_version": None}),
    )
    assert set(found) == {
        ("invalid-email", "possible", "now"), ("invalid-email", "certain", "old"),
        ("invalid-email", "certain", "before versions"),
    }  # fmt: skip


def test_every_code_has_its_rule_and_the_rules_a_version():
    assert len({rule.code for rule in RULES}) == len(RULES) == 23
    assert RULES_VERSION
