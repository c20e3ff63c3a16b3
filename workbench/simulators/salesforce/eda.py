"""Education Data Architecture: its objects and fields, for organisations whose records use the prefix hed__.

Source: Salesforce wire reference, section 13; describe/SOURCES.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson

from workbench.simulators.salesforce import own_fields
from workbench.simulators.salesforce.field_shapes import choices, field_shape, lookup, packaged
from workbench.simulators.salesforce.ids import made_id

if TYPE_CHECKING:
    from workbench.simulators.salesforce.schema import Schema

PREFIX: Final = "hed__"
RECORD_TYPE_PREFIX: Final = "012"
# Key prefixes differ from org to org; loaded records bring their own.
_KEY_PREFIXES: Final = tuple(f"aH{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def add_eda(schema: Schema) -> None:
    """Add the custom objects, and the package's fields and record types of Contact, Account and Lead."""
    parts: list[dict[str, Any]] = orjson.loads(packaged("eda"))
    for key_prefix, part in zip(_KEY_PREFIXES, parts, strict=False):
        if part["object"] not in schema:
            info, shapes = own_fields.custom_object(part["object"], key_prefix, part["label"])
            schema.add_object(info, shapes)
    made = 0
    for part in parts:
        sobject = schema[part["object"]]
        sobject.add(_shape(told) for told in part["fields"])
        infos = []
        for told in part["recordTypes"]:
            made += 1
            infos.append(record_type(told, told.get("id") or made_id(RECORD_TYPE_PREFIX, made)))
        if infos:
            sobject.info["recordTypeInfos"] = infos
            if "recordtypeid" not in sobject.by_name:
                sobject.add([lookup("RecordTypeId", "RecordType", "RecordType", "Record Type ID", custom=False)])
    _name_children(schema, parts)


def record_type(told: Mapping[str, Any], record_type_id: str) -> dict[str, Any]:
    """One entry of a describe's recordTypeInfos."""
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": False,
        "developerName": told["developerName"],
        "master": False,
        "name": told["name"],
        "recordTypeId": record_type_id,
        "urls": {},
    }


def _shape(told: Mapping[str, Any]) -> dict[str, Any]:
    differing = {
        key: value for key, value in told.items() if key not in ("name", "label", "type", "childRelationshipName")
    }
    if "picklistValues" in differing:
        differing["picklistValues"] = choices(*differing["picklistValues"])
    if told["type"] == "boolean":
        differing["defaultValue"] = False
    return field_shape(told["name"], told["type"], told["label"], **differing)


def _name_children(schema: Schema, parts: Iterable[Mapping[str, Any]]) -> None:
    for part in parts:
        for told in part["fields"]:
            for parent in told.get("referenceTo", ()):
                if parent in schema:
                    is_cascading = told.get("cascadeDelete", False)
                    child = (part["object"], told["name"], told.get("childRelationshipName"), is_cascading, False)
                    schema[parent].children.append(child)
