"""Every contact of the sandbox institution: a frame that never changes, and what was written since.

The base is columns and JSON texts, both mapped from disk where there are many contacts; a contact becomes a Python
object only once somebody changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
import polars as pl

from workbench.domain.fields import MainstayField
from workbench.simulators.mainstay.keys import KeyIndex
from workbench.simulators.mainstay.lines import JsonLines
from workbench.simulators.mainstay.shape import api_lines, shown, stored_contacts, stored_row
from workbench.simulators.spool import rows_at

_LINES_AT_ONCE: Final = 20_000
Positions = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class SavedBook:
    """What was written so far: changed contacts by position, and the fields they have."""

    changed: dict[int, dict[str, Any]]
    size: int
    custom_fields: tuple[MainstayField, ...]


class ContactBook:
    """Contacts by position in order of creation, by Mainstay ID, CRM ID and phone; hidden and archived ones too.

    Raises ValueError where two contacts of the base share a Mainstay ID, CRM ID or phone: Mainstay cannot hold that.
    """

    def __init__(self, contacts: pl.DataFrame, custom_fields: Sequence[MainstayField]) -> None:
        self._load(contacts, custom_fields)
        self._base_size = self.frame.height
        self._size = self._base_size
        self._changed: dict[int, dict[str, Any]] = {}
        self._keys = {name: KeyIndex(self.frame[name]) for name in ("id", "crm_id", "phone")}
        self.version = 0

    def _load(self, contacts: pl.DataFrame, custom_fields: Sequence[MainstayField]) -> None:
        self.custom_fields = tuple(custom_fields)
        self.frame = stored_contacts(contacts, custom_fields)
        blocks = (
            api_lines(self.frame.slice(start, _LINES_AT_ONCE), custom_fields)
            for start in range(0, self.frame.height, _LINES_AT_ONCE)
        )
        self._lines = JsonLines(blocks, self.frame.height)

    def __len__(self) -> int:
        return self._size

    def by_id(self, contact_id: str) -> dict[str, Any] | None:
        return self._found("id", contact_id)

    def by_crm_id(self, crm_id: str) -> dict[str, Any] | None:
        return self._found("crm_id", crm_id)

    def by_phone(self, phone: str) -> dict[str, Any] | None:
        return self._found("phone", phone)

    def _found(self, name: str, key: Any) -> dict[str, Any] | None:
        position = self._keys[name].get(key)
        return None if position is None else self.at(position)

    def at(self, position: int) -> dict[str, Any]:
        """The contact at a position, with its hidden keys; not to be changed by the caller."""
        changed = self._changed.get(position)
        if changed is not None:
            return changed
        contact: dict[str, Any] = orjson.loads(self._lines[position])
        return contact

    def position(self, contact_id: str) -> int:
        found = self._keys["id"].get(contact_id)
        if found is None:
            raise KeyError(contact_id)
        return found

    def crm_ids(self, contact_ids: pl.Series) -> pl.Series:
        """The CRM IDs that these contacts have now; null where there is none, or no such contact."""
        owners = contact_ids.unique()
        places = self._keys["id"].places(owners)
        known = np.unique(places[places >= 0])
        held = dict(zip(known.tolist(), rows_at(self.frame.select("crm_id"), known)["crm_id"].to_list(), strict=True))
        now: dict[str, str | None] = {}
        for owner, place in zip(owners.to_list(), places.tolist(), strict=True):
            position = place if place >= 0 else self._keys["id"].get(owner)
            changed = None if position is None else self._changed.get(position)
            now[owner] = held.get(place) if changed is None else changed.get("crm_id")
        return pl.Series([now[owner] for owner in contact_ids.to_list()], dtype=pl.String)

    def save(self, contact: Mapping[str, Any]) -> None:
        """Store a contact's new state, or a new contact; the indexes follow."""
        kept = dict(contact)
        position = self._keys["id"].get(kept["id"])
        before: Mapping[str, Any] = {}
        if position is None:
            position, self._size = self._size, self._size + 1
        else:
            before = self.at(position)
        for name, index in self._keys.items():
            if before.get(name) != kept.get(name):
                if index.get(before.get(name)) == position:
                    index.drop(before[name])
                if kept.get(name):
                    index.set(kept[name], position)
        self._changed[position] = kept
        self.version += 1

    def shown_lines(self, positions: Positions | range) -> list[bytes]:
        """JSON texts of the contacts at these rising positions, in their order; some stand together, with commas."""
        wanted = positions if isinstance(positions, range) else positions.tolist()
        lines: list[bytes] = []
        begun: int | None = None
        end = -1
        for position in wanted:
            changed = self._changed.get(position)
            if begun is not None and (changed is not None or position != end):
                lines.append(self._lines.between(begun, end))
                begun = None
            if changed is not None:
                lines.append(orjson.dumps(shown(changed)))
            elif begun is None:
                begun = position
            end = position + 1
        if begun is not None:
            lines.append(self._lines.between(begun, end))
        return lines

    def select(self, mask: pl.Expr, predicate: Any) -> Positions:
        """Positions of the contacts that pass: `mask` over the base frame, `predicate(contact)` over changed ones."""
        passes = np.zeros(self._size, dtype=np.bool_)
        passes[: self._base_size] = self.frame.select(mask.fill_null(value=False).alias("m"))["m"].to_numpy()
        for position, contact in self._changed.items():
            passes[position] = predicate(contact)
        return np.flatnonzero(passes)

    def all_shown(self) -> Iterator[dict[str, Any]]:
        """Every contact as the API shows it, hidden ones too, in order of creation."""
        for start in range(0, self._size, 2000):
            lines = self.shown_lines(range(start, min(start + 2000, self._size)))
            yield from orjson.loads(b"[" + b",".join(lines) + b"]")

    def frame_now(self) -> pl.DataFrame:
        """Every contact as it is now, in the columns of the base frame."""
        is_untouched = np.ones(self._base_size, np.bool_)
        is_untouched[[position for position in self._changed if position < self._base_size]] = False
        rows = [stored_row(self._changed[position]) for position in sorted(self._changed)]
        changed = pl.DataFrame(rows, schema=self.frame.schema) if rows else self.frame.clear()
        return pl.concat([self.frame.filter(pl.Series(is_untouched)), changed])

    def values_of(self, path: str) -> list[Any]:
        """Distinct values of a custom field (`custom.<Name>`), nulls left out, in a stable order."""
        name = path.removeprefix("custom.")
        is_untouched = np.ones(self._base_size, np.bool_)
        is_untouched[[position for position in self._changed if position < self._base_size]] = False
        texts = set(self.frame[path].filter(pl.Series(is_untouched)).drop_nulls().unique().to_list())
        values = (contact["custom"].get(name) for contact in self._changed.values())
        texts |= {orjson.dumps(value).decode() for value in values if value is not None}
        return sorted((orjson.loads(text) for text in texts), key=lambda value: (str(type(value)), str(value)))

    def change_fields(self, custom_fields: Sequence[MainstayField], renamed: Mapping[str, str]) -> None:
        """Take new custom fields; `renamed` maps old display names to new ones, other vanished ones lose values."""
        frame = self.frame.rename({f"custom.{old}": f"custom.{new}" for old, new in renamed.items()}, strict=False)
        self._load(frame, custom_fields)
        names = [field.name for field in custom_fields]
        for contact in self._changed.values():
            values = {renamed.get(name, name): value for name, value in contact["custom"].items()}
            contact["custom"] = {name: values.get(name) for name in names}
        self.version += 1

    def saved(self) -> SavedBook:
        return SavedBook(deepcopy(self._changed), self._size, self.custom_fields)

    def restore(self, saved: SavedBook) -> None:
        """Return to a saved state, custom fields included."""
        if saved.custom_fields != self.custom_fields:
            msg = "the custom fields have changed since; save again after the change"
            raise ValueError(msg)
        self._changed, self._size = deepcopy(saved.changed), saved.size
        for index in self._keys.values():
            index.forget_written()
        for position, contact in self._changed.items():
            base = orjson.loads(self._lines[position]) if position < self._base_size else {}
            for name, index in self._keys.items():
                if base.get(name) and index.get(base[name]) == position:
                    index.drop(base[name])
            for name, index in self._keys.items():
                if contact.get(name):
                    index.set(contact[name], position)
        self.version += 1
