"""Send the request of one sync result again, as it was or edited, as a batch of one row that passes approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import duckdb
import orjson
import pyarrow as pa

from workbench.domain import ladder
from workbench.domain.catalogue import mainstay_fields
from workbench.domain.changes import BatchState, Status
from workbench.domain.results import Request, codes_of, mainstay_status
from workbench.errors import ApprovalRefused, ConfigurationError, NotFound
from workbench.settings import Settings
from workbench.store.batches import insert_batch, move_batch, read_batch
from workbench.store.database import Store

_NEW = "(SELECT preview_id FROM preview.preview WHERE run = $run)"
_SCHEMA = pa.schema(
    [
        ("ordinal", pa.int32()),
        ("system", pa.string()),
        ("method", pa.string()),
        ("path", pa.string()),
        ("body", pa.string()),
    ]
)


@dataclass(frozen=True)
class Simulated:
    """The requests that a resend would send, and what the rules foresee for the first; status None where none can."""

    requests: Sequence[Request]
    status: str | None
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Resend:
    """A submitted batch of one row. `simulated`: the status and codes that the rules foresee, as of the last pull."""

    batch: int
    preview: int
    change: str
    requests: Sequence[Request]
    simulated: tuple[str | None, tuple[str, ...]]


def result_number(name: str | int) -> int:
    """The number in a sync result's name. Raises ConfigurationError.

    >>> result_number("SR-0000012"), result_number(12)
    (12, 12)
    """
    text = str(name).upper().removeprefix("SR-")
    if not text.isdecimal():
        raise ConfigurationError(f"{name!r} is no name of a sync result, like SR-0000012.")
    return int(text)


def resend(
    store: Store, settings: Settings, result: str | int, *, by: str, edits: Mapping[str, Any] | None = None
) -> Resend:
    """Make a submitted batch that sends the requests of a result once more.

    `edits` changes values of the first request's body by name (`email`, `custom.GPA`); None takes a name out. A create
    that made its Salesforce record is not made again: what is left of it is the write-back of its Id.
    Raises NotFound; ApprovalRefused when sending again could make a record twice.
    """
    if not by.strip():
        raise ConfigurationError("Name the person who asks for this (--by NAME); the journal keeps it.")
    row, requests = _prepared(store, result, edits or {})
    simulated = simulate(store, settings, requests[0])
    preview_id, change_id = _make_preview(store, row, requests, simulated)
    rows = pa.table({"change_id": [change_id], "seq": pa.array([1], pa.int64())})
    said = orjson.dumps({"resend": f"SR-{row['result_number']:07}", "edits": dict(edits or {})}).decode()
    batch_id = insert_batch(
        store,
        preview_id=preview_id,
        by=by.strip(),
        slice_json=said,
        rows=rows,
        nonce=uuid4().hex,
        state=BatchState.DRAFT,
    )
    move_batch(store, read_batch(store, batch_id), BatchState.SUBMITTED, who=by.strip(), reason=said)
    return Resend(batch_id, preview_id, change_id, requests, simulated)


def simulate_resend(
    store: Store, settings: Settings, result: str | int, *, edits: Mapping[str, Any] | None = None
) -> Simulated:
    """What a resend would send and be answered; nothing is made, nothing is sent. Raises as `resend`."""
    _, requests = _prepared(store, result, edits or {})
    return Simulated(requests, *simulate(store, settings, requests[0]))


def simulate(store: Store, settings: Settings, request: Request) -> tuple[str | None, tuple[str, ...]]:
    """(status, codes) that Mainstay's rules give a request over the contacts of the last pull; (None, ()) elsewhere."""
    if request.system != "mainstay":
        return None, ()
    contacts = _Landed(store)
    fields = mainstay_fields(store.rows("SELECT * FROM mainstay.field"))
    section = settings.mainstay
    institution = ladder.Institution(
        {item.name: item for item in fields.values() if item.is_custom}, section.has_sms, section.has_web_bot
    )
    try:
        if request.method == "POST":
            answer = ladder.post(request.values, contacts, institution)
        else:
            contact = request.path.removeprefix("contacts/").strip("/")
            answer = ladder.put(contact, request.values, contacts, institution)
    except duckdb.CatalogException:
        return None, ()  # nothing was pulled yet
    errors = list(answer.errors)
    return str(mainstay_status(request.method, answer.status, errors)), codes_of(answer.status, errors)


