"""A large world from its parts: each is written to disk as it comes, and the whole is mapped from there."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack

import polars as pl

from workbench.simulators.mainstay.history import newest_first
from workbench.simulators.spool import Spool, merged, spooled
from workbench.simulators.world.history import campaigns_of
from workbench.simulators.world.model import World


def joined(parts: Iterable[World]) -> World:
    """One world of these parts in their order: their people side by side, their messages newest first."""
    runs: list[pl.DataFrame] = []
    with ExitStack() as open_spools:
        records, contacts, recipients, truth = (open_spools.enter_context(Spool()) for _ in range(4))
        before = 0
        for part in parts:
            records.append(part.salesforce["Contact"])
            contacts.append(part.contacts)
            recipients.append(part.recipients)
            truth.append(part.truth)
            runs.append(spooled([_numbered(newest_first(part.messages), before)]))
            before += part.messages.height
        received = recipients.frame()
        return World(
            {"Account": part.salesforce["Account"], "Contact": records.frame()},
            contacts.frame(),
            part.custom_fields,
            merged(runs, newest="created_at", then="admithub_id"),
            campaigns_of(received),
            received,
            truth.frame(),
        )


def _numbered(messages: pl.DataFrame, before: int) -> pl.DataFrame:
    """The messages with ids of their own, after so many of the parts before."""
    number = pl.col("admithub_id").str.strip_prefix("m").cast(pl.Int64) + before
    return messages.with_columns(pl.format("m{}", number).alias("admithub_id"))
