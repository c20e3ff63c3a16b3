"""A world from given records instead of seeded ones.

Plain form: `salesforce/<SObject>.csv|json|parquet` and `mainstay/contacts` alike, with API names as columns (custom
fields as `custom.<Name>`), optional `mainstay/messages`, `campaigns`, `recipients`, `custom_fields.json`, and
`truth.parquet`; a sandbox keeps its state in this form (`keeping.py`).
Foreign files stay as they are: a `world.json` beside them says which column becomes which field.

    {"salesforce": {"Contact": {"file": "a.csv", "key": "id", "columns": {"FirstName": "given",
                                "MailingStreet": {"join": ["no", "street"]}, "Birthdate": {"date": "born"}}}},
     "mainstay": {"contacts": {"file": "b.csv", "key": "id", "columns": {"first_name": "given"}}},
     "truth": {"key_pattern": "^rec-([0-9]+)-"}}

`date` reads YYYYMMDD and drops what is no date; `day` only writes it as YYYY-MM-DD. A blank cell is null.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import polars as pl

from workbench.domain.fields import MainstayField
from workbench.domain.rules import cast_custom, parse_time
from workbench.errors import ConfigurationError
from workbench.simulators.mainstay.history import (
    CAMPAIGN_COLUMNS,
    MESSAGE_COLUMNS,
    RECIPIENT_COLUMNS,
    complete_history,
)
from workbench.simulators.mainstay.shape import CONTACT_COLUMNS, MOMENT, complete_contacts, json_text
from workbench.simulators.world.ids import salesforce_ids
from workbench.simulators.world.keeping import TRUTH_FILE
from workbench.simulators.world.model import CUSTOM_FIELDS, TRUTH_COLUMNS, World
from workbench.simulators.world.people import SANDBOX_USER, WORLD_NOW, moments

_PREFIXES: Final = {"Account": "001", "Contact": "003", "Lead": "00Q", "User": "005", "Opportunity": "006"}
_KEY: Final = "_key"
_HISTORY: Final[Mapping[str, Mapping[str, Any]]] = {
    "messages": MESSAGE_COLUMNS,
    "campaigns": CAMPAIGN_COLUMNS,
    "recipients": RECIPIENT_COLUMNS,
}


def from_folder(folder: Path) -> World:
    """The world that a folder describes.

    Raises ConfigurationError listing every file, column or value that cannot be used.
    """
    plan = _plan(folder)
    problems: list[str] = []
    salesforce: dict[str, pl.DataFrame] = {}
    for name, source in plan["salesforce"].items():
        for sobject, frame in _sources(folder, name, source, problems):
            if sobject.endswith("__c"):
                frame = frame.drop("RecordTypeId", strict=False)  # noqa: PLW2901  custom ones have no record types here
            salesforce[sobject] = _records(sobject, frame)
    parts = {
        name: frame
        for name, source in plan["mainstay"].items()
        if name != "custom_fields"
        for _, frame in _sources(folder, name, source, problems)
    }
    contacts = parts.get("contacts", pl.DataFrame())
    fields = _custom_fields(folder, plan, contacts, problems)
    contacts = _contacts(contacts, fields, problems)
    past = {
        name: complete_history(_all_typed(name, parts.get(name, pl.DataFrame()), columns, problems), columns)
        for name, columns in _HISTORY.items()
    }
    if problems:
        raise ConfigurationError(f"{folder} cannot be loaded as a sandbox:", problems)
    kept_truth = folder / TRUTH_FILE
    truth = (
        pl.read_parquet(kept_truth)
        if kept_truth.exists()
        else _truth(salesforce.get("Contact"), contacts, plan.get("truth", {}).get("key_pattern"))
    )
    return World(
        {name: frame.drop(_KEY, strict=False) for name, frame in salesforce.items()},
        complete_contacts(contacts, fields),
        fields,
        past["messages"],
        past["campaigns"],
        past["recipients"],
        truth,
    )


def _plan(folder: Path) -> dict[str, Any]:
    """What `world.json` says, or what the plain form amounts to."""
    described = folder / "world.json"
    if described.exists():
        plan: dict[str, Any] = orjson.loads(described.read_bytes())
        return {"salesforce": {}, "mainstay": {}, **plan}
    found: dict[str, Any] = {}
    for system in ("salesforce", "mainstay"):
        files = [path for kind in ("csv", "json", "parquet") for path in sorted((folder / system).glob(f"*.{kind}"))]
        found[system] = {path.stem: {"file": f"{system}/{path.name}"} for path in files}
    if not (found["salesforce"] or found["mainstay"]):
        raise ConfigurationError(
            f"{folder} holds no world: neither world.json nor salesforce/*.csv|json|parquet nor mainstay/*"
        )
    return found


def _sources(folder: Path, name: str, source: Mapping[str, Any], problems: list[str]) -> list[tuple[str, pl.DataFrame]]:
    """The frames of one file; `*` is a JSON object of lists, one per SObject."""
    path = folder / source["file"]
    if not path.exists():
        problems.append(f"{source['file']} does not exist")
        return []
    if name == "*":
        return [(sobject, _from_rows(rows)) for sobject, rows in orjson.loads(path.read_bytes()).items()]
    frame = _READERS.get(path.suffix, _from_csv)(path)
    return [(name, _renamed(frame, source, problems))]


def _from_json(path: Path) -> pl.DataFrame:
    return _from_rows(orjson.loads(path.read_bytes()))


def _from_csv(path: Path) -> pl.DataFrame:
    frame = pl.read_csv(path, infer_schema=False)
    frame = frame.rename({name: name.strip() for name in frame.columns})
    return frame.select(pl.all().str.strip_chars().replace("", None))


def _from_rows(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """JSON records as a frame; nested parents are left out (their Ids stay), `custom` becomes `custom.<Name>`."""
    flat = [
        {
            **{name: value for name, value in row.items() if not isinstance(value, dict)},
            **{f"custom.{name}": value for name, value in (row.get("custom") or {}).items()},
            **({"user": row["user"]} if isinstance(row.get("user"), dict) else {}),
        }
        for row in rows
    ]
    return pl.DataFrame(flat, infer_schema_length=None, strict=False)


_READERS: Final[Mapping[str, Callable[[Path], pl.DataFrame]]] = {".json": _from_json, ".parquet": pl.read_parquet}


def _renamed(frame: pl.DataFrame, source: Mapping[str, Any], problems: list[str]) -> pl.DataFrame:
    columns = source.get("columns")
    if columns is None:
        return frame
    wanted = []
    for field, rule in columns.items():
        inputs = [rule] if isinstance(rule, str) else list(rule.get("join", rule.values()))
        missing = [name for name in inputs if name not in frame.columns]
        if missing:
            problems.append(f"{source['file']} has no column {', '.join(missing)} for {field}")
        else:
            wanted.append(_rule_value(rule).alias(field))
    if source.get("key"):
        wanted.append(pl.col(source["key"]).alias(_KEY))
    return frame.select(wanted)


def _rule_value(rule: Any) -> pl.Expr:
    if isinstance(rule, str):
        return pl.col(rule)
    if "join" in rule:
        joined = pl.concat_str([pl.col(name) for name in rule["join"]], separator=" ", ignore_nulls=True)
        return joined.replace("", None)
    if "date" in rule:
        return pl.col(rule["date"]).str.to_date("%Y%m%d", strict=False)
    day = pl.col(rule["day"])
    return pl.concat_str(day.str.slice(0, 4), day.str.slice(4, 2), day.str.slice(6, 2), separator="-")


def _records(sobject: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Records with the system columns every SObject has; Ids and stamps that are missing are made, always alike."""
    count = frame.height
    stamps = moments(int(WORLD_NOW.timestamp()) - 86_400 * 30 + np.arange(count))
    made: dict[str, Any] = {
        "Id": _stable_ids(sobject, frame),
        "IsDeleted": pl.Series([False] * count, dtype=pl.Boolean),
        "OwnerId": pl.Series([SANDBOX_USER] * count, dtype=pl.String),
        **dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), stamps),
    }
    columns = [series.alias(name) for name, series in made.items() if name not in frame.columns]
    columns += [
        _as_moment(frame, name)
        for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")
        if name in frame.columns
    ]
    return frame.with_columns(columns)


