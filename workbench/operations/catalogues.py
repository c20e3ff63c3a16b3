"""The field catalogues of both systems: as pulled, or read live."""

from __future__ import annotations

from dataclasses import replace

from workbench.domain.catalogue import salesforce_fields
from workbench.domain.fields import MainstayField, SalesforceField
from workbench.domain.mapping import Mapping
from workbench.mainstay.client import MainstayClient
from workbench.operations.wanted import lacks_criteria, wanted_columns
from workbench.salesforce.client import SalesforceClient
from workbench.settings import Settings
from workbench.stages.pull.plan import plan_objects
from workbench.stages.pull.report import FieldDrift, field_drift
from workbench.stages.pull.run import run_async
from workbench.store import Store
from workbench.store.landing import CATALOGUE, land_mainstay_fields, land_salesforce_fields
from workbench.store.mappings import current_mapping


def read_salesforce_fields(settings: Settings, mapping: Mapping | None) -> dict[str, tuple[SalesforceField, ...]]:
    """SObject -> its fields as describe tells them now: the mapped objects and the parents their paths pass through."""
    return {
        name: tuple(replace(field, formula=formulas.get(field.name)) for field in fields)
        for name, (fields, formulas) in _describe(settings, mapping).items()
    }


def columns_to_pull(store: Store, settings: Settings, mapping: Mapping | None) -> dict[str, list[str]]:
    """SObject -> the field paths to fetch, with what formulas read; where no pull has told them, describe is asked."""
    known = salesforce_fields(store.rows("SELECT * FROM salesforce.field"))
    if mapping is not None and lacks_criteria(mapping, known):
        described = read_salesforce_fields(settings, mapping)
        known = {name: {field.name: field for field in fields} for name, fields in described.items()}
    return wanted_columns(mapping, known)


def read_mainstay_fields(settings: Settings) -> list[MainstayField]:
    """Mainstay's fields as they are now, standard and custom."""

    async def read() -> list[MainstayField]:
        async with MainstayClient(settings.mainstay) as client:
            return list(await client.fields())

    return run_async(read())


def refresh_fields(store: Store, settings: Settings) -> list[FieldDrift]:
    """Read both field catalogues anew into the store; what is new, vanished or retyped."""
    revision = current_mapping(store)
    described = _describe(settings, revision.mapping if revision is not None else None)
    mainstay = read_mainstay_fields(settings)
    salesforce = {name: fields for name, (fields, _) in described.items()}
    drift = _drift(store, salesforce, mainstay)
    latest = store.rows("SELECT coalesce(max(pull_id), 0) AS pull_id FROM journal.pull")[0]["pull_id"]
    formulas = {(name, field): text for name, (_, texts) in described.items() for field, text in texts.items()}
    statements, table = land_salesforce_fields(
        {name: fields for name, (fields, _) in described.items()}, formulas, latest
    )
    store.write(*statements, tables={CATALOGUE: table})
    statements, table = land_mainstay_fields(mainstay, latest)
    store.write(*statements, tables={CATALOGUE: table})
    return drift


def _describe(
    settings: Settings, mapping: Mapping | None
) -> dict[str, tuple[tuple[SalesforceField, ...], dict[str, str]]]:
    """SObject -> (its fields, the texts of its formulas)."""
    with SalesforceClient(settings.salesforce) as client:
        plan = plan_objects(wanted_columns(mapping), client.describe)
    return {name: (found.fields, dict(found.formulas)) for name, found in plan.described.items()}


def _drift(
    store: Store, salesforce: dict[str, tuple[SalesforceField, ...]], mainstay: list[MainstayField]
) -> list[FieldDrift]:
    before: dict[tuple[str, str], dict[str, str]] = {}
    for row in store.rows(
        """SELECT 'salesforce' AS system, sobject AS object, name, type FROM salesforce.field
           UNION ALL
           SELECT 'mainstay', 'contact', CASE WHEN is_custom THEN 'custom.' || name ELSE name END, data_type
           FROM mainstay.field"""
    ):
        before.setdefault((row["system"], row["object"]), {})[row["name"]] = row["type"]
    found: list[FieldDrift] = []
    for sobject, fields in salesforce.items():
        now = {field.name: field.type for field in fields}
        found += field_drift("salesforce", sobject, before.get(("salesforce", sobject), {}), now)
    now = {field.path: field.data_type for field in mainstay}
    return found + field_drift("mainstay", "contact", before.get(("mainstay", "contact"), {}), now)
