"""What the plan of an import knows of the criteria after a change, of parents, and of required fields."""

from __future__ import annotations

import json

import pytest

from workbench.domain.fields import STANDARD_FIELDS, SalesforceField
from workbench.domain.mapping import parse_mapping
from workbench.domain.mapping_check import Catalogues
from workbench.engine.planning import import_plan

SYSTEM = {"createable": False, "updateable": False}
FIELDS = (
    SalesforceField("Id", type="id", **SYSTEM),
    SalesforceField("Name", **SYSTEM),
    SalesforceField("Email"),
    SalesforceField("Plain__c"),
    SalesforceField("Held__c", type="boolean", **SYSTEM),
    SalesforceField("Stage__c", defaulted_on_create=True, default_value="Open"),
    SalesforceField("Number__c", defaulted_on_create=True, default_value=""),
    SalesforceField(
        "OwnerId", type="reference", reference_to=("User",), relationship_name="Owner", defaulted_on_create=True
    ),
    SalesforceField("CreatedById", type="reference", reference_to=("User",), relationship_name="CreatedBy", **SYSTEM),
    SalesforceField(
        "LastModifiedById", type="reference", reference_to=("User",), relationship_name="LastModifiedBy", **SYSTEM
    ),
    SalesforceField("LastModifiedBy.Title"),
    SalesforceField("AccountId", type="reference", reference_to=("Account",), relationship_name="Account"),
    SalesforceField("WhoId", type="reference", reference_to=("Account", "Contact"), relationship_name="Who"),
    SalesforceField("GroupId", type="reference", reference_to=("Group__c",), relationship_name="Group"),
    SalesforceField("Account.Name", nillable=False),
    SalesforceField("Account.Total", **SYSTEM),
    SalesforceField("Account.Owner.Title"),
    SalesforceField("Account.Owner.Manager.Title"),
    SalesforceField("Account.LastModifiedBy.Title"),
    SalesforceField("Group.Name"),
    SalesforceField("Owner.Title"),
)
ACCOUNT = (
    SalesforceField("Name"),
    SalesforceField("OwnerId", type="reference", reference_to=("User",), relationship_name="Owner"),
    SalesforceField(
        "LastModifiedById", type="reference", reference_to=("User",), relationship_name="LastModifiedBy", **SYSTEM
    ),
)


def plan_of(formula="Plain__c = 'x'", mapped=("Email",), *, create=False, written=None):
    known = {field.name: field for field in FIELDS}
    known["Criteria__c"] = SalesforceField("Criteria__c", type="boolean", calculated=True, formula=formula, **SYSTEM)
    pairs = [
        {"mainstay": path, "salesforce": name, "matching": name == "Email"}
        for name, path in zip(mapped, ("email", "first_name", "last_name", "enrollment_id"), strict=False)
    ]
    side = {"fields": pairs, "create_unmatched": create, "criteria": "Criteria__c"}
    mapping = parse_mapping(json.dumps({"version": 1, "objects": [{"sobject": "Contact", "import": side}]}))
    catalogues = Catalogues(
        {"Contact": known, "Account": {field.name: field for field in ACCOUNT}},
        {field.path: field for field in STANDARD_FIELDS},
    )
    return import_plan(mapping.objects[0], catalogues, written=written or {})


@pytest.mark.parametrize(
    ("formula", "mapped", "of_linked", "of_new"),
    [
        ("Plain__c = 'x'", (), True, True),
        ("Plain__c = 'x'", ("Plain__c",), True, True),
        ("Held__c", (), True, True),
        ("Stage__c = 'Open'", (), True, True),
        ("Number__c = '1'", (), True, False),
        ("Number__c = '1'", ("Number__c",), True, True),
        ("ISBLANK(Name)", (), False, False),
        ("ISBLANK(CreatedById)", (), True, False),
        ("LastModifiedById = '005'", (), False, False),
        ("LastModifiedBy.Title = 'x'", (), False, False),
        ("ISBLANK(AccountId)", (), True, True),
        ("Account.Name = 'x'", (), True, True),
        ("Account.Name = 'x'", ("AccountId",), False, False),
        ("Owner.Title = 'x'", (), True, False),
        ("Plain__c = 'x' && ISBLANK(Name)", (), False, False),
        ("TODAY() > Start__c", (), False, False),
    ],
)
def test_criteria_are_evaluated_where_every_input_is_known_after_the_change(formula, mapped, of_linked, of_new):
    """A boolean has a value always; what Salesforce fills in or puts together is known to nobody beforehand."""
    names = ("Email", *mapped)
    assert (plan_of(formula, names).formula is not None) is of_linked
    assert (plan_of(formula, names, create=True).formula is not None) is of_new


@pytest.mark.parametrize(
    ("path", "written", "moves"),
    [
        ("Account.Name", {"Account": {"Name"}}, True),
        ("Account.Name", {"Account": {"OwnerId"}}, False),
        ("Account.Name", {"Contact": {"AccountId"}}, True),
        ("Account.Total", {"Account": {"OwnerId"}}, True),
        ("Account.Total", {"Contact": {"Email"}}, False),
        ("Account.Owner.Title", {"Account": {"OwnerId"}}, True),
        ("Account.Owner.Title", {"Contact": {"Title"}}, False),
        ("Account.Owner.Title", {"User": {"Title"}}, True),
        ("Account.Owner.Manager.Title", {"Contact": {"Title"}}, True),
        ("Account.Owner.Manager.Title", {"Contact": {"Email"}}, False),
        ("Account.LastModifiedBy.Title", {"Account": {"Name"}}, True),
        ("Account.LastModifiedBy.Title", {"Contact": {"Email"}}, False),
        ("Group.Name", {"Group__c": {"Name"}}, True),
        ("Plain__c", {"Contact": {"Plain__c"}}, False),
    ],
)
def test_a_parent_moves_where_the_same_preview_writes_what_the_path_reads(path, written, moves):
    assert plan_of(f"ISBLANK({path})", written=written).has_moving_parent is moves


def test_parents_are_known_where_a_reference_leads_to_one_object_that_is_pulled():
    plan = plan_of(mapped=("Email", "AccountId", "WhoId", "GroupId"))
    assert plan.parents == {"AccountId": "Account"}


def test_a_field_behind_a_lookup_is_not_required_of_the_record():
    assert plan_of().required == ()
