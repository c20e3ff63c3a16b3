"""Fields as describe shows them, made from a few words; for custom fields and the objects without a recording.

Source: Salesforce wire reference, section 5; recorded describes (describe/SOURCES.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

_SOAP_TYPES: Final = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "address": "urn:address",
}
_LENGTHS: Final = {"id": 18, "reference": 18, "email": 80, "phone": 40, "url": 255, "picklist": 255, "string": 255}
_LONG_TEXT: Final = 255
NUMBERS: Final = frozenset({"double", "currency", "percent"})


@cache
def field_defaults() -> dict[str, Any]:
    """What most recorded fields share."""
    defaults: dict[str, Any] = orjson.loads(packaged("field_defaults"))
    return defaults


def packaged(name: str) -> bytes:
    return (files("workbench.simulators.salesforce") / "describe" / f"{name}.json").read_bytes()


def field_shape(name: str, kind: str = "string", label: str | None = None, **differing: Any) -> dict[str, Any]:
    """One field of a describe; `differing` overrides any attribute by its own name."""
    length = differing.get("length", _LENGTHS.get(kind, 0))
    is_boolean = kind == "boolean"
    is_long = kind == "textarea" and length > _LONG_TEXT
    is_written = not differing.get("calculated", False)
    return {
        **field_defaults(),
        "name": name,
        "type": kind,
        "label": label or name.removesuffix("__c").replace("_", " "),
        "length": length,
        "byteLength": length if kind in ("id", "reference") else 3 * length,
        "soapType": _SOAP_TYPES.get(kind, "xsd:string"),
        "createable": is_written,
        "updateable": is_written,
        "custom": name.endswith("__c"),
        "nillable": not is_boolean,
        "defaultedOnCreate": is_boolean,
        "defaultValue": False if is_boolean and is_written else None,
        "precision": 18 if kind in NUMBERS else 0,
        "scale": 2 if kind in NUMBERS else 0,
        "digits": 9 if kind == "int" else 0,
        "filterable": not is_long,
        "sortable": not is_long,
        "groupable": kind not in NUMBERS and kind not in ("textarea", "datetime"),
        "extraTypeInfo": "plaintextarea" if kind == "textarea" else None,
        **differing,
    }


def read_only(name: str, kind: str = "string", label: str | None = None, **differing: Any) -> dict[str, Any]:
    return field_shape(name, kind, label, createable=False, updateable=False, **differing)


def lookup(name: str, target: str, relationship: str, label: str | None = None, **differing: Any) -> dict[str, Any]:
    words = {"referenceTo": [target], "relationshipName": relationship, **differing}
    return field_shape(name, "reference", label, **words)


def formula(name: str, kind: str, text: str, label: str | None = None, **differing: Any) -> dict[str, Any]:
    words = {"calculated": True, "calculatedFormula": text, "permissionable": True, **differing}
    return field_shape(name, kind, label, **words)


def choices(*values: str) -> list[dict[str, Any]]:
    """The picklistValues of a field."""
    return [
        {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value} for value in values
    ]


def system_fields() -> list[dict[str, Any]]:
    """What every object has: id, deletion mark, owner-independent stamps."""
    kept: dict[str, Any] = {"nillable": False, "defaultedOnCreate": True, "defaultValue": None}
    people: Sequence[tuple[str, str]] = (("CreatedById", "CreatedBy"), ("LastModifiedById", "LastModifiedBy"))
    return [
        read_only("Id", "id", "Record ID", idLookup=True, **kept),
        read_only("IsDeleted", "boolean", "Deleted", **{**kept, "defaultValue": False}),
        *(
            read_only(name, "datetime", label, **kept)
            for name, label in (
                ("CreatedDate", "Created Date"),
                ("LastModifiedDate", "Last Modified Date"),
                ("SystemModstamp", "System Modstamp"),
            )
        ),
        *(
            read_only(name, "reference", referenceTo=["User"], relationshipName=relationship, **kept)
            for name, relationship in people
        ),
    ]


def owner_field() -> dict[str, Any]:
    return lookup("OwnerId", "User", "Owner", "Owner ID", nillable=False, defaultedOnCreate=True)


def object_shape(name: str, key_prefix: str, label: str | None = None, **differing: Any) -> dict[str, Any]:
    """The object flags of a describe, without its fields."""
    label = label or name.removesuffix("__c").replace("_", " ")
    base = f"/services/data/vxx.0/sobjects/{name}"
    changeable = differing.pop("changeable", True)
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": changeable,
        "custom": name.endswith("__c"),
        "customSetting": False,
        "deepCloneable": False,
        "deletable": changeable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": key_prefix,
        "label": label,
        "labelPlural": f"{label}s",
        "layoutable": True,
        "mergeable": False,
        "mruEnabled": changeable,
        "name": name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": changeable,
        "triggerable": changeable,
        "undeletable": changeable,
        "updateable": changeable,
        "recordTypeInfos": [],
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
        **differing,
    }
