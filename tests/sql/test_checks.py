"""The first law at its last gate: buckets that do not add up are told, and buckets have names of their own."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from workbench.engine.run import EVERYTHING, Scope

SQL = resources.files("workbench") / "sql"


def buckets(direction):
    """Names of the buckets that a step can give, but for what nothing reaches."""
    text = (SQL / direction / f"bucket_{direction}.sql").read_text()
    return set(re.findall(r"WHEN \d THEN '(\w+)'|ELSE '(\w+)'", text))


SYSTEMS = {"outgoing": ["mainstay"], "incoming": ["salesforce"]}
PULLED = {
    "outgoing": {"pulled_outgoing": [{"system": "salesforce", "row_count": 3}, {"system": "mainstay", "row_count": 2}]},
    "incoming": {
        "incoming": [{"seq": n, "is_looked_at": n < 3} for n in range(4)],
        "record_now": [{"seq": n} for n in range(2)],
    },
}


@pytest.mark.parametrize(
    ("direction", "sender", "other"), [("outgoing", "salesforce", "mainstay"), ("incoming", "mainstay", "salesforce")]
)
def test_only_what_does_not_add_up_is_told(step, direction, sender, other):
    named = [
        {"system": sender, "bucket": "update", "row_count": 2},
        {"system": sender, "bucket": "none", "row_count": 1},
    ]
    whole = [*named, {"system": other, "bucket": "to_update", "row_count": 2}]

    def told(buckets):
        return step("checks", f"{direction}_adds_up", None, **{f"bucket_{direction}": buckets}, **PULLED[direction])

    assert told(whole) == []
    assert told(named) == [{"system": other, "pulled": 2, "in_buckets": 0}]
    assert told([*whole, named[0]]) == [{"system": sender, "pulled": 3, "in_buckets": 5}]


def test_what_was_pulled_is_counted_before_anything_is_joined(step):
    rows = step("outgoing", "pulled_outgoing", record_key=[{"n": 1}, {"n": 2}], contact_now=[{"n": 1}])
    assert rows == [{"system": "salesforce", "row_count": 2}, {"system": "mainstay", "row_count": 1}]


@pytest.mark.parametrize("direction", ["outgoing", "incoming"])
def test_no_bucket_is_called_other(direction):
    names = {name for pair in buckets(direction) for name in pair if name}
    names |= {
        scope.unreached(system)["unreached"] for scope in (EVERYTHING, Scope("003")) for system in SYSTEMS[direction]
    }
    assert len(names) == 8
    assert not {name for name in names if re.search(r"other|else|misc|unknown|rest", name)}