class _Landed:
    """The contacts of the last pull, looked up one by one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def by_id(self, contact_id: str) -> ladder.Contact | None:
        return self._one("SELECT * FROM mainstay.contact WHERE id = $value", contact_id)

    def by_crm_id(self, crm_id: str) -> ladder.Contact | None:
        return self._one("SELECT * FROM mainstay.contact WHERE crm_id = $value", crm_id)

    def by_phone(self, phone: str) -> ladder.Contact | None:
        return self._one("SELECT * FROM mainstay.contact WHERE phone = $value", phone)

    def _one(self, sql: str, value: str) -> ladder.Contact | None:
        rows = self._store.rows(sql, {"value": value})
        if not rows:
            return None
        row = {name: value for name, value in rows[0].items() if not name.startswith("_")}
        custom = {name.removeprefix("custom."): row.pop(name) for name in list(row) if name.startswith("custom.")}
        return {**row, "custom": custom}


def _prepared(store: Store, result: str | int, edits: Mapping[str, Any]) -> tuple[dict[str, Any], list[Request]]:
    row = _outcome(store, result_number(result))
    return row, _remaining(row, _edited(_requests(store, row), edits))


def _outcome(store: Store, number: int) -> dict[str, Any]:
    rows = store.rows(
        """SELECT outcome.*, batch.preview_id FROM journal.outcome AS outcome
           JOIN journal.batch AS batch USING (batch_id) WHERE outcome.result_number = $number""",
        {"number": number},
    )
    if not rows:
        raise NotFound(f"There is no sync result SR-{number:07}. `workbench results` lists those that exist.")
    return rows[0]


def _requests(store: Store, row: Mapping[str, Any]) -> list[Request]:
    rows = store.rows(
        """SELECT ordinal, system, method, path, body FROM preview.request
           WHERE preview_id = $preview_id AND change_id = $change_id ORDER BY ordinal""",
        {"preview_id": row["preview_id"], "change_id": row["change_id"]},
    )
    if not rows:
        raise NotFound(f"The requests of SR-{row['result_number']:07} are no longer kept; preview its record again.")
    return [Request(**request) for request in rows]


def _edited(requests: Sequence[Request], edits: Mapping[str, Any]) -> list[Request]:
    if not edits:
        return list(requests)
    values = requests[0].values
    custom = dict(values.get("custom") or {})
    for name, value in edits.items():
        own = name.removeprefix("custom.")
        where = custom if name.startswith("custom.") else values
        where.pop(own, None) if value is None else where.__setitem__(own, value)
    if custom:
        values["custom"] = custom
    else:
        values.pop("custom", None)
    return [replace(requests[0], body=orjson.dumps(values).decode()), *requests[1:]]


def _remaining(row: Mapping[str, Any], requests: Sequence[Request]) -> list[Request]:
    """What may be sent again. A Salesforce create runs once; after it, only the write-back is left."""
    is_create = requests[0].system == "salesforce" and requests[0].method == "POST"
    if not is_create or row["status"] == Status.FAIL:
        return list(requests)
    name = f"SR-{row['result_number']:07}"
    if row["status"] == Status.UNKNOWN or not row["record_id"]:
        raise ApprovalRefused(f"{name} may have made its Salesforce record. Look there, pull, and preview again.")
    if len(requests) == 1:
        raise ApprovalRefused(f"{name} made its Salesforce record; sending it again would make another.")
    return [requests[1].with_record_id(row["record_id"])]


def _make_preview(
    store: Store, row: Mapping[str, Any], requests: Sequence[Request], simulated: tuple[str | None, tuple[str, ...]]
) -> tuple[int, str]:
    """A preview of one row. It stands on no pull: it repeats what was, and says so by its rule."""
    run = uuid4().hex
    status, codes = simulated
    sent = pa.Table.from_pylist([vars(request) for request in requests], _SCHEMA)
    store.write(
        (
            """INSERT INTO preview.preview
               SELECT (SELECT max(preview_id) + 1 FROM preview.preview), $direction, [$sobject], latest.revision,
                      latest.digest, $record_id, $run, now(), 0
               FROM (SELECT max(revision) AS revision, max_by(digest, revision) AS digest
                     FROM config.mapping_revision) AS latest""",
            {"direction": row["direction"], "sobject": row["sobject"], "record_id": row["record_id"], "run": run},
        ),
        (
            f"""INSERT INTO preview.change
                SELECT {_NEW}, 'P' || {_NEW} || '-1', 1, direction, sobject, coalesce(salesforce_id, $record_id),
                       coalesce(mainstay_id, $mainstay_id), 'resend', CASE WHEN action = 'blocked' THEN 'update'
                       ELSE action END, $reason, guards, NULL, coalesce($status, 'success'), $codes, 'possible', fields
                FROM preview.change WHERE preview_id = $preview_id AND change_id = $change_id""",  # noqa: S608  constant
            {
                "run": run,
                "record_id": row["record_id"],
                "mainstay_id": row["mainstay_id"],
                "reason": f"SR-{row['result_number']:07} is sent again",
                "status": status,
                "codes": list(codes),
                "preview_id": row["preview_id"],
                "change_id": row["change_id"],
            },
        ),
        (
            f"""INSERT INTO preview.request
                SELECT {_NEW}, 'P' || {_NEW} || '-1', row_number() OVER (ORDER BY ordinal), system, method, path, body
                FROM sent""",  # noqa: S608  constant
            {"run": run},
        ),
        (
            f"""INSERT INTO preview.prediction
                SELECT {_NEW}, 'P' || {_NEW} || '-1', unnest(CAST($codes AS VARCHAR[])), NULL, NULL, 'possible',
                       NULL""",
            {"run": run, "codes": list(codes)},
        ),
        tables={"sent": sent},
    )
    made = store.rows("SELECT preview_id FROM preview.preview WHERE run = $run", {"run": run})
    return int(made[0]["preview_id"]), f"P{made[0]['preview_id']}-1"