def _as_moment(frame: pl.DataFrame, name: str) -> pl.Series:
    column = frame[name]
    return _moments(column) if column.dtype == pl.String else column.cast(MOMENT)


def _moments(texts: pl.Series) -> pl.Series:
    """ISO 8601 moments of any kind; without zone they are UTC. Raises ValueError for other text."""
    parsed = [None if text is None else parse_time(text) for text in texts.to_list()]
    aware = [moment.replace(tzinfo=UTC) if moment and not moment.tzinfo else moment for moment in parsed]
    return pl.Series(texts.name, aware, dtype=MOMENT)


def _stable_ids(sobject: str, frame: pl.DataFrame) -> pl.Series:
    keys = frame[_KEY].to_list() if _KEY in frame.columns else [str(row) for row in range(frame.height)]
    numbers = [int.from_bytes(hashlib.sha256(f"{sobject}/{key}".encode()).digest()[:6]) for key in keys]
    return salesforce_ids(_PREFIXES.get(sobject, "a0W"), np.array(numbers, np.int64))


def _custom_fields(
    folder: Path, plan: Mapping[str, Any], contacts: pl.DataFrame, problems: list[str]
) -> tuple[MainstayField, ...]:
    """Fields of `custom_fields.json`; else the usual ones, or, where the contacts bring their own, those as Text."""
    source = plan["mainstay"].get("custom_fields")
    if source is not None:
        path = folder / source["file"]
        if not path.exists():
            problems.append(f"{source['file']} does not exist")
            return ()
        return tuple(
            MainstayField(row["name"], row["data_type"], is_custom=True, options=tuple(row.get("options", ())))
            for row in orjson.loads(path.read_bytes())
        )
    usual = {field.path: field for field in CUSTOM_FIELDS}
    own = [name for name in contacts.columns if name.startswith("custom.")]
    if not own:
        return CUSTOM_FIELDS
    return tuple(usual.get(name) or MainstayField(name.removeprefix("custom."), "Text", is_custom=True) for name in own)


