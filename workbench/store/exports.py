"""Rows of a Conversations Export (CSV) as rows of mainstay.message."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import duckdb

from workbench.errors import ConfigurationError
from workbench.store.landing import EXPORT_ID_PREFIX, Target
from workbench.store.quoting import identifier, literal
from workbench.store.spooled import Prepared, prepare_sql

NEEDED: Final = ("mainstay_id", "timestamp", "incoming", "outgoing")
OPTIONAL: Final = ("crm_id", "channel", "campaign_id", "campaign_name")


def prepare_export(file: Path, target: Target, pull_id: int, folder: Path) -> Prepared:
    """Type an export file. Ids are made of contact, time, direction and text: the same message, the same id.

    Raises ConfigurationError naming the columns that are missing, or the value that cannot be read.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines), [])
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file.name} is no UTF-8 text. Export the conversations as CSV once more.") from None
    names = {_plain(name): name for name in header}
    missing = [name for name in NEEDED if name not in names]
    if missing:
        problems = [f"column {name} is missing" for name in missing]
        raise ConfigurationError(f"{file.name} is no Conversations Export:", problems)
    columns = "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header) + "}"
    source = (
        f"read_csv({literal(str(file))}, header=true, auto_detect=false, delim=',', quote='\"', escape='\"', "
        f"nullstr='', columns={columns})"
    )
    try:
        return prepare_sql(_select(names, source, target), target, pull_id, folder)
    except duckdb.Error as error:
        raise ConfigurationError(f"{file.name} cannot be read: {str(error).splitlines()[0]}") from None


def _select(names: dict[str, str], source: str, target: Target) -> str:
    def column(name: str) -> str:
        return identifier(names[name]) if name in names else "NULL::VARCHAR"

    moment = f"CAST(regexp_replace({column('timestamp')}, '( UTC)$', 'Z') AS TIMESTAMPTZ)"
    text = f"coalesce({column('incoming')}, {column('outgoing')})"
    direction = f"{column('incoming')} IS NOT NULL"
    content = f"concat_ws('|', {column('mainstay_id')}, epoch_us({moment}), {direction}, {text})"
    values = {
        "admithub_id": f"'{EXPORT_ID_PREFIX}' || substr(sha256({content}), 1, 24)",
        "admithub_contact_id": column("mainstay_id"),
        "contact_crm_id": column("crm_id"),
        "created_at": moment,
        "channel": column("channel"),
        "incoming": direction,
        "body": text,
        "source": f"CASE WHEN {direction} THEN NULL WHEN {column('campaign_id')} IS NOT NULL THEN 'campaign' END",
        "campaign_id": column("campaign_id"),
        "campaign_name": column("campaign_name"),
    }
    listed = ", ".join(
        f"{values.get(item.name, f'NULL::{item.type}')} AS {identifier(item.name)}" for item in target.columns
    )
    return f"SELECT {listed} FROM {source}"


def _plain(name: str) -> str:
    """A header as published: `Mainstay ID` and `mainstay_id` are one."""
    return name.strip().lower().replace(" ", "_")
