"""A masked bundle for support: how this installation stands, without secrets and without anybody's data."""

from __future__ import annotations

import platform
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import BaseModel

from workbench.errors import ConfigurationError
from workbench.settings import Settings
from workbench.store import Store
from workbench.store.quoting import identifier

PACKAGE: Final = "mainstay-workbench"
LOG_LINES: Final = 1000
# Shown as they are; everything else that is set is told as "set, hidden".
_OPEN_SETTINGS: Final = frozenset(
    {
        "auth_scheme", "concurrency", "requests_per_second", "timeout_seconds", "bulk", "has_sms", "has_web_bot",
        "api_version", "stop_margin", "stop_minimum", "chunk", "bulk_rows", "bulk_threshold", "bulk_chunk",
        "four_eyes", "log_level",
    }
)  # fmt: skip
_MASKS: Final = (
    (re.compile(r"00D\w{9,15}!\S+"), "<token>"),
    (re.compile(r"[^\s@'\"<>]+@[^\s@'\"<>]+"), "<email>"),
    (re.compile(r"https?://[^\s'\"]+"), "<address>"),
    (re.compile(r"(?<!\w)'[^'\n]*'|\"[^\"\n]*\""), "<text>"),
    (re.compile(r"\b(?=\w*\d)(?:[a-zA-Z0-9]{15}|[a-zA-Z0-9]{18}|ah\w{8,})\b"), "<id>"),
    (re.compile(r"\+?\(?\d[\d\s().-]{5,}\d"), "<number>"),
    (re.compile(r"(?:/[\w.~-]+){2,}/?"), "<path>"),
    (re.compile(r"\b[0-9a-fA-F]{24,}\b"), "<token>"),
)


def write_diagnosis(store: Store, settings: Settings, file: Path) -> list[str]:
    """Write the bundle as a zip; the names of its parts. Raises ConfigurationError when it cannot be written."""
    parts: dict[str, Any] = {
        "versions.json": _versions(),
        "settings.json": _settings(settings),
        "counts.json": _counts(store),
        "app_log.json": [_masked_line(row) for row in _log(store)],
    }
    try:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in parts.items():
                bundle.writestr(name, orjson.dumps(content, option=orjson.OPT_INDENT_2, default=str))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error}.") from None
    return list(parts)


def mask(text: str) -> str:
    """A sentence without what could name a person, a record or a secret.

    >>> mask("Ana's row: 'Ana Diaz' <ana@example.edu> at (404) 555-0101, record 003XX0000000001AAA failed 3 times")
    "Ana's row: <text> <<email>> at <number>, record <id> failed 3 times"
    """
    for pattern, shown in _MASKS:
        text = pattern.sub(shown, text)
    return text


def _versions() -> dict[str, Any]:
    wanted = [re.split(r"[^A-Za-z0-9_.-]", item, maxsplit=1)[0] for item in requires(PACKAGE) or ()]
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "workbench": version(PACKAGE),
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {name: found for name in sorted(set(wanted)) if (found := _version(name)) is not None},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _settings(section: BaseModel) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            shown[name] = _settings(value)
        elif value is None or name in _OPEN_SETTINGS:
            shown[name] = value
        else:
            shown[name] = "set, hidden"
    return shown


def _counts(store: Store) -> dict[str, Any]:
    tables = store.rows(
        """SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
           WHERE table_type = 'BASE TABLE' ORDER BY ALL"""
    )
    union = " UNION ALL ".join(
        f"SELECT {place} AS place, count(*) AS row_count FROM {identifier(t['schema'])}.{identifier(t['name'])}"  # noqa: S608  names are quoted
        for place, t in enumerate(tables)
    )
    rows = {row["place"]: row["row_count"] for row in store.rows(union)}
    return {
        "tables": {f"{t['schema']}.{t['name']}": rows[place] for place, t in enumerate(tables)},
        "migrations": [row["name"] for row in store.rows("SELECT name FROM config.migration ORDER BY name")],
        "pulls": store.rows("SELECT system, object, mode, state, row_count, finished_at FROM view.pull ORDER BY ALL"),
        "previews": store.rows(
            """SELECT preview_id, direction, action, row_count FROM view.preview_count
               WHERE row_count > 0 ORDER BY preview_id, position"""
        ),
        "batches": store.rows(
            """SELECT batch_id, preview_id, direction, state, row_count, approved_count, is_four_eyes, sent_count,
                      success_count, partial_count, fail_count, unknown_count FROM view.batch ORDER BY batch_id"""
        ),
        "scores": store.rows(
            """SELECT batch_id, code, predicted, actual, hits FROM view.prediction_score ORDER BY batch_id, code"""
        ),
        "answers": store.rows(
            """SELECT system, method, response_status, count(*) AS row_count, round(median(ms), 1) AS median_ms
               FROM view.attempt GROUP BY ALL ORDER BY ALL"""
        ),
    }


def _log(store: Store) -> Iterable[Mapping[str, Any]]:
    return store.rows(
        "SELECT happened_at, level, logger, event, detail FROM view.app_log ORDER BY happened_at DESC LIMIT $limit",
        {"limit": LOG_LINES},
    )


def _masked_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """One line of the log; of its details only numbers stay, and which there were."""
    try:
        detail = orjson.loads(row["detail"] or "{}")
    except orjson.JSONDecodeError:
        detail = {}
    about = detail if isinstance(detail, dict) else {}
    return {
        "happened_at": row["happened_at"],
        "level": row["level"],
        "logger": row["logger"],
        "event": mask(row["event"] or ""),
        "detail": {
            name: value if isinstance(value, bool | int | float) else mask(str(value))
            for name, value in about.items()
            if name not in {"when", "level", "logger", "event"}
        },
    }
