"""The value rules as DuckDB macros, made from the same patterns that the ladder uses (domain/rules.py).

Each macro takes text and returns text, or NULL where the value does not fit: `coalesce(canon_number(t), t)` is the
value as both systems would compare it, and `canon_number(t) IS NULL` says that Mainstay would refuse it.
"""

from __future__ import annotations

from typing import Final

import duckdb

from workbench.domain import rules
from workbench.domain.changes import Action
from workbench.store.quoting import literal


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(literal(word) for word in words)


# Ten good digits need no cleaning: most values take the first branch.
_PHONE: Final = """
CREATE OR REPLACE MACRO canon_phone(t) AS (
    CASE WHEN north_american(t) IS NOT NULL THEN t
         ELSE north_american(regexp_replace(regexp_replace(t, '[^0-9]', '', 'g'), '^1([0-9]{10})$', '\\1'))
    END)
"""
# A phone as a number: 0 is blank, ten digits are a phone that fits, and any other text is a number beyond those.
_PHONE_NUMBER: Final = """
CREATE OR REPLACE MACRO phone_number(t) AS (
    CASE WHEN t IS NULL THEN CAST(0 AS UBIGINT)
         ELSE coalesce(CAST(canon_phone(t) AS UBIGINT), hash(t) | CAST(9223372036854775808 AS UBIGINT)) END)
"""
# The 18 characters of a record's Id: the last three say which of each five characters are capitals.
# Source: Salesforce wire reference, section 4.
_FULL_ID: Final = """
CREATE OR REPLACE MACRO full_id(t) AS (
    CASE WHEN length(t) = 15 AND regexp_full_match(t, '[A-Za-z0-9]{15}')
         THEN t || list_aggregate(list_transform([1, 6, 11], lambda start : substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345',
             CAST(1 + list_sum(list_transform(range(5),
                 lambda k : CASE WHEN t[start + k] BETWEEN 'A' AND 'Z' THEN 1 << k ELSE 0 END)) AS BIGINT), 1)),
             'string_agg', '')
         ELSE t END)
"""
# `lower` makes an ASCII i of it, and so another address, or a status that is none.
_SMALL: Final = """
CREATE OR REPLACE MACRO small(t) AS (
    CASE WHEN contains(t, 'İ')
         THEN array_to_string(list_transform(string_split(t, 'İ'), lambda part : lower(part)), 'İ')
         ELSE lower(t) END)
"""
MACROS: Final = (
    _FULL_ID,
    _SMALL,
    f"""CREATE OR REPLACE MACRO north_american(digits) AS (
    CASE WHEN regexp_matches(digits, {literal(rules.PHONE_PATTERN)}) AND digits NOT LIKE '555%' THEN digits END)""",
    _PHONE,
    _PHONE_NUMBER,
    """CREATE OR REPLACE MACRO fitting_phone(number) AS CASE WHEN number BETWEEN 1 AND 9999999999 THEN number END""",
    """CREATE OR REPLACE MACRO phone_text(number) AS CAST(fitting_phone(number) AS VARCHAR)""",
    """CREATE OR REPLACE MACRO number_text(d) AS (
    CASE WHEN d = trunc(d) AND abs(d) < 1e15 THEN CAST(CAST(d AS BIGINT) AS VARCHAR) ELSE CAST(d AS VARCHAR) END)""",
    f"""CREATE OR REPLACE MACRO canon_number(t) AS (
    CASE WHEN CAST(TRY_CAST(t AS BIGINT) AS VARCHAR) = t AND length(t) < 15 THEN t
         WHEN regexp_matches(t, {literal(rules.NUMBER_PATTERN)}) AND isfinite(TRY_CAST(t AS DOUBLE))
         THEN number_text(TRY_CAST(t AS DOUBLE)) END)""",
    f"""CREATE OR REPLACE MACRO canon_truth(t) AS (
    CASE WHEN lower(t) IN ({_list(rules.TRUE_WORDS)}) THEN 'true'
         WHEN lower(t) IN ({_list(rules.FALSE_WORDS)}) THEN 'false' END)""",
    f"""CREATE OR REPLACE MACRO canon_date(t) AS (
    CASE WHEN regexp_matches(t, {literal(rules.US_DATE_PATTERN)})
         THEN strftime(TRY_STRPTIME(t, '%m/%d/%Y'), '%Y-%m-%d')
         WHEN regexp_matches(t, {literal(rules.ISO_DATE_PATTERN)}) AND TRY_CAST(t[1:10] AS DATE) IS NOT NULL
         THEN t[1:10] END)""",
    f"""CREATE OR REPLACE MACRO canon_url(t) AS (
    CASE WHEN regexp_matches(t, {literal(rules.URL_PATTERN)}) THEN t END)""",
    f"""CREATE OR REPLACE MACRO canon_email(t) AS (
    CASE WHEN regexp_matches(t, {literal(rules.EMAIL_PATTERN)}) AND NOT contains(t, '..') THEN small(t) END)""",
    f"""CREATE OR REPLACE MACRO canon_language(t) AS (
    CASE WHEN regexp_matches(t, {literal(rules.LANGUAGE_PATTERN)}) THEN t END)""",
    f"""CREATE OR REPLACE MACRO canon_status(t) AS (
    CASE WHEN replace(small(t), ' ', '-') IN ({_list(rules.MESSAGING_STATUSES)})
         THEN replace(small(t), ' ', '-') END)""",
    f"""CREATE OR REPLACE MACRO filled(t) AS nullif(nullif(t, ''), {literal(rules.UNSET)})""",
    """CREATE OR REPLACE MACRO codes_of(t) AS coalesce(string_split(t, chr(31)), CAST([] AS VARCHAR[]))""",
    """CREATE OR REPLACE MACRO distinct_codes(t) AS
    CASE WHEN t IS NULL THEN CAST([] AS VARCHAR[]) ELSE list_sort(list_distinct(string_split(t, chr(31)))) END""",
    """CREATE OR REPLACE MACRO has_code(t, code) AS contains(chr(31) || t || chr(31), chr(31) || code || chr(31))""",
    """CREATE OR REPLACE MACRO agreed_value(t, place) AS nullif(string_split(t, chr(31))[place], chr(30))""",
    """CREATE OR REPLACE MACRO json_of(t) AS CAST(to_json(t) AS VARCHAR)""",
    """CREATE OR REPLACE MACRO json_text(t) AS coalesce(json_of(t), 'null')""",
)

