"""The three-way steps of a preview: what a run leaves to the other side, and what it asks a person. Decision 40."""

from __future__ import annotations

from typing import Final

from workbench.domain.fields import Direction
from workbench.engine.agreed import make_field_table
from workbench.engine.compile_agreed import disagreement
from workbench.engine.plans import TwoWay
from workbench.engine.run import Run
from workbench.store.steps import make_table, run_step

SENDER: Final = {Direction.EXPORT: "salesforce", Direction.IMPORT: "mainstay"}
# Identity first: whether a phone is sent decides what it collides with.
_OTHER_PHONE: Final = """SELECT record_id, linked_id AS contact_id
    FROM work.match_outgoing
    WHERE linked_id IS NOT NULL AND is_eligible AND crm_id_owners = 1 AND phone_key IS DISTINCT FROM contact_phone"""
_LINKED_OUTGOING: Final = """SELECT verdict.record_id, verdict.contact_id
    FROM work.verdict_outgoing AS verdict
    LEFT JOIN work.differing AS differing ON differing.seq = verdict.seq
    LEFT JOIN work.group_outgoing AS grouped ON grouped.seq = verdict.seq
    WHERE verdict.rule = 'crm_id' AND verdict.crm_id_owners = 1 AND verdict.action <> 'excluded'
      AND (verdict.asks OR differing.seq IS NOT NULL OR grouped.seq IS NOT NULL)"""
_LINKED_INCOMING: Final = """SELECT record_id, contact_id
    FROM work.verdict_incoming
    WHERE action = 'update' AND may_differ"""


def judge_phones(run: Run, both: TwoWay) -> None:
    """work.left_record of an export as far as phones go, before the verdict reads it."""
    _judge(run, both.only("phone"), Direction.EXPORT, _OTHER_PHONE)


def judge_outgoing(run: Run, both: TwoWay) -> None:
    """work.left_record of an export."""
    _judge(run, both, Direction.EXPORT, _LINKED_OUTGOING)


def judge_incoming(run: Run, both: TwoWay) -> None:
    """work.left_record of an import."""
    _judge(run, both, Direction.IMPORT, _LINKED_INCOMING)


def _judge(run: Run, both: TwoWay, direction: Direction, candidates: str) -> None:
    make_field_table(run.con, [both])
    make_table(run.con, "disagreement", disagreement(both, candidates))
    run_step(run.con, "threeway", "verdict_field", {"direction": str(direction)})
    run_step(run.con, "threeway", "left_record", {"sender": SENDER[direction]})
