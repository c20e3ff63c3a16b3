"""Checking and saving mapping documents: nothing is saved while one problem remains, and all of them are told."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Literal

from workbench.domain.access import Person, allowed
from workbench.domain.catalogue import catalogues_for, mainstay_fields, salesforce_fields
from workbench.domain.fields import Direction
from workbench.domain.mapping import Mapping, parse_mapping
from workbench.domain.mapping_check import (
    Catalogues,
    Problem,
    catalogue_problems,
    required_problems,
    shape_problems,
)
from workbench.domain.mapping_graph import mapping_warnings
from workbench.engine.impact import Impact, mapping_impact
from workbench.errors import ConfigurationError
from workbench.operations.catalogues import read_mainstay_fields, read_salesforce_fields
from workbench.operations.wanted import lacks_objects
from workbench.operations.workspace import connection_kinds
from workbench.settings import Settings
from workbench.store import Store
from workbench.store.mappings import MappingRevision, current_mapping, require_mapping, save_mapping

CheckedAgainst = Literal["pull", "live"]


@dataclass(frozen=True)
class CheckedMapping:
    """A mapping without problems. `checked_against` is None where no field catalogue could be reached."""

    mapping: Mapping
    checked_against: CheckedAgainst | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportedMapping:
    """The revision that counts now; `is_new` is false when the document means the same as the one before."""

    revision: MappingRevision
    is_new: bool
    checked_against: CheckedAgainst | None
    warnings: tuple[str, ...] = ()


def sample_mapping() -> str:
    """The starter mapping as text; it fits the sandbox."""
    return (resources.files("workbench") / "sample_mapping.yaml").read_text()


def check_mapping(store: Store, settings: Settings, document: str, *, source: str = "The mapping") -> CheckedMapping:
    """Check a document's shape and required fields, then all fields: against the pulled catalogues, else live, if any.

    Raises ConfigurationError with every problem, each with its line.
    """
    mapping = parse_mapping(document, source=source)
    problems: list[Problem] = shape_problems(mapping)
    if (current := current_mapping(store)) is not None:
        problems += required_problems(current.mapping, mapping)
    catalogues, checked_against = find_catalogues(store, settings, mapping)
    if catalogues is not None:
        problems += catalogue_problems(mapping, catalogues)
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise ConfigurationError(
            f"{source} has {count}; nothing was saved:", [problem.text(document) for problem in problems]
        )
    warnings = mapping_warnings(mapping, catalogues.salesforce if catalogues is not None else {})
    return CheckedMapping(mapping, checked_against, tuple(warnings))


def import_mapping(
    store: Store, settings: Settings, document: str, *, by: str | Person, reason: str = "", source: str = "The mapping"
) -> ImportedMapping:
    """Check a document and save it as the next revision.

    Raises ConfigurationError as `check_mapping` does, NotAllowed below analyst.
    """
    author = allowed(by, "edit_mapping")
    checked = check_mapping(store, settings, document, source=source)
    revision, is_new = save_mapping(store, document, author=author, reason=reason)
    return ImportedMapping(revision, is_new, checked.checked_against, checked.warnings)


def find_catalogues(
    store: Store, settings: Settings, mapping: Mapping
) -> tuple[Catalogues | None, CheckedAgainst | None]:
    """The field catalogues a mapping is held against, and where they came from."""
    pulled = salesforce_fields(store.rows("SELECT * FROM salesforce.field"))
    contact_fields = store.rows("SELECT * FROM mainstay.field")
    if contact_fields and not lacks_objects(mapping, pulled):
        return catalogues_for(mapping, pulled, mainstay_fields(contact_fields)), "pull"
    if all(connection_kinds(settings).values()):
        described = read_salesforce_fields(settings, mapping)
        live = {name: {field.name: field for field in fields} for name, fields in described.items()}
        known = {field.path: field for field in read_mainstay_fields(settings)}
        return catalogues_for(mapping, live, {**mainstay_fields([]), **known}), "live"
    if contact_fields and pulled:
        return catalogues_for(mapping, pulled, mainstay_fields(contact_fields)), "pull"
    return None, None


def impact_of_mapping(store: Store, settings: Settings, document: str, *, source: str = "The mapping") -> list[Impact]:
    """What a document would change against the current revision, over the current pulls; nothing is saved.

    One Impact per direction that both mappings enable. Raises ConfigurationError with every problem.
    """
    checked = check_mapping(store, settings, document, source=source).mapping
    current = require_mapping(store)
    candidate = MappingRevision(current.revision + 1, checked, checked.digest)
    channels = {"has_sms": settings.mainstay.has_sms, "has_web_bot": settings.mainstay.has_web_bot}
    return [
        mapping_impact(store, current, candidate, direction, **channels)
        for direction in Direction
        if current.mapping.sobjects(direction) and checked.sobjects(direction)
    ]
