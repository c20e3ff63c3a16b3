"""What a pull has to fetch: what the mapping names, and what the formulas behind import criteria read."""

from __future__ import annotations

import json

import pytest

from workbench.domain.catalogue import catalogues_for
from workbench.domain.fields import SalesforceField
from workbench.domain.mapping import parse_mapping
from workbench.operations.wanted import lacks_criteria, wanted_columns

KNOWN = {
    "Contact": {
        field.name: field
        for field in (
            SalesforceField("Email"),
            SalesforceField("Out__c", type="boolean"),
            SalesforceField("Sync__c", type="boolean", calculated=True, formula="AND(NOT(Out__c), Account.Open__c)"),
            SalesforceField("AccountId", type="reference", reference_to=("Account",), relationship_name="Account"),
        )
    },
    "Account": {"Open__c": SalesforceField("Open__c", type="boolean")},
}


def mapping(criteria="Sync__c", *, enabled=True):
    side = {
        "enabled": enabled,
        "criteria": criteria,
        "fields": [{"mainstay": "email", "salesforce": "Email", "matching": True}],
    }
    return parse_mapping(json.dumps({"version": 1, "objects": [{"sobject": "Contact", "import": side}]}))


def test_formula_inputs_are_fetched_and_resolved():
    assert {"Sync__c", "Out__c", "Account.Open__c"} <= set(wanted_columns(mapping(), KNOWN)["Contact"])
    assert catalogues_for(mapping(), KNOWN, {}).salesforce["Contact"]["Account.Open__c"].type == "boolean"


@pytest.mark.parametrize("about", [{"criteria": None}, {"criteria": "Out__c"}, {"enabled": False}])
def test_nothing_more_is_fetched_without_a_formula(about):
    assert "Account.Open__c" not in wanted_columns(mapping(**about), KNOWN)["Contact"]


def test_without_a_catalogue_the_formula_is_not_known():
    assert "Out__c" not in wanted_columns(mapping())["Contact"]
    assert lacks_criteria(mapping(), {})
    assert not lacks_criteria(mapping(), KNOWN)
    assert not lacks_criteria(mapping(criteria=None), {})
    assert not lacks_criteria(mapping(enabled=False), {})