# What steps say of each record, as enums: a byte a row instead of a text, and no word that nobody knows.
WORDS: Final = {
    "action": tuple(Action),
    "match_rule": ("crm_id", "phone", "id", "matching", "none"),
    "import_cause": (
        "linked",
        "matched",
        "unmatched",
        "test_contact",
        "other_object",
        "claimed",
        "unmatched_ignored",
        "crm_id_twice",
        "dangling_crm_id",
        "several_records",
        "several_contacts",
        "record_taken",
    ),
    "phone_fate": ("invalid", "cleared", "absent", "same", "reverted", "changes", "left"),
}

# The macro of each Mainstay type; types that are not named take any text.
CANON_MACROS: Final = {
    "phone": "canon_phone",
    "Phone": "canon_phone",
    "email": "canon_email",
    "language": "canon_language",
    "messaging status": "canon_status",
    "Number": "canon_number",
    "True/False": "canon_truth",
    "Date": "canon_date",
    "URL": "canon_url",
}


def install_rules(con: duckdb.DuckDBPyConnection) -> None:
    """Create the words and the rule macros in a scratch database."""
    for name, words in WORDS.items():
        con.execute(f"CREATE TYPE {name} AS ENUM ({_list(words)})")
    for macro in MACROS:
        con.execute(macro)
