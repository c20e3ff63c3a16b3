"""The three-way steps of a preview: what a run leaves to the other side, and what it asks a person. Decision 40."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from workbench.domain.fields import Direction
from workbench.engine.agreed import make_field_table
from workbench.engine.compile import BothSides
from workbench.engine.compile_agreed import agreed_side, disagreement, disagreement_of_sides, last_agreed
from workbench.engine.plans import Slice, TwoWay
from workbench.engine.run import Run
from workbench.store.quoting import literal
from workbench.store.steps import make_table, make_view, run_step

SENDER: Final = {Direction.EXPORT: "salesforce", Direction.IMPORT: "mainstay"}
# Identity first: whether a phone is sent decides what it collides with.
_OTHER_PHONE: Final = """SELECT record_row, contact_row
    FROM work.identity_outgoing
    WHERE rule = 'crm_id' AND action <> 'excluded' AND crm_id_owners = 1 AND phone_key IS DISTINCT FROM contact_phone"""
_LINKED_INCOMING: Final = """SELECT record_row, contact_row
    FROM work.verdict_incoming AS verdict
    JOIN work.differing AS differing ON differing.seq = verdict.seq
    WHERE verdict.action = 'update' AND differing."""

_BASELINE: Final = """
SELECT max(pull.started_at)
FROM store.preview.pin AS pin
JOIN store.journal.pull AS pull
  ON pull.pull_id = pin.pull_id AND pull.system = pin.system AND pull.object = pin.object
WHERE pin.preview_id = $baseline AND (pin.system = 'mainstay' OR pin.object = $sobject)
"""
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOVED: Final = """
  AND looked_at > $moment AND record_id IN ({told})"""
# Their rows are found first: by texts DuckDB lets so many others through that it would read nearly all values.
_OTHERS: Final = """
  AND rowid IN (
    SELECT rowid FROM store.journal.last_agreed
    WHERE sobject = {sobject} AND coalesce(looked_at <= $moment, true)
      AND record_id IN (SELECT record_id FROM ({told}) ANTI JOIN work.last_agreed USING (record_id)))"""


def recall_agreed(run: Run, both: TwoWay, told: str) -> None:
    """work.last_agreed, read as often as it is asked; where few records are told, of theirs alone and once.

    Pairs of which either side moved lie together since then; only for the others all that is kept is gone through.
    `told`: a SELECT of their record_id, with a condition.
    """
    everything = last_agreed(both.sobject)
    if not (both.pairs and run.scope.is_narrow):
        make_view(run.con, "last_agreed", everything)
        return
    moment = {"moment": _pulled_at(run, both.sobject)}
    make_table(run.con, "last_agreed", everything + _MOVED.format(told=told), moment)
    run.con.execute(
        f"INSERT INTO work.last_agreed\n{everything}{_OTHERS.format(told=told, sobject=literal(both.sobject))}", moment
    )


def _pulled_at(run: Run, sobject: str) -> datetime:
    """When the latest of the pulls began that the baseline looked at; long ago where there is none."""
    asked = {"baseline": run.scope.baseline, "sobject": sobject}
    found = run.con.execute(_BASELINE, asked).fetchone() if run.scope.baseline is not None else None
    return found[0] if found and found[0] else _LONG_AGO


def judge_phones(run: Run, both: TwoWay) -> None:
    """work.left_record of an export as far as phones go, before the verdict reads it."""
    phone = both.only("phone")
    if phone.pairs:
        make_table(run.con, "side_of_phones", agreed_side(phone.pairs, _OTHER_PHONE, BothSides(phone.sobject)))
    _judge(run, phone, Direction.EXPORT, disagreement(phone, {"side_of_phones": phone.pairs}, few=True))


def judge_outgoing(run: Run, both: TwoWay, slices: Sequence[Slice]) -> None:
    """work.left_record of an export, from the values of both sides that lie in work.side_N."""
    _judge(run, both, Direction.EXPORT, disagreement_of_sides(both, slices))


def judge_incoming(run: Run, both: TwoWay, slices: Sequence[Slice], values: BothSides) -> None:
    """work.left_record of an import, of linked contacts in the slices where they may differ."""
    sides = {item.side: pairs for item in slices if (pairs := both.of(item))}
    for item in slices:
        if item.side in sides:
            make_table(run.con, item.side, agreed_side(sides[item.side], _LINKED_INCOMING + item.name, values))
    _judge(run, both, Direction.IMPORT, disagreement(both, sides))


def _judge(run: Run, both: TwoWay, direction: Direction, disagreements: str) -> None:
    make_field_table(run.con, [both])
    make_view(run.con, "disagreement", disagreements)  # read once
    run_step(run.con, "threeway", "verdict_field", {"direction": str(direction)})
    run_step(run.con, "threeway", "left_record", {"sender": SENDER[direction]})
