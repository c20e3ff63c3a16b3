"""The mapping document: which SObjects and fields are synced, in which direction, under which criteria.

One YAML document per partner. Validation collects every problem, each with the line it stands on.
Source: guide, "Fields Mapping"; the document's shape is DESIGN section 3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.domain.fields import Direction
from workbench.errors import ConfigurationError

ConflictRule = Literal["salesforce", "mainstay", "newest", "ask"]
Name = Annotated[str, Field(min_length=1, max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExportField(_Part):
    """One pair sent to Mainstay. `required` means it must be mapped, not that every record has a value."""

    salesforce: Name
    mainstay: Name
    required: bool = False


class ImportField(_Part):
    """One pair written to Salesforce; `matching` pairs find the Salesforce record of an unlinked contact."""

    mainstay: Name
    salesforce: Name
    matching: bool = False


class ExportMapping(_Part):
    """Salesforce to Mainstay for one SObject."""

    enabled: bool = True
    criteria: Name | None = None
    include_field_deletions: bool = False
    include_all_fields: bool = False
    fields: tuple[ExportField, ...] = ()


class ImportMapping(_Part):
    """Mainstay to Salesforce for one SObject."""

    enabled: bool = True
    criteria: Name | None = None
    create_unmatched: bool = False
    match: Literal["all", "any"] = "all"
    fields: tuple[ImportField, ...] = ()

    @property
    def matching_fields(self) -> tuple[ImportField, ...]:
        return tuple(field for field in self.fields if field.matching)


class SObjectMapping(_Part):
    """One Salesforce object with its direction settings and field mappings."""

    sobject: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=120)]
    export: ExportMapping | None = None
    import_: ImportMapping | None = Field(default=None, alias="import")
    conflicts: dict[str, ConflictRule] = Field(default={"default": "ask"})

    def is_enabled(self, direction: Direction) -> bool:
        side = self.export if direction is Direction.EXPORT else self.import_
        return side is not None and side.enabled


class Mapping(_Part):
    """A whole mapping document."""

    version: Literal[1]
    objects: tuple[SObjectMapping, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form: the same for documents that mean the same."""
        text = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def sobjects(self, direction: Direction) -> list[SObjectMapping]:
        return [item for item in self.objects if item.is_enabled(direction)]

    def find(self, sobject: str) -> SObjectMapping:
        """The mapping of one SObject. Raises ConfigurationError naming those that are mapped."""
        for item in self.objects:
            if item.sobject.lower() == sobject.lower():
                return item
        mapped = ", ".join(item.sobject for item in self.objects)
        raise ConfigurationError(f"{sobject} is not in the mapping, which has: {mapped}.")


def salesforce_paths(mapping: SObjectMapping) -> list[str]:
    """Every Salesforce field path a mapping reads or writes, without repeats, in order of appearance."""
    paths: list[str] = []
    if mapping.export is not None:
        paths += [field.salesforce for field in mapping.export.fields]
        paths += [mapping.export.criteria] if mapping.export.criteria else []
    if mapping.import_ is not None:
        paths += [field.salesforce for field in mapping.import_.fields]
        paths += [mapping.import_.criteria] if mapping.import_.criteria else []
    return list(dict.fromkeys(paths))


def parse_mapping(text: str, *, source: str = "The mapping") -> Mapping:
    """A Mapping from YAML text.

    Raises ConfigurationError with every problem of the document's shape, each with its line.
    """
    try:
        document = yaml.safe_load(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{source} is not valid YAML:", [_yaml_problem(error)]) from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{source} holds no mapping: it starts with `version: 1` and `objects:`.")
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        problems = [_shape_problem(node, item) for item in _innermost(error.errors(include_url=False))]
        raise ConfigurationError(f"{source} does not have the expected shape:", problems) from None


def line_of(text: str, path: tuple[str | int, ...]) -> int | None:
    """The 1-based line where the value at `path` stands in a YAML text."""
    return _line(yaml.compose(text, Loader=yaml.SafeLoader), path)


def dump_mapping(mapping: Mapping) -> str:
    """The mapping as YAML text that parses back to an equal mapping."""
    document = mapping.model_dump(mode="json", by_alias=True, exclude_none=True)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "it cannot be read"
    return f"line {mark.line + 1}, column {mark.column + 1}: {what}" if mark is not None else str(what)


def _innermost(found: Sequence[Any]) -> list[Any]:
    """Without what only follows: a list that lacks its wrong items is called too short as well."""
    places = [item["loc"] for item in found]
    return [
        item
        for item in found
        if not any(len(place) > len(item["loc"]) and place[: len(item["loc"])] == item["loc"] for place in places)
    ]


def _shape_problem(node: yaml.Node | None, item: Any) -> str:
    path = tuple(part for part in item["loc"])
    line = _line(node, path)
    where = ".".join(str(part) for part in path)
    message = item["msg"].replace("tuple", "list").replace("Tuple should", "List should")
    return f"line {line}: {where}: {message}" if line else f"{where}: {message}"


def _line(node: yaml.Node | None, path: tuple[str | int, ...]) -> int | None:
    """Walk down as far as the path exists; a missing key is reported at its parent."""
    for part in path:
        below = _child(node, part)
        if below is None:
            break
        node = below
    return node.start_mark.line + 1 if node is not None else None


def _child(node: yaml.Node | None, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part]  # type: ignore[no-any-return]
    return None
