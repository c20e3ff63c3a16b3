"""Each macro on values that tell its rules apart; what it says of a value is what the ladder's rule says."""

from __future__ import annotations

import duckdb
import pytest
from properties.test_rules_in_sql import in_python

from workbench.engine.compile_compare import is_filled
from workbench.engine.rules_sql import CANON_MACROS, install_rules

LONG = "9" * 15

# kind -> value -> as Mainstay keeps it, None where it does not fit.
CANON = {
    "phone": {
        "4045550199": "4045550199", "(404) 555-0199": "4045550199", "+1 404.555.0199": "4045550199",
        "14045550199": "4045550199", "24045550199": None, "404555019": None, "40455501990": None, "1404555019": None,
        "1045550199": None, "4115550199": None, "5552223333": None, "15552223333": None, "4041550199": None,
        "8005550199": "8005550199", "": None, "no": None, "٤٠٤٥٥٥٠١٩٩": None, "4045550199\n": "4045550199",
    },
    "Phone": {"404-555-0199": "4045550199", "12": None},
    "email": {
        "a@x.edu": "a@x.edu", "A@X.edu": "a@x.edu", "a@x": None, "a@@x.edu": None, "a@b@x.edu": None, "@x.edu": None,
        "a b@x.edu": None, "a..b@x.edu": None, "a@x..edu": None, "a@.edu": None, "a@x.edu\n": None, "a@x.": None,
    },
    "language": {"en": "en", "EN": None, "xx": None, "eng": None, "": None, "e": None, "en ": None},
    "messaging status": {
        "opted-in": "opted-in", "Opted In": "opted-in", "OPTED OUT": "opted-out", "paused": "paused", "pause": None,
        "opted_in": None, "opted  in": None,
    },
    "Number": {
        "7": "7", "007": "7", "+7": "7", "-7": "-7", "7.0": "7", "7.5": "7.5", ".5": "0.5", "5.": "5", "1e3": "1000",
        "1e999": None, "1,000": None, "": None, "7 ": None, "e3": None, "0x7": None, "inf": None, "nan": None,
        "9" * 14: "9" * 14,
    },
    "True/False": {
        "true": "true", "YES": "true", "1": "true", "False": "false", "no": "false", "0": "false", "2": None, "y": None,
    },
    "Date": {
        "2026-01-05": "2026-01-05", "1/5/2026": "2026-01-05", "01/05/2026": "2026-01-05", "13/1/2026": None,
        "2026-02-30": None, "2026-01-05T10:00:00Z": "2026-01-05", "2026-01-05 10:00": "2026-01-05",
        "2026-01-05T25:00:00Z": None, "2/30/2026": None, "0026-01-05": None, "1/5/26": None, "today": None,
    },
    "URL": {
        "https://x.edu": "https://x.edu", "HTTP://x.edu/a?b": "HTTP://x.edu/a?b", "ftp://x.edu": None, "x.edu": None,
        "https://": None, "https:///a": None, "https://x.edu/a b": None,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        install_rules(con)
        yield con


def say(con, expression, **values):
    return con.execute(f"SELECT {expression}", values).fetchone()[0]


def test_every_type_is_named():
    assert set(CANON) == set(CANON_MACROS)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, values in CANON.items() for text in values])
def test_a_value_as_mainstay_keeps_it(con, kind, text):
    wanted = CANON[kind][text]
    assert say(con, f"{CANON_MACROS[kind]}($text)", text=text) == wanted
    assert in_python(kind, text) == wanted


@pytest.mark.parametrize("kind", CANON)
def test_a_blank_stays_one(con, kind):
    assert say(con, f"{CANON_MACROS[kind]}(CAST(NULL AS VARCHAR))") is None


@pytest.mark.parametrize(
    ("number", "text"),
    [("7", "7"), ("7.5", "7.5"), ("-0.0", "0"), ("1e14", "1" + "0" * 14), ("1e15", "1000000000000000.0")],
)
def test_a_number_is_written_as_mainstay_shows_it(con, number, text):
    assert say(con, f"number_text(CAST('{number}' AS DOUBLE))") == text


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("filled('x')", "x"),
        ("filled('')", None),
        ("filled('UNSET')", None),
        ("filled('unset')", "unset"),
        ("filled(NULL)", None),
        ("codes_of(NULL)", []),
        ("codes_of('b' || chr(31) || 'a')", ["b", "a"]),
        ("distinct_codes(NULL)", []),
        ("distinct_codes('b' || chr(31) || 'a' || chr(31) || 'b')", ["a", "b"]),
        ("has_code('ab' || chr(31) || 'c', 'c')", True),
        ("has_code('ab' || chr(31) || 'c', 'a')", False),
        ("has_code('ab', 'ab')", True),
        ("agreed_value('a' || chr(31) || 'b', 2)", "b"),
        ("agreed_value('a' || chr(31) || chr(30), 2)", None),
        ("agreed_value('a' || chr(31), 2)", ""),
        ("phone_number('4045550101')", 4045550101),
        ("phone_number('+1 (404) 555-0101')", 4045550101),
        ("phone_number(CAST(NULL AS VARCHAR))", 0),
        ("phone_number('123') > 9999999999", True),
        ("phone_number('123') = phone_number('124')", False),
        ("fitting_phone(CAST(0 AS UBIGINT))", None),
        ("fitting_phone(phone_number('123'))", None),
        ("phone_text(phone_number('4045550101'))", "4045550101"),
        ("phone_text(phone_number('123'))", None),
        ("full_id('003D000000QOMn0')", "003D000000QOMn0IAH"),
        ("full_id('003D000000QOMn0IAH')", "003D000000QOMn0IAH"),
        ("full_id('003D-00000QOMn0')", "003D-00000QOMn0"),
        ("full_id('4045550101')", "4045550101"),
        ("full_id(CAST(NULL AS VARCHAR))", None),
        ("json_of('say \"x\"')", '"say \\"x\\""'),
        ("json_of(CAST(NULL AS VARCHAR))", None),
        ("json_text('x')", '"x"'),
        ("json_text(CAST(NULL AS VARCHAR))", "null"),
    ],
)
def test_the_small_ones(con, expression, wanted):
    assert say(con, expression) == wanted


@pytest.mark.parametrize("place", [1, 2, 200, 201, 1500])
def test_whether_both_sides_last_had_a_value(con, place):
    """The values of all two-way fields in one text: filled, blank, or (chr(30)) never seen equal; a line break is a sign."""
    others = [("one\ntwo", "", "\x1e")[n % 3] for n in range(1499)]
    for value, wanted in (("x", True), ("\n", True), ("", False), ("\x1e", False)):
        agreed = "\x1f".join([*others[: place - 1], value, *others[place - 1 :]])
        assert say(con, f"(SELECT {is_filled(place)} FROM (SELECT $text AS agreed))", text=agreed) is wanted
