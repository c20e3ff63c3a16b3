"""Do the connections work, step by step."""

from __future__ import annotations

from workbench.domain.fields import Direction
from workbench.operations.wanted import wanted_columns
from workbench.settings import Settings
from workbench.stages.pull.check import Step, check
from workbench.store import Store
from workbench.store.mappings import current_mapping


def check_connections(store: Store, settings: Settings) -> list[Step]:
    """Try both connections; every step passes or says what to do.

    The mapped fields have to be visible, those that an import writes editable too.
    """
    revision = current_mapping(store)
    mapping = revision.mapping if revision is not None else None
    importing = mapping.sobjects(Direction.IMPORT) if mapping is not None else ()
    written = {item.sobject: [field.salesforce for field in item.import_.fields] for item in importing if item.import_}
    return list(check(settings, wanted=wanted_columns(mapping), written=written))