def _contacts(contacts: pl.DataFrame, fields: Sequence[MainstayField], problems: list[str]) -> pl.DataFrame:
    """Contacts with ids and types; custom values cast and kept as JSON."""
    if contacts.width == 0:
        return pl.DataFrame(schema=dict(CONTACT_COLUMNS))
    contacts = _all_typed("contacts", contacts, CONTACT_COLUMNS, problems)
    columns: list[pl.Series] = []
    columns += [_cast(contacts, field, problems) for field in fields if field.path in contacts.columns]
    if "id" not in contacts.columns:
        keys = contacts[_KEY].to_list() if _KEY in contacts.columns else range(contacts.height)
        ids = [f"ah{hashlib.sha256(f'contact/{key}'.encode()).hexdigest()[:15]}" for key in keys]
        columns.append(pl.Series("id", ids, dtype=pl.String))
    known = set(CONTACT_COLUMNS) | {field.path for field in fields} | {_KEY}
    problems += [f"contacts: {name} is no field of Mainstay" for name in contacts.columns if name not in known]
    return contacts.with_columns(columns)


def _all_typed(table: str, frame: pl.DataFrame, kinds: Mapping[str, Any], problems: list[str]) -> pl.DataFrame:
    return frame.with_columns(
        _typed(table, frame[name], kinds[name], problems) for name in frame.columns if name in kinds
    )


def _typed(table: str, column: pl.Series, kind: Any, problems: list[str]) -> pl.Series:
    try:
        if column.dtype == pl.String and kind == MOMENT:
            return _moments(column)
        if column.dtype == pl.String and kind == pl.Boolean:
            return column.str.to_lowercase().replace_strict({"true": True, "false": False}, return_dtype=pl.Boolean)
        if column.dtype == pl.String and kind == pl.List(pl.String):
            return column.str.split(";")
        return column.cast(kind)
    except (pl.exceptions.PolarsError, ValueError) as error:
        reason = str(error).splitlines()[0]
        problems.append(f"{table}: {column.name} holds a value of another type: {reason}")
        return pl.Series(column.name, [None] * len(column), kind)


def _cast(contacts: pl.DataFrame, field: MainstayField, problems: list[str]) -> pl.Series:
    cast: dict[Any, str | None] = {None: None}
    for value in contacts[field.path].unique().drop_nulls().to_list():
        try:
            cast[value] = json_text(cast_custom(value, field.data_type, field.options))
        except ValueError as reason:
            problems.append(f"contacts: {field.path} is a {field.data_type}, but {value!r} is {reason}")
            cast[value] = None
    texts = [cast[value] for value in contacts[field.path].to_list()]
    return pl.Series(field.path, texts, dtype=pl.String)


def _truth(records: pl.DataFrame | None, contacts: pl.DataFrame, pattern: str | None) -> pl.DataFrame:
    """Who is who: by the keys' common part where the plan names one, else by CRM ID."""
    sides = {
        "record_id": pl.DataFrame(schema={"Id": pl.String}) if records is None else records,
        "contact_id": contacts,
    }
    people = []
    for column, frame in sides.items():
        own_id = "Id" if column == "record_id" else "id"
        if pattern is not None and _KEY in frame.columns:
            person = pl.col(_KEY).str.extract(pattern)
        elif column == "contact_id" and "crm_id" in frame.columns:
            person = pl.coalesce("crm_id", "id")
        else:
            person = pl.col(own_id)
        people.append(frame.select(person.alias("person_id"), pl.col(own_id).alias(column)))
    pairs = people[0].join(people[1], on="person_id", how="full", coalesce=True)
    return pairs.with_columns(pl.lit(None, pl.String).alias("situation")).select(*TRUTH_COLUMNS)
