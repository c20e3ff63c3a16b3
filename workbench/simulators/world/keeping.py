"""A world as a folder, so that a sandbox can be stopped and started again where it was.

The plain form that `from_folder` reads: one Parquet file per Salesforce object and per list of Mainstay, the custom
fields as JSON, and the truth beside them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import orjson
import polars as pl

from workbench.simulators.mainstay.shape import DERIVED
from workbench.simulators.world.model import World

TRUTH_FILE: Final = "truth.parquet"


def to_folder(world: World, folder: Path) -> None:
    """Write the world; a folder that is not empty is refused with FileExistsError."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    for system in ("salesforce", "mainstay"):
        (folder / system).mkdir(parents=True, exist_ok=True)
    for name, records in world.salesforce.items():
        records.write_parquet(folder / "salesforce" / f"{name}.parquet")
    fields = [
        {"name": field.name, "data_type": field.data_type, "options": list(field.options)}
        for field in world.custom_fields
    ]
    (folder / "mainstay" / "custom_fields.json").write_bytes(orjson.dumps(fields, option=orjson.OPT_INDENT_2))
    lists = {
        "contacts": _plain(world.contacts),
        "messages": world.messages,
        "campaigns": world.campaigns,
        "recipients": world.recipients,
    }
    for name, frame in lists.items():
        if frame.width:
            frame.write_parquet(folder / "mainstay" / f"{name}.parquet")
    world.truth.write_parquet(folder / TRUTH_FILE)


def _plain(contacts: pl.DataFrame) -> pl.DataFrame:
    """Contacts with custom values as plain text, as an export has them, and without what is derived."""
    kept = contacts.drop(DERIVED, strict=False)
    customs = [name for name in kept.columns if name.startswith("custom.")]
    return kept.with_columns(_decoded(kept[name]) for name in customs)


def _decoded(texts: pl.Series) -> pl.Series:
    told = {text: orjson.loads(text) for text in texts.drop_nulls().unique().to_list()}
    plain = {text: value if isinstance(value, str) else text for text, value in told.items()}
    return texts.replace_strict(plain, default=None, return_dtype=pl.String) if plain else texts
