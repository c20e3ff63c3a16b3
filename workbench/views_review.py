"""Read models for reviewing: a preview's rules, causes and changes; the rows of a batch on its way to approval.

Everything is filtered, sorted and paged by the store. No decisions are taken here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from workbench.errors import NotFound
from workbench.store import Store
from workbench.store.batches import moved_since, read_batch
from workbench.store.changes import field_counts, whole_changes
from workbench.views_dashboard import landed, names_of

_FAMILIES: Final = "list_transform(coalesce(c.codes, []), lambda one: split_part(one, ': ', 1))"
_SHOWN: Final = """c.preview_id, c.change_id, c.seq, c.direction, c.sobject, c.salesforce_id, c.mainstay_id, c.rule,
       c.action, c.reason, c.guards, c.predicted_status, c.codes, c.certainty, c.field_names"""
_OPEN: Final = "c.action NOT IN ('none', 'excluded')"


@dataclass(frozen=True)
class ChangeFilter:
    """Which changes of a preview to show; None and blank mean all.

    code: with or without its field. text: a change id, either record's id, or part of a name.
    """

    action: str | None = None
    code: str | None = None
    reason: str | None = None
    guard: str | None = None
    text: str = ""
    only_open: bool = False


def previews(store: Store, *, limit: int = 100) -> list[dict[str, Any]]:
    """Previews, newest first."""
    return store.rows("SELECT * FROM view.preview ORDER BY preview_id DESC LIMIT $limit", {"limit": limit})


def waterfall(store: Store, preview_id: int) -> list[dict[str, Any]]:
    """rule, action, row_count: by which rule the records of a preview were matched, and what became of them."""
    return store.rows(
        """SELECT coalesce(rule, 'none') AS rule, action, count(*) AS row_count FROM view.change
           WHERE preview_id = $preview_id GROUP BY ALL ORDER BY rule, row_count DESC""",
        {"preview_id": preview_id},
    )


def causes(store: Store, preview_id: int) -> list[dict[str, Any]]:
    """code, entry, field, failure, certainty, action, reason, row_count: why changes will fail wholly or in part."""
    return store.rows(
        """SELECT split_part(p.code, ': ', 1) AS code, p.entry,
                  CASE WHEN contains(p.code, ': ') THEN split_part(p.code, ': ', 2) END AS field,
                  p.failure, p.certainty, c.action,
                  CASE WHEN p.failure = 'complete' THEN regexp_replace(c.reason, ' \\(decided in order.*$', '') END
                      AS reason,
                  count(*) AS row_count
           FROM preview.prediction AS p JOIN view.change AS c USING (preview_id, change_id)
           WHERE p.preview_id = $preview_id
           GROUP BY ALL ORDER BY row_count DESC, code, field""",
        {"preview_id": preview_id},
    )


def conflict_reasons(store: Store, preview_id: int) -> list[dict[str, Any]]:
    """reason, row_count of the records that a person has to decide as a whole; fields that differ are none."""
    return store.rows(
        """SELECT reason, count(*) AS row_count FROM view.change
           WHERE preview_id = $preview_id AND action = 'conflict'
             AND change_id NOT IN (SELECT change_id FROM view.conflict WHERE preview_id = $preview_id AND is_open)
           GROUP BY reason ORDER BY row_count DESC, reason""",
        {"preview_id": preview_id},
    )


def guards(store: Store, preview_id: int) -> list[dict[str, Any]]:
    """guard, row_count of a preview."""
    return store.rows(
        """SELECT guard, count(*) AS row_count
           FROM (SELECT unnest(guards) AS guard FROM view.change WHERE preview_id = $preview_id)
           GROUP BY guard ORDER BY row_count DESC, guard""",
        {"preview_id": preview_id},
    )


def changed_fields(store: Store, preview_id: int) -> list[dict[str, Any]]:
    """field, row_count: how many open changes of a preview alter each field of the receiving side."""
    return store.rows(
        f"""WITH open AS (
               SELECT preview_id, change_id, fields FROM preview.change
               WHERE preview_id = $preview_id AND action NOT IN ('none', 'excluded')
           )
           {field_counts("open")} ORDER BY row_count DESC, field""",
        {"preview_id": preview_id},
    )


def _named(store: Store, page: str) -> str:
    """`page` with the column `person`; names are read for its rows only, so a million people cost nothing here."""
    contacts, records = names_of(landed(store))
    return f"""SELECT {page}.*, coalesce(r.name, n.name) AS person FROM {page}
               LEFT JOIN (SELECT * FROM ({contacts}) WHERE id IN (SELECT mainstay_id FROM {page})) AS n
                   ON n.id = {page}.mainstay_id
               LEFT JOIN (SELECT * FROM ({records}) WHERE id IN (SELECT salesforce_id FROM {page})) AS r
                   ON r.id = {page}.salesforce_id"""


def count_changes(store: Store, preview_id: int, chosen: ChangeFilter) -> int:
    """How many changes of a preview pass a filter."""
    where, params = _change_where(store, preview_id, chosen)
    return int(store.rows(f"SELECT count(*) AS n FROM preview.change AS c WHERE {where}", params)[0]["n"])


def page_of_changes(
    store: Store, preview_id: int, chosen: ChangeFilter, *, size: int = 50, page: int = 1
) -> list[dict[str, Any]]:
    """One page (from 1) of a preview's changes in sending order, with the person's name."""
    where, params = _change_where(store, preview_id, chosen)
    sql = f"""WITH few AS MATERIALIZED (
                  SELECT * FROM preview.change AS c WHERE {where} ORDER BY c.seq, c.change_id
                  LIMIT $size OFFSET $skip
              ), page AS MATERIALIZED (
                  SELECT {_SHOWN} FROM ({whole_changes("few")}) AS c
              )
              {_named(store, "page")} ORDER BY page.seq, page.change_id"""
    return store.rows(sql, {**params, "size": size, "skip": (page - 1) * size})


def _change_where(store: Store, preview_id: int, chosen: ChangeFilter) -> tuple[str, dict[str, Any]]:
    parts = [
        "c.preview_id = $preview_id",
        "($action IS NULL OR c.action = $action)",
        f"($code IS NULL OR list_contains(coalesce(c.codes, []), $code) OR list_contains({_FAMILIES}, $code))",
        "($reason IS NULL OR starts_with(c.reason, $reason))",
        "($guard IS NULL OR list_contains(coalesce(c.guards, []), $guard))",
        _OPEN if chosen.only_open else "true",
    ]
    params: dict[str, Any] = {
        "preview_id": preview_id,
        "action": chosen.action,
        "code": chosen.code,
        "reason": chosen.reason,
        "guard": chosen.guard,
    }
    if text := chosen.text.strip():
        contacts, records = names_of(landed(store))
        parts.append(
            f"""(c.change_id = $text OR c.salesforce_id = $text OR c.mainstay_id = $text
                 OR c.mainstay_id IN (SELECT id FROM ({contacts}) WHERE contains(lower(name), $lowered))
                 OR c.salesforce_id IN (SELECT id FROM ({records}) WHERE contains(lower(name), $lowered)))"""
        )
        params |= {"text": text, "lowered": text.lower()}
    return " AND ".join(parts), params


def change(store: Store, preview_id: int, change_id: str) -> dict[str, Any]:
    """One change with its field values, exact requests, predictions and the person's name. Raises NotFound."""
    key = {"preview_id": preview_id, "change_id": change_id}
    rows = store.rows(
        f"""WITH few AS MATERIALIZED (
                SELECT * FROM preview.change WHERE preview_id = $preview_id AND change_id = $change_id
            ), one AS MATERIALIZED ({whole_changes("few")})
            {_named(store, "one")}""",
        key,
    )
    if not rows:
        raise NotFound(f"Preview {preview_id} has no change {change_id}.")
    requests = store.rows(
        """SELECT ordinal, system, method, path, body FROM view.request
           WHERE preview_id = $preview_id AND change_id = $change_id ORDER BY ordinal""",
        key,
    )
    expected = store.rows(
        """SELECT code, entry, failure, certainty FROM preview.prediction
           WHERE preview_id = $preview_id AND change_id = $change_id ORDER BY code""",
        key,
    )
    found = rows[0]
    fields = orjson.loads(found["fields"]) if found["fields"] else []
    return {**found, "fields": fields, "requests": requests, "expected": expected}


