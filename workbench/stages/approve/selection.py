"""Which changes of a preview a batch takes, and why it leaves the others out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from workbench.domain.changes import Action
from workbench.domain.guards import Guard
from workbench.domain.known_names import unknown_names
from workbench.errors import ApprovalRefused, ConfigurationError, NotFound
from workbench.store.batches import matching_change_ids
from workbench.store.codes import unknown_codes_of_preview
from workbench.store.database import Store
from workbench.store.steps import step_sql

GROUP_ORDER: Final = "a collision group is approved in order"
NOTHING_TO_SEND: Final = "nothing to send"


@dataclass(frozen=True)
class Slice:
    """What a person picked from a preview; several filters narrow each other, none means all.

    actions, codes: names; a code without its field ("invalid-attribute-data") stands for its family.
    guards: names; the only way beside `all` and `change_ids` to take changes that carry a guard.
    change_ids: single rows, the only way beside `all` to name a row that is predicted to fail.
    sql: a condition over preview.change. all: take predicted failures and guarded changes too, knowingly.
    """

    actions: Sequence[str] = ()
    codes: Sequence[str] = ()
    guards: Sequence[str] = ()
    change_ids: Sequence[str] = ()
    sql: str | None = None
    all: bool = False

    @property
    def has_filter(self) -> bool:
        return bool(self.actions or self.codes or self.guards or self.change_ids or self.sql)

    def as_json(self) -> str:
        """The slice as the journal keeps it: only what was said."""
        said: dict[str, Any] = {
            "actions": list(self.actions),
            "codes": list(self.codes),
            "guards": list(self.guards),
            "change_ids": list(self.change_ids),
            "sql": self.sql,
            "all": self.all,
        }
        return orjson.dumps({name: value for name, value in said.items() if value}).decode()


@dataclass(frozen=True)
class Selection:
    """The rows a batch takes (change_id, seq) and those that were named but stay out (change_id, left_out)."""

    taken: pa.Table
    left_out_rows: pa.Table
    reasons: Mapping[str, int] = field(default_factory=dict)


def select_changes(store: Store, preview_id: int, chosen: Slice) -> Selection:
    """Apply a slice.

    Raises ConfigurationError for an action, code or guard that does not exist: beside a right one it would only take
    rows away. NotFound for a change that does not exist, ApprovalRefused for one out of its order.
    """
    _check_names(store, preview_id, chosen)
    named = _named(store, preview_id, chosen)
    verdict = _verdict(store, preview_id, chosen, named)
    selection = _split(verdict)
    reasons = dict(selection.reasons)
    if chosen.change_ids and not (chosen.actions or chosen.codes or chosen.sql):
        _refuse_out_of_order(selection)
    if not chosen.has_filter:
        reasons.pop(NOTHING_TO_SEND, None)  # most of a preview; nobody asked for those
    return Selection(selection.taken, selection.left_out_rows, reasons)


def judge_again(store: Store, preview_id: int, change_ids: Sequence[str]) -> Selection:
    """What a batch may still take of its own rows: others may have been approved or sent meanwhile."""
    chosen = Slice(change_ids=change_ids, all=True)
    return _split(_verdict(store, preview_id, chosen, list(change_ids)))


def _check_names(store: Store, preview_id: int, chosen: Slice) -> None:
    wrong = [
        unknown_names("action", chosen.actions, list(Action)),
        unknown_names("guard", chosen.guards, list(Guard)),
        unknown_codes_of_preview(store, preview_id, chosen.codes),
    ]
    if said := [sentence for sentence in wrong if sentence]:
        raise ConfigurationError(" ".join(said))


def _named(store: Store, preview_id: int, chosen: Slice) -> list[str] | None:
    """Change ids by the filters that name rows one by one; None where there is no such filter."""
    named: list[str] | None = None
    if chosen.change_ids:
        named = list(dict.fromkeys(chosen.change_ids))
        known = store.query(
            """SELECT change_id FROM preview.change WHERE preview_id = $preview_id
               AND change_id IN (SELECT unnest(CAST($named AS VARCHAR[])))""",
            {"preview_id": preview_id, "named": named},
        )
        missing = sorted(set(named) - set(known["change_id"].to_pylist()))
        if missing:
            raise NotFound(f"Preview {preview_id} has no change {', '.join(missing[:5])}.")
    if chosen.sql is not None:
        matching = matching_change_ids(store, preview_id, chosen.sql)
        named = matching if named is None else sorted(set(named) & set(matching))
    return named


def _verdict(store: Store, preview_id: int, chosen: Slice, named: list[str] | None) -> pa.Table:
    return store.query(
        step_sql("approve", "slice_verdict"),
        {
            "preview_id": preview_id,
            "actions": list(chosen.actions) or None,
            "codes": list(chosen.codes) or None,
            "guards": list(chosen.guards) or None,
            "named": named,
            "picked": list(chosen.change_ids) or None,
            "with_blocked": chosen.all,
        },
    )


def _split(verdict: pa.Table) -> Selection:
    is_taken = pc.is_null(verdict["left_out"])
    left_out = verdict.filter(pc.invert(is_taken))
    counts = Counter(left_out["left_out"].to_pylist())
    return Selection(verdict.filter(is_taken).select(["change_id", "seq"]), left_out, dict(counts.most_common()))


def _refuse_out_of_order(selection: Selection) -> None:
    late = [row["change_id"] for row in selection.left_out_rows.to_pylist() if row["left_out"] == GROUP_ORDER]
    if late:
        raise ApprovalRefused(
            f"{GROUP_ORDER.capitalize()}: {', '.join(late[:5])} shares a phone or CRM ID with an earlier change "
            "that is neither named nor sent. Name the earlier changes of its group too, or take the whole group."
        )
