"""The three-way steps of a preview: what a run leaves to the other side, and what it asks a person. Decision 40."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workbench.domain.fields import Direction
from workbench.engine.agreed import make_field_table
from workbench.engine.compile_agreed import disagreement, disagreement_of_sides
from workbench.engine.plans import Slice, TwoWay
from workbench.engine.run import Run
from workbench.store.steps import make_table, run_step

SENDER: Final = {Direction.EXPORT: "salesforce", Direction.IMPORT: "mainstay"}
# Identity first: whether a phone is sent decides what it collides with.
_OTHER_PHONE: Final = """SELECT record_row, contact_row
    FROM work.identity_outgoing
    WHERE rule = 'crm_id' AND action <> 'excluded' AND crm_id_owners = 1 AND phone_key IS DISTINCT FROM contact_phone"""
_LINKED_INCOMING: Final = """SELECT record_row, contact_row
    FROM work.verdict_incoming
    WHERE action = 'update' AND may_differ"""


def judge_phones(run: Run, both: TwoWay) -> None:
    """work.left_record of an export as far as phones go, before the verdict reads it."""
    phone = both.only("phone")
    _judge(run, phone, Direction.EXPORT, disagreement(phone, _OTHER_PHONE))


def judge_outgoing(run: Run, both: TwoWay, slices: Sequence[Slice]) -> None:
    """work.left_record of an export, from the values of both sides that lie in work.side_N."""
    _judge(run, both, Direction.EXPORT, disagreement_of_sides(both, slices))


def judge_incoming(run: Run, both: TwoWay) -> None:
    """work.left_record of an import."""
    _judge(run, both, Direction.IMPORT, disagreement(both, _LINKED_INCOMING))


def _judge(run: Run, both: TwoWay, direction: Direction, disagreements: str) -> None:
    make_field_table(run.con, [both])
    make_table(run.con, "disagreement", disagreements)
    run_step(run.con, "threeway", "verdict_field", {"direction": str(direction)})
    run_step(run.con, "threeway", "left_record", {"sender": SENDER[direction]})
