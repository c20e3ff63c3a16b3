"""The SQL macros and the Python rules give one answer, value by value."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.domain import rules
from workbench.engine.rules_sql import CANON_MACROS, install_rules

# Dozens of previews each: minutes on a busy machine, and no sign of a hang.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def con():
    con = duckdb.connect()
    install_rules(con)
    return con


def in_python(kind: str, text: str) -> str | None:
    if kind == "email":
        return rules.small(text) if rules.is_email(text) else None
    if kind == "phone":
        return rules.normal_phone(text)
    if kind == "language":
        return text if rules.is_language(text) else None
    if kind == "messaging status":
        return rules.messaging_status(text)
    try:
        value = rules.cast_custom(text, kind)
    except (ValueError, OverflowError):
        return None
    if kind == "Number":
        return rules.number_text(value)
    if kind == "True/False":
        return "true" if value else "false"
    return value[:10] if kind == "Date" else value


# Characters that two engines may class or fold differently: white space beyond ASCII's five, İ, long s, Kelvin's K, dotless i.
ODD = "\u0130\x0b\x0c\x1c\x1f\x85\xa0\u2003\u2028\u3000\ufeff\u017f\u212a\u0131\uff20\uff0e\u0660"


@st.composite
def odd(draw, texts):
    """A text of the kind with one odd character put in, or in the place of another."""
    text = draw(texts)
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.sampled_from(ODD)) + text[at + draw(st.integers(0, 1)) :]


TEXTS = {
    "phone": st.from_regex(r"\+?1?[ (]?[0-9]{3}[) -]{0,2}[0-9]{3}-?[0-9]{4,5}", fullmatch=True) | st.text(max_size=14),
    "email": st.from_regex(r"[A-Za-z.]{0,4}@?[a-z.]{0,6}\.?[a-z]{0,3}", fullmatch=True) | st.emails(),
    "language": st.text("abcdefghijklmnopqrstuvwxyzEN", min_size=1, max_size=3),
    "messaging status": st.sampled_from(["Opted In", "opted-in", "OPTED OUT", "paused", "pause", "opted_in", "yes"]),
    "Number": st.floats(allow_nan=False).map(repr) | st.from_regex(r"[+-]?[0-9]{0,4}\.?[0-9]{0,3}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    "True/False": st.sampled_from(["yes", "No", "TRUE", "0", "1", "2", "false", "truth"]),
    "Date": st.from_regex(r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}|[0-9]{4}-[0-1][0-9]-[0-3][0-9](T[0-2][0-9]:[0-5][0-9]:00Z)?", fullmatch=True),
    "URL": st.from_regex(r"(http|https|HTTPS|ftp)://[a-z./?# ]{0,8}", fullmatch=True),
    "Phone": st.from_regex(r"[0-9]{9,11}", fullmatch=True),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_a_value_is_judged_alike(con, kind):
    @settings(max_examples=60, deadline=None)
    @given(st.lists(TEXTS[kind] | odd(TEXTS[kind]), min_size=20, max_size=60))
    @example(["ana@x.edu\x0b", "a\x0bb@x.edu", "https://x.edu/a\x0bb", "http\u017f://x.edu", "HTTP\u017f://x.edu/"])
    @example(
        ["\u0130nci@x.edu", "A\u0130B@X.EDU", "OPTED-\u0130N", "opted-\u0130n", "OPTED \u0130N", "\u0130D", "\u0130"]
    )
    @example(["", "4045550199", "1e3", "2026-02-30", "2/30/2026", ".5", "5.", "+7", "-0", "1e999", "\u0660", "5\n"])
    def check(texts):
        got = con.execute(
            f"SELECT {CANON_MACROS[kind]}(t) FROM (SELECT unnest($texts::VARCHAR[]) AS t)", {"texts": texts}
        ).fetchall()
        for text, (value,) in zip(texts, got, strict=True):
            wanted = in_python(kind, text)
            if kind == "Number" and wanted is not None and value is not None:
                assert float(value) == float(wanted), text
            else:
                assert value == wanted, text

    check()
