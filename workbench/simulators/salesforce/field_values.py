"""One field's value as a write brings it: read from JSON or CSV, checked, and turned into what is stored.

Source: Salesforce wire reference, sections 3 and 4.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Any, Final

from workbench.simulators.salesforce.ids import parsed_id
from workbench.simulators.salesforce.refusals import RecordRefused, Refusal, record_refused
from workbench.simulators.salesforce.schema import Field, Schema

# Our reading of "invalid email address": one @, no spaces, a dotted domain, ASCII letters in it.
_EMAIL: Final = re.compile(r"[^\s@<>(),;:\\\"\[\]]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}\Z")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_WRITTEN_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\Z")
_CSV_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_INTS: Final = range(-(2**31), 2**31)  # xsd:int
_SHOWN: Final = 100  # characters of a too long value that its error repeats


def json_value(field: Field, value: Any) -> Any:
    """A JSON value as the field's stored type. Raises RecordRefused JSON_PARSER_ERROR where it is of another type."""
    if value is None or value == "":
        return None
    read: Any = None
    if field.type == "boolean":
        read = _CSV_BOOLEANS.get(value.lower()) if isinstance(value, str) else value
        read = read if isinstance(read, bool) else None
    elif field.is_number and isinstance(value, int | float | str) and not isinstance(value, bool):
        read = _number(field, value)
    elif isinstance(value, str):
        read = _day_or_moment(field, value) if field.type in ("date", "datetime") else value
    if read is None:
        raise _not_deserialised(field, value)
    return read


def csv_value(field: Field, text: str) -> Any:
    """A CSV cell, neither empty nor #N/A, as the field's stored type. Raises RecordRefused where it is no such."""
    value: Any = text
    if field.type == "boolean":
        value = _CSV_BOOLEANS.get(text.lower())
    elif field.is_number:
        value = float(text) if _WRITTEN_NUMBER.match(text) else None
        if value is not None and field.type == "int":
            value = int(value)
    elif field.type in ("date", "datetime"):
        value = _day_or_moment(field, text)
    if value is None:
        raise record_refused(
            "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: {text}", field.name
        )
    return value


def stored_value(schema: Schema, field: Field, value: Any) -> Any:
    """A checked value as it is kept: e-mails in lower case, ids with 18 characters. Raises RecordRefused."""
    if value is None:
        return None
    if field.is_id:
        return _reference(schema, field, value)
    if field.type == "email":
        if not _EMAIL.match(value):
            raise record_refused("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {value}", field.name)
        value = value.lower()
    if field.is_text and field.length and len(value) > field.length:
        message = f"{field.label}: data value too large: {value[:_SHOWN]} (max length={field.length})"
        raise record_refused("STRING_TOO_LONG", message, field.name)
    if field.info["restrictedPicklist"]:
        _check_choice(field, value)
    if field.is_number and field.info["precision"]:
        digits = field.info["precision"] - field.info["scale"]
        if abs(value) >= 10**digits:
            message = f"{field.label}: value outside of valid range on numeric field: {value}"
            raise record_refused("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)
    return value


def _number(field: Field, value: str | float) -> int | float | None:
    if isinstance(value, str):
        if not _WRITTEN_NUMBER.match(value):
            return None
        value = float(value)
    if not math.isfinite(value) or (field.type == "int" and not _is_int(value)):
        return None
    return int(value) if field.type == "int" else float(value)


def _is_int(value: float) -> bool:
    return value == int(value) and int(value) in _INTS


def _day_or_moment(field: Field, text: str) -> date | datetime | None:
    try:
        if field.type == "date":
            return date.fromisoformat(text) if _DATE.match(text) else None
        if "T" not in text:
            return None
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _reference(schema: Schema, field: Field, value: str) -> str:
    record_id = parsed_id(value)
    if record_id is None:
        raise record_refused("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", field.name)
    target = schema.target(field)
    if target is not None and not any(
        schema[name].key_prefix == record_id[:3] for name in field.reference_to if name in schema
    ):
        message = f"{field.label}: id value of incorrect type: {value}"
        raise record_refused("FIELD_INTEGRITY_EXCEPTION", message, field.name)
    return record_id


def _check_choice(field: Field, value: str) -> None:
    choices = {choice["value"] for choice in field.info["picklistValues"] if choice["active"]}
    given = value.split(";") if field.type == "multipicklist" else [value]
    for part in given:
        if part not in choices:
            raise RecordRefused(
                [
                    Refusal(
                        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                        f"{field.label}: bad value for restricted picklist field: {part}",
                        (field.name,),
                    )
                ]
            )


def _not_deserialised(field: Field, value: Any) -> RecordRefused:
    kinds = {
        bool: "VALUE_TRUE" if value is True else "VALUE_FALSE",
        int: "VALUE_NUMBER_INT",
        float: "VALUE_NUMBER_FLOAT",
        list: "START_ARRAY",
        dict: "START_OBJECT",
    }
    kind = kinds.get(type(value), "VALUE_STRING")
    wanted = field.type if field.type in ("boolean", "date", "datetime", "int") else "string"
    wanted = "double" if field.is_number and field.type != "int" else wanted
    return record_refused(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {wanted} from {kind} value {value} or request may be missing a required field",
    )
