"""A Conversations Export of Mainstay as the second, token-free source of messages.

Columns: crm_id, mainstay_id, names, channel, campaign_id, campaign_name, timestamp (UTC), and incoming / outgoing, of
which one is filled. Source: Mainstay API reference, section 5 (the export as published).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from workbench.errors import ConfigurationError
from workbench.stages.pull.mainstay import MESSAGES, SYSTEM
from workbench.stages.pull.report import ObjectReport, PullReport
from workbench.stages.pull.spool import Spool
from workbench.store.database import Store
from workbench.store.exports import prepare_export
from workbench.store.landing import (
    PullKey,
    complete_pull,
    drop_known_exports,
    interrupt_pull,
    journal_total,
    make_table,
    merge_rows,
    open_pull,
    table_columns,
)


def import_messages(
    store: Store, path: Path | str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> PullReport:
    """Add the messages of an export file; reading the same file again changes nothing.

    Raises ConfigurationError where the file does not exist or lacks a column.
    """
    begun = time.perf_counter()
    file = Path(path)
    if not file.is_file():
        raise ConfigurationError(f"There is no file {file}. Give the CSV of a Conversations Export.")
    key = PullKey(SYSTEM, MESSAGES.table, "import")
    spool = Spool(store.path)
    with spool.held():
        pull_id = open_pull(store, [key], clock())
        try:
            prepared = prepare_export(file, MESSAGES, pull_id, spool.folder)
            known = table_columns(store, MESSAGES)
            store.write(
                make_table(MESSAGES),
                *merge_rows(MESSAGES, known or {column.name: column.type for column in MESSAGES.columns}),
                drop_known_exports(MESSAGES),
                complete_pull(pull_id, key, MESSAGES, clock(), None),
                tables=prepared.tables,
            )
        except BaseException:
            interrupt_pull(store, pull_id)
            raise
        finally:
            spool.parquet(MESSAGES).unlink(missing_ok=True)  # pages of an interrupted pull stay where they are
    total = journal_total(store, pull_id, key)
    seconds = time.perf_counter() - begun
    report = ObjectReport(SYSTEM, MESSAGES.table, "import", "file", prepared.rows, total, seconds)
    return PullReport(pull_id, (report,), problems=prepared.notices, seconds=seconds)
