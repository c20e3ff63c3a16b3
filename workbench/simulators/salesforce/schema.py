"""The objects and fields of the sandbox organisation: what describe shows, queries may name and writes may set.

Recorded describes, own objects and fields, and whatever custom field or object the given records bring along.
Source: Salesforce wire reference, section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import polars as pl

from workbench.simulators.salesforce import own_fields
from workbench.simulators.salesforce.eda import PREFIX, add_eda
from workbench.simulators.salesforce.field_shapes import field_defaults, field_shape, packaged

_RECORDED: Final = ("account", "contact", "lead")
_STORED_TYPES: Final = {
    "boolean": "BOOLEAN",
    "double": "DOUBLE",
    "currency": "DOUBLE",
    "percent": "DOUBLE",
    "int": "BIGINT",
    "date": "DATE",
    "datetime": "TIMESTAMP",  # UTC; the zone is written out on the wire
}
_COMPOUND_TYPES: Final = frozenset({"address", "location"})
_TEXT_TYPES: Final = frozenset(
    {"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox", "encryptedstring"}
)


class Field:
    """One field: `info` is its describe; the rest is what the sandbox asks often."""

    def __init__(self, info: Mapping[str, Any]) -> None:
        self.info = dict(info)
        self.name: str = info["name"]
        self.label: str = info["label"]
        self.type: str = info["type"]
        self.length: int = info["length"]
        self.is_createable: bool = info["createable"]
        self.is_updateable: bool = info["updateable"]
        self.is_nillable: bool = info["nillable"]
        self.is_unique: bool = info["unique"]
        self.is_external_id: bool = info["externalId"]
        self.is_calculated: bool = info["calculated"]
        self.formula: str | None = info["calculatedFormula"]
        self.reads_blanks_as_zero: bool = info["formulaTreatNullNumberAsZero"]
        self.reference_to: tuple[str, ...] = tuple(info["referenceTo"])
        self.relationship_name: str | None = info["relationshipName"]
        self.compound_name: str | None = info["compoundFieldName"]
        self.default: Any = info["defaultValue"]

    @property
    def is_text(self) -> bool:
        return self.type in _TEXT_TYPES

    @property
    def is_id(self) -> bool:
        return self.type in ("id", "reference") and (self.type == "id" or bool(self.reference_to))

    @property
    def is_number(self) -> bool:
        return self.type in ("double", "currency", "percent", "int")

    @property
    def is_compound(self) -> bool:
        return self.type in _COMPOUND_TYPES

    @property
    def is_required_on_create(self) -> bool:
        return self.is_createable and not self.is_nillable and not self.info["defaultedOnCreate"]

    @property
    def is_upsert_key(self) -> bool:
        return self.is_external_id or bool(self.info["idLookup"])

    @property
    def stored_type(self) -> str:
        return _STORED_TYPES.get(self.type, "VARCHAR")


@dataclass
class SObject:
    """One object: its flags, its fields by lower-case name, and the names that field-level security hides.

    `stored`: what a record keeps; formulas, addresses and person names are put together on reading.
    """

    info: dict[str, Any]
    by_name: dict[str, Field] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    children: list[tuple[str, str, str | None, bool, bool]] = field(default_factory=list)
    stored: list[Field] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.info["name"])

    @property
    def key_prefix(self) -> str:
        return str(self.info["keyPrefix"])

    def add(self, shapes: Iterable[Mapping[str, Any]]) -> None:
        for shape in shapes:
            self.by_name[shape["name"].lower()] = Field(shape)
        self.stored = [found for found in self.by_name.values() if not self.is_computed(found)]

    def field(self, name: str) -> Field | None:
        """The field of that name, whatever its case; None where there is none or it is hidden."""
        key = name.lower()
        return None if key in self.hidden else self.by_name.get(key)

    def related(self, relationship: str, *, sees_all: bool = False) -> Field | None:
        """The lookup behind a relationship name (`Account`, `Contact__r`)."""
        wanted = relationship.lower()
        for found in self.by_name.values() if sees_all else self.visible:
            if found.relationship_name and found.relationship_name.lower() == wanted:
                return found
        return None

    @property
    def visible(self) -> list[Field]:
        return [found for key, found in self.by_name.items() if key not in self.hidden]

    def is_computed(self, found: Field) -> bool:
        return found.is_calculated or found.is_compound or bool(found.type != "id" and self.parts_of(found.name))

    @property
    def has_default_name(self) -> bool:
        """Whether a record made without a name gets its id for one, as custom objects do."""
        name = self.by_name.get("name")
        return bool(self.info["custom"] and name is not None and name.info["defaultedOnCreate"])

    def parts_of(self, compound: str) -> list[Field]:
        """The stored parts of a compound field (Name, MailingAddress), itself excluded."""
        return [part for part in self.by_name.values() if part.compound_name == compound and part.name != compound]


class Schema:
    """All objects of one organisation. Object names, like field names, ignore case."""

    def __init__(self) -> None:
        self._objects: dict[str, SObject] = {}
        self._next_prefix = 0
        for name in _RECORDED:
            self._add_recorded(name)
        own = (
            own_fields.user_object(),
            own_fields.organization_object(),
            own_fields.record_type_object(),
            own_fields.application_object(),
        )
        for parts in own:
            self.add_object(*parts)
        self["Contact"].add(own_fields.contact_fields())

    def _add_recorded(self, name: str) -> None:
        recorded = orjson.loads(packaged(name))
        found = SObject(recorded["object"], children=[tuple(child) for child in recorded["childRelationships"]])
        found.add({**field_defaults(), **shape} for shape in recorded["fields"])
        self._objects[found.name.lower()] = found

    def add_object(self, info: dict[str, Any], shapes: Iterable[Mapping[str, Any]]) -> SObject:
        found = SObject(info)
        found.add(shapes)
        self._objects[found.name.lower()] = found
        return found

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._objects.values())

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._objects

    def __getitem__(self, name: str) -> SObject:
        return self._objects[name.lower()]

    def get(self, name: str) -> SObject | None:
        return self._objects.get(name.lower())

    def by_prefix(self, record_id: str) -> SObject | None:
        prefix = record_id[:3]
        return next((found for found in self if found.key_prefix == prefix), None)

    def target(self, reference: Field) -> SObject | None:
        """The object a lookup leads to; of several, the first one this organisation has."""
        return next((self[name] for name in reference.reference_to if name in self), None)

    def references_to(self, name: str) -> list[tuple[SObject, Field, bool]]:
        """Every lookup that leads to an object: (child object, its field, whether deletion takes the child along)."""
        cascading = {(child, field_name) for child, field_name, _, cascades, _ in self[name].children if cascades}
        return [
            (child, reference, (child.name, reference.name) in cascading or bool(reference.info["cascadeDelete"]))
            for child in self
            for reference in child.stored
            if name in reference.reference_to
        ]

    def next_prefix(self) -> str:
        """A key prefix for one more custom object."""
        self._next_prefix += 1
        return f"a{self._next_prefix:02d}"

    def record_types(self) -> list[dict[str, Any]]:
        """The records of RecordType: what describes list, the master type excepted."""
        return [
            {
                "Id": told["recordTypeId"],
                "Name": told["name"],
                "DeveloperName": told["developerName"],
                "SobjectType": sobject.name,
                "IsActive": told["active"],
            }
            for sobject in self
            for told in sobject.info["recordTypeInfos"]
            if not told["master"]
        ]

    def learn(self, records: Mapping[str, pl.DataFrame]) -> None:
        """Add the custom objects and fields that records have and the schema lacks.

        Raises ValueError for an unknown standard object or field: those are not ours to invent.
        """
        if any(name.startswith(PREFIX) for frame in records.values() for name in (*records, *frame.columns)):
            add_eda(self)
        for name, frame in records.items():
            if name not in self:
                if not name.endswith("__c"):
                    raise ValueError(f"the Salesforce sandbox has no standard object {name}; custom ones end in __c")
                self.add_object(*own_fields.custom_object(name, _prefix_of(frame) or self.next_prefix()))
            known = self[name]
            if known.info["custom"]:
                known.info["keyPrefix"] = _prefix_of(frame) or known.key_prefix
            unknown = [column for column in frame.columns if column.lower() not in known.by_name]
            wrong = [column for column in unknown if not column.endswith("__c")]
            if wrong:
                raise ValueError(f"{name} has no standard field {', '.join(wrong)}; custom ones end in __c")
            known.add(_shape_of(column, frame[column]) for column in unknown)


def _prefix_of(frame: pl.DataFrame) -> str | None:
    return str(frame["Id"][0])[:3] if "Id" in frame.columns and frame.height else None


def _shape_of(name: str, values: pl.Series) -> dict[str, Any]:
    kind = values.dtype
    if kind == pl.Boolean:
        return field_shape(name, "boolean")
    if kind.is_integer():
        return field_shape(name, "int")
    if kind.is_numeric():
        return field_shape(name, "double", scale=6)
    if kind == pl.Date:
        return field_shape(name, "date")
    if isinstance(kind, pl.Datetime):
        return field_shape(name, "datetime")
    longest = values.str.len_chars().max() if kind == pl.String and values.len() else 0
    is_long = isinstance(longest, int) and longest > 255
    return field_shape(name, "textarea", length=32000) if is_long else field_shape(name, length=255)
