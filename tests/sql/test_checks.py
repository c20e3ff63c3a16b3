"""The first law at its last gate: buckets that do not add up are told, and buckets have names of their own."""

from __future__ import annotations

import re
from importlib import resources

import pytest

SQL = resources.files("workbench") / "sql"


def buckets(direction):
    """Names of the buckets that a step can give."""
    text = (SQL / direction / f"bucket_{direction}.sql").read_text()
    return set(re.findall(r"WHEN \d THEN '(\w+)'|ELSE '(\w+)'", text))


@pytest.mark.parametrize(
    ("direction", "senders", "receivers", "other"),
    [("outgoing", "outgoing", "contact_now", "mainstay"), ("incoming", "incoming", "record_now", "salesforce")],
)
def test_only_what_does_not_add_up_is_told(step, direction, senders, receivers, other):
    sender = {"mainstay": "salesforce", "salesforce": "mainstay"}[other]
    rows = {senders: [{"seq": n} for n in range(3)], receivers: [{"seq": n} for n in range(2)]}
    named = [
        {"system": sender, "bucket": "update", "row_count": 2},
        {"system": sender, "bucket": "none", "row_count": 1},
    ]
    whole = [*named, {"system": other, "bucket": "to_update", "row_count": 2}]
    assert step("checks", f"{direction}_adds_up", None, **{f"bucket_{direction}": whole}, **rows) == []
    lost = step("checks", f"{direction}_adds_up", None, **{f"bucket_{direction}": named}, **rows)
    assert lost == [{"system": other, "pulled": 2, "in_buckets": 0}]
    twice = step("checks", f"{direction}_adds_up", None, **{f"bucket_{direction}": [*whole, named[0]]}, **rows)
    assert twice == [{"system": sender, "pulled": 3, "in_buckets": 5}]


@pytest.mark.parametrize("direction", ["outgoing", "incoming"])
def test_no_bucket_is_called_other(direction):
    names = {name for pair in buckets(direction) for name in pair if name}
    assert len(names) == 7
    assert not {name for name in names if re.search(r"other|else|misc|unknown|rest", name)}