_APPROVED: Final = """WITH approved AS (
    SELECT c.* FROM journal.batch_change AS b
    JOIN journal.batch AS batch ON batch.batch_id = b.batch_id
    JOIN preview.change AS c ON c.preview_id = batch.preview_id AND c.change_id = b.change_id
    WHERE b.batch_id = $batch_id AND b.is_approved
)"""
_TALLIED: Final = {
    "status": "(SELECT coalesce(predicted_status, 'unknown') AS value FROM approved)",
    "action": "(SELECT action AS value FROM approved)",
    "code": f"(SELECT unnest(list_distinct({_FAMILIES})) AS value FROM approved AS c)",
    "guard": "(SELECT unnest(guards) AS value FROM approved)",
}


def batch_summary(store: Store, batch_id: int) -> dict[str, dict[str, int]]:
    """Counts of a batch's approved changes by predicted `status`, `action`, `code`, `field` and `guard`."""
    counted = {
        name: f"SELECT value, count(*) AS row_count FROM {each} GROUP BY value" for name, each in _TALLIED.items()
    }
    counted["field"] = f"SELECT field AS value, row_count FROM ({field_counts('approved')})"
    found: dict[str, dict[str, int]] = {}
    for name, counts in counted.items():
        rows = store.rows(f"{_APPROVED} {counts} ORDER BY row_count DESC, value", {"batch_id": batch_id})
        found[name] = {row["value"]: row["row_count"] for row in rows}
    return found


