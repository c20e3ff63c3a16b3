"""Mapping revisions: every document ever saved, who saved it, when and why. Append-only; the last one counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.domain.mapping import Mapping, dump_mapping, parse_mapping
from workbench.errors import ConfigurationError, NotFound
from workbench.store.database import Store


@dataclass(frozen=True)
class MappingRevision:
    """One saved mapping. `digest` is the same for documents that mean the same."""

    revision: int
    mapping: Mapping
    digest: str


@dataclass(frozen=True)
class SavedRevision:
    """One line of the history: what was saved, by whom, why and when (UTC)."""

    revision: int
    digest: str
    author: str
    reason: str
    created_at: datetime


def save_mapping(store: Store, document: str, *, author: str, reason: str = "") -> tuple[MappingRevision, bool]:
    """Save a document as the next revision; (the revision that counts now, whether it is new).

    A document that means the same as the current one is not saved again. The text is kept as written, comments too.
    Raises ConfigurationError when the document has not the shape of a mapping.
    """
    mapping = parse_mapping(document)
    before = current_mapping(store)
    if before is not None and before.digest == mapping.digest:
        return before, False
    store.write(
        (
            """INSERT INTO config.mapping_revision
               SELECT coalesce(max(revision), 0) + 1, $document, $digest, $author, $reason, now()
               FROM config.mapping_revision""",
            {"document": document, "digest": mapping.digest, "author": author, "reason": reason},
        )
    )
    saved = current_mapping(store)
    assert saved is not None
    return saved, True


def current_mapping(store: Store) -> MappingRevision | None:
    """The revision that counts now; None before the first."""
    return _one(store, "revision = (SELECT max(revision) FROM config.mapping_revision)", {})


def require_mapping(store: Store) -> MappingRevision:
    """The revision that counts now. Raises ConfigurationError before the first."""
    found = current_mapping(store)
    if found is None:
        raise ConfigurationError(
            "No mapping yet: workbench mapping import FILE (data/mappings/starter.yaml is a start)."
        )
    return found


def mapping_at(store: Store, revision: int) -> MappingRevision:
    """A revision by number. Raises NotFound naming the range that exists."""
    found = _one(store, "revision = $revision", {"revision": revision})
    if found is None:
        known = [line.revision for line in mapping_history(store)]
        range_text = f"revisions 1 to {max(known)} exist" if known else "none is saved yet"
        raise NotFound(f"There is no mapping revision {revision}: {range_text}.")
    return found


def mapping_document(store: Store, revision: int) -> str:
    """The text of a revision exactly as it was saved."""
    rows = store.rows("SELECT document FROM config.mapping_revision WHERE revision = $revision", {"revision": revision})
    return str(rows[0]["document"]) if rows else dump_mapping(mapping_at(store, revision).mapping)


def mapping_history(store: Store) -> list[SavedRevision]:
    """Every revision, newest first."""
    rows = store.rows(
        """SELECT revision, digest, author, reason, created_at
           FROM config.mapping_revision ORDER BY revision DESC"""
    )
    return [SavedRevision(**row) for row in rows]


def _one(store: Store, condition: str, params: dict[str, Any]) -> MappingRevision | None:
    rows = store.rows(f"SELECT revision, document, digest FROM config.mapping_revision WHERE {condition}", params)
    if not rows:
        return None
    row = rows[0]
    return MappingRevision(row["revision"], parse_mapping(row["document"]), row["digest"])
