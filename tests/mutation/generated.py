"""Every rule of the .sql steps, broken mechanically: each condition of each step, so that no step can be forgotten."""

from __future__ import annotations

import re

from mutant import PACKAGE, Mutation

STEPS = "tests/sql/test_{}.py"
CASES, BACK, AGREED = STEPS.format("export_cases"), STEPS.format("import_cases"), "tests/properties/test_agreement.py"
# The tests of each step, and the wider ones; a folder stands for its steps that are not named.
TESTS = {
    "outgoing": ((STEPS.format("outgoing"), STEPS.format("change_outgoing")), (CASES, STEPS.format("looking_again"))),
    "incoming": ((STEPS.format("incoming"), STEPS.format("change_incoming")), (BACK,)),
    "threeway": ((STEPS.format("three_way"), STEPS.format("agreement_pushed")), (AGREED,)),
    "guards": ((STEPS.format("guards"),), ()),
    "checks": ((STEPS.format("checks"),), ()),
    "approve": ((), ("tests/flow/test_approve.py",)),
    "undo": ((STEPS.format("undo"),), ()),
    "lab": ((STEPS.format("lab"),), ("tests/lab/test_linking.py",)),
}
# What no test can see, and why; `(2)`: the second of several that read alike.
SAME = {
    ("sql/outgoing/bucket_outgoing.sql", "all of them: contact_row IS NOT NULL"): "a row without a contact joins none",
    (
        "sql/incoming/bucket_incoming.sql",
        "all of them: coalesce(salesforce_id, candidate_id) IS NOT NULL",
    ): "a row without a record joins none",
    (
        "sql/outgoing/touch_outgoing.sql",
        "all of them: contact_phone IS NOT NULL",
    ): "a blank phone is contended with nobody",
    ("sql/outgoing/opting_back.sql", "all of them: is_status_hidden"): "nothing is looked for in the others",
    ("sql/guards/fan_out.sql", "not asked: fields IS NOT NULL"): "no fields, no rows: it spares the reading",
    ("sql/guards/fan_out.sql", "not asked: fields <> '[]'"): "no fields, no rows: it spares the reading",
    ("sql/guards/replaced_value.sql", "not asked: fields IS NOT NULL"): "no fields, no rows: it spares the reading",
    ("sql/guards/replaced_value.sql", "not asked: fields <> '[]'"): "no fields, no rows: it spares the reading",
    (
        "sql/incoming/change_incoming.sql",
        "not asked: len(settled.claims) > 0",
    ): "no claims, no rows: it spares the reading",
    ("sql/incoming/change_incoming.sql", "all of them: claimed IS NOT NULL"): "a blank is equal to nothing",
    ("sql/incoming/change_incoming.sql", "all of them: held IS NOT NULL"): "a blank is equal to nothing",
    (
        "sql/incoming/change_incoming.sql",
        "not asked: contested.value = claim.claimed (2)",
    ): "who holds what nobody wants decides nothing",
    ("sql/incoming/change_incoming.sql", "all of them: claim.holder IS NOT NULL"): "nobody is skipped as a holder",
    (
        "sql/outgoing/change_outgoing.sql",
        "not asked: action = 'conflict'",
    ): "who is held twice, or asks, is in conflict or left out",
}
# A comment, a frame of rows, and the end of a recursion: without it no round is the last.
NO_RULE = ("--", "BETWEEN UNBOUNDED", "AND 1 PRECEDING", "OVER ()")

# (what stands there, what takes its place, what that breaks); `{}` is the rule's own text.
_RULES = (
    (r"(?<=WHEN )((?:[^()\n']|'[^'\n]*'|\((?:[^()]|\([^()]*\))*\))+?)(?= (?:AND|OR)\b)", "true", "not asked: {}"),
    (r"WHEN ((?:(?!\bWHEN\b|\bTHEN\b).)+?) THEN", "WHEN false THEN", "never: {}"),
    (r"\bAND ((?:[^()\n']|'[^'\n]*'|\((?:[^()]|\([^()]*\))*\))+?)(?=\n|,|\)|$| (?:AND|OR|THEN|AS)\b)", "AND true", "not asked: {}"),
    (r"\bOR ((?:[^()\n']|'[^'\n]*'|\((?:[^()]|\([^()]*\))*\))+?)(?=\n|,|\)|$| (?:AND|OR|THEN|AS)\b)", "OR false", "no other way: {}"),
    (r"\b(WHERE|HAVING|QUALIFY) ((?:[^()\n']|'[^'\n]*'|\((?:[^()]|\([^()]*\))*\))+?)(?=\n|\)|$| (?:AND|OR|GROUP|ORDER)\b)", r"\1 true", "all of them: {}"),
    (r"\bFILTER \((?:WHERE )?((?:[^()]|\((?:[^()]|\([^()]*\))*\))+)\)", "FILTER (WHERE true)", "counts all: {}"),
)  # fmt: skip


def _of(file: str, text: str, tests: tuple[str, ...], wider: tuple[str, ...]) -> list[Mutation]:
    body_starts = len(re.match(r"(?:--[^\n]*\n)*", text).group(0))
    found = []
    for pattern, replace, breaks in _RULES:
        for hit in re.finditer(pattern, text[body_starts:], re.DOTALL):
            whole = hit.group(0)
            if any(sign in whole for sign in NO_RULE):
                continue
            start = body_starts + hit.start()
            nth = sum(1 for other in re.finditer(f"(?={re.escape(whole)})", text) if other.start() < start)
            rule = re.sub(r"\s+", " ", hit.group(hit.re.groups))
            broken = _keeping_parameters(rule, hit.expand(replace))
            found.append(Mutation(file, whole, broken, breaks.format(rule), tests, nth, wider))
    return [one for one in found if one.replace != one.find]


def _keeping_parameters(rule: str, replace: str) -> str:
    """A parameter that a step no longer binds is an error of its own, as is QUALIFY without a window: keep it, to no effect."""
    if "$" not in rule and " OVER (" not in rule:
        return replace
    return replace.replace("true", f"(true OR ({rule}))").replace("false", f"(false AND ({rule}))")


def generated() -> list[Mutation]:
    """All mutations of all steps, but those that mean the same."""
    made = []
    for path in sorted((PACKAGE / "sql").glob("*/*.sql")):
        folder = path.parent.name
        if folder == "migrations":
            continue
        made += _of(f"sql/{folder}/{path.name}", path.read_text(), *TESTS[folder])
    return [
        one for one in made if not {(one.file, one.breaks), (one.file, f"{one.breaks} ({one.nth + 1})")} & SAME.keys()
    ]


GENERATED = generated()