_OF_PREVIEW: Final = f"""SELECT change_id FROM view.change AS c
                  WHERE preview_id = (SELECT preview_id FROM journal.batch WHERE batch_id = $batch_id)
                    AND ($status IS NULL OR predicted_status = $status)
                    AND ($action IS NULL OR action = $action)
                    AND ($code IS NULL OR list_contains({_FAMILIES}, $code))"""


def page_of_batch(
    store: Store,
    batch_id: int,
    *,
    status: str | None = None,
    action: str | None = None,
    code: str | None = None,
    size: int = 50,
    page: int = 1,
) -> list[dict[str, Any]]:
    """One page of a batch's rows in sending order; each also carries `total` of those that match.

    Columns: change_id, person, action, predicted_status, codes, field_names, is_approved, reason, actual (status).
    """
    # Narrow keys are counted and ordered first; only the visible rows are fetched in full.
    is_narrowed = any(value is not None for value in (status, action, code))
    fitting = "AND b.change_id IN (SELECT change_id FROM of_preview)" if is_narrowed else ""
    sql = f"""WITH of_preview AS ({_OF_PREVIEW}), keys AS MATERIALIZED (
                  SELECT b.change_id, b.seq, b.is_approved, b.reason AS left_out, count(*) OVER () AS total
                  FROM journal.batch_change AS b WHERE b.batch_id = $batch_id {fitting}
                  ORDER BY b.seq, b.change_id LIMIT $size OFFSET $skip
              ), few AS MATERIALIZED (
                  SELECT * FROM preview.change
                  WHERE preview_id = (SELECT preview_id FROM journal.batch WHERE batch_id = $batch_id)
                    AND change_id IN (SELECT change_id FROM keys)
              ), page AS MATERIALIZED (
                  SELECT {_SHOWN}, keys.is_approved, keys.left_out, keys.total
                  FROM ({whole_changes("few")}) AS c
                  JOIN keys ON keys.change_id = c.change_id
              )
              SELECT named.*, o.status AS actual FROM ({_named(store, "page")}) AS named
              LEFT JOIN (SELECT change_id, status FROM journal.outcome
                         WHERE batch_id = $batch_id AND change_id IN (SELECT change_id FROM page)) AS o
                  USING (change_id)
              ORDER BY named.seq, named.change_id"""
    chosen = {"batch_id": batch_id, "status": status, "action": action, "code": code}
    return store.rows(sql, {**chosen, "size": size, "skip": (page - 1) * size})


