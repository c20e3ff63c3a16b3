"""Fan-out, loops and idle conflict rules are told when a mapping is checked."""

from __future__ import annotations

import json

from workbench.domain.fields import SalesforceField
from workbench.domain.mapping import parse_mapping
from workbench.domain.mapping_graph import Reach, mapping_warnings, reaches

KNOWN = {
    "Contact": {
        "AccountId": SalesforceField(
            "AccountId", type="reference", reference_to=("Account",), relationship_name="Account"
        )
    },
    "Account": {
        "Name": SalesforceField("Name"),
        "ParentId": SalesforceField(
            "ParentId", type="reference", reference_to=("Account",), relationship_name="Parent"
        ),
    },
}


def mapping(path, *, writes="Name", source="custom.School", conflicts=None, enabled=True):
    contact = {"sobject": "Contact", "export": {"fields": [{"salesforce": path, "mainstay": "custom.School"}]}}
    contact |= {"conflicts": conflicts} if conflicts else {}
    account = {
        "sobject": "Account",
        "import": {"enabled": enabled, "fields": [{"mainstay": source, "salesforce": writes, "matching": True}]},
    }
    return parse_mapping(json.dumps({"version": 1, "objects": [contact, account]}))


def test_a_path_reaches_every_parent_on_its_way():
    found = reaches(mapping("Account.Parent.Name"), KNOWN)
    assert [(reach.parent, reach.field, reach.references) for reach in found] == [
        ("Account", "ParentId", ("AccountId",)),
        ("Account", "Name", ("AccountId", "ParentId")),
    ]
    assert isinstance(found[0], Reach)


def test_a_loop_is_warned_of():
    (warning,) = mapping_warnings(mapping("Account.Name"), KNOWN)
    assert warning.startswith("Loop: imports write Account.Name, which every Contact shows through Account.Name")


def test_a_written_parent_field_is_a_fan_out():
    (warning,) = mapping_warnings(mapping("Account.Name", source="custom.Other"), KNOWN)
    assert warning.startswith("Fan-out: imports write Account.Name")


def test_what_nobody_writes_or_reads_is_no_warning():
    assert mapping_warnings(mapping("Account.Name", enabled=False), KNOWN) == []
    assert mapping_warnings(mapping("Account.Phone"), KNOWN) == []
    assert mapping_warnings(mapping("Owner.Name"), KNOWN) == []


def test_a_conflict_rule_that_never_applies_is_told():
    (warning,) = mapping_warnings(mapping("Owner.Name", conflicts={"default": "ask", "email": "newest"}), KNOWN)
    assert warning == "Contact: the conflict rule `email: newest` never applies; email is not mapped both ways."
