"""Both systems' fields as the latest pulls brought them, for a mapping that fits them."""

from __future__ import annotations

from workbench.domain.catalogue import catalogues_for, mainstay_fields, salesforce_fields
from workbench.domain.mapping_check import Catalogues, catalogue_problems
from workbench.store.database import Store
from workbench.store.mappings import MappingRevision


def fitting_catalogues(store: Store, revision: MappingRevision) -> Catalogues | None:
    """The fields of both systems; None where one was never pulled, or the mapping does not fit what exists."""
    with store.reading():
        known = salesforce_fields(store.rows("SELECT * FROM salesforce.field"))
        contact = store.rows("SELECT * FROM mainstay.field")
    if not known or not contact:
        return None
    catalogues = catalogues_for(revision.mapping, known, mainstay_fields(contact))
    return None if catalogue_problems(revision.mapping, catalogues) else catalogues