def ids_of_batch(
    store: Store, batch_id: int, *, status: str | None = None, action: str | None = None, code: str | None = None
) -> list[str]:
    """The change ids of a slice of a batch, in sending order."""
    rows = store.query(
        f"""WITH of_preview AS ({_OF_PREVIEW})
            SELECT change_id FROM journal.batch_change
            WHERE batch_id = $batch_id AND is_approved AND change_id IN (SELECT change_id FROM of_preview)
            ORDER BY seq, change_id""",
        {"batch_id": batch_id, "status": status, "action": action, "code": code},
    )
    found: list[str] = rows["change_id"].to_pylist()
    return found


def batch_score(store: Store, batch_id: int) -> dict[str, int]:
    """ended: results of a batch whose end is known; as_predicted: those with the expected status and codes."""
    return store.rows(
        """SELECT count(*) FILTER (WHERE status <> 'unknown') AS ended,
                  count(*) FILTER (WHERE is_as_predicted) AS as_predicted
           FROM view.sync_result WHERE batch_id = $batch_id""",
        {"batch_id": batch_id},
    )[0]


def moved(store: Store, batch_id: int) -> list[str]:
    """What a batch stands on and what has moved since, as parts of a sentence; empty while it stands."""
    return moved_since(store, read_batch(store, batch_id))


def requests_per_system(store: Store, batch_id: int) -> list[dict[str, Any]]:
    """system, method, row_count: the requests a batch would send."""
    return store.rows(
        """SELECT r.system, r.method, count(*) AS row_count FROM journal.batch_change AS b
           JOIN view.batch AS v USING (batch_id)
           JOIN view.request AS r ON r.preview_id = v.preview_id AND r.change_id = b.change_id
           WHERE b.batch_id = $batch_id AND b.is_approved GROUP BY ALL ORDER BY row_count DESC""",
        {"batch_id": batch_id},
    )


def batches_of(store: Store, preview_id: int) -> list[dict[str, Any]]:
    """The batches made of a preview, newest first."""
    return store.rows(
        "SELECT * FROM view.batch WHERE preview_id = $preview_id ORDER BY batch_id DESC", {"preview_id": preview_id}
    )


def codes_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The codes named in `causes`, frequent first, each with its field where it has one."""
    named = [f"{row['code']}: {row['field']}" if row["field"] else row["code"] for row in rows]
    return list(dict.fromkeys(named))


# What "Show SQL" opens on the review screens: the question behind a figure, ready for a notebook cell.
REVIEW_SQL: Final = {
    "waterfall": """SELECT rule, action, reason, count(*) AS row_count
FROM view.change
WHERE preview_id = {preview_id}
GROUP BY ALL
ORDER BY row_count DESC""",
    "changed_fields": """SELECT field, count(*) AS row_count
FROM (SELECT unnest(field_names) AS field FROM view.change
      WHERE preview_id = {preview_id} AND action NOT IN ('none', 'excluded'))
GROUP BY field
ORDER BY row_count DESC, field""",
    "causes": """SELECT code, action, reason, certainty, count(*) AS row_count
FROM (SELECT unnest(codes) AS code, action, reason, certainty FROM view.change WHERE preview_id = {preview_id})
GROUP BY ALL
ORDER BY row_count DESC, code""",
}
