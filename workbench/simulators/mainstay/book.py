"""Every contact of the sandbox institution: a frame that never changes, and what was written since.

A million contacts fit in a few GB: the base is one JSON text per contact in Arrow memory, and a contact becomes a
Python object only once somebody changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import polars as pl

from workbench.domain.fields import MainstayField
from workbench.simulators.mainstay.shape import api_lines, complete_contacts, shown

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
        self._keys: dict[str, dict[str, int]] = {
            name: _unique_index(self.frame[name]) for name in ("id", "crm_id", "phone")
        }
        self.version = 0

    def _load(self, contacts: pl.DataFrame, custom_fields: Sequence[MainstayField]) -> None:
        self.custom_fields = tuple(custom_fields)
        self.frame = complete_contacts(contacts, custom_fields)
        self._lines = api_lines(self.frame, custom_fields)

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
        return self._keys["id"][contact_id]

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
                if index.get(before.get(name, "")) == position:
                    del index[before[name]]
                if kept.get(name):
                    index[kept[name]] = position
        self._changed[position] = kept
        self.version += 1

    def shown_lines(self, positions: Positions | range) -> list[str]:
        """JSON texts of the contacts at these positions, in their order."""
        wanted = np.asarray(positions, dtype=np.int64)
        base = wanted[wanted < self._base_size]
        if isinstance(positions, range):
            lines = self._lines.slice(positions.start, len(base)).to_list()
        else:
            lines = self._lines.gather(base).to_list()
        lines += [""] * (len(wanted) - len(base))
        if self._changed:
            for place, position in enumerate(wanted.tolist()):
                changed = self._changed.get(position)
                if changed is not None:
                    lines[place] = orjson.dumps(shown(changed)).decode()
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
            for line in self.shown_lines(range(start, min(start + 2000, self._size))):
                yield orjson.loads(line)

    def values_of(self, path: str) -> list[Any]:
        """Distinct values of a custom field (`custom.<Name>`), nulls left out, in a stable order."""
        name = path.removeprefix("custom.")
        untouched = np.setdiff1d(np.arange(self._base_size), np.fromiter(self._changed, np.int64))
        texts = set(self.frame[path].gather(untouched).drop_nulls().unique().to_list())
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
        self._keys = {name: _unique_index(self.frame[name]) for name in self._keys}
        for position, contact in self._changed.items():
            base = orjson.loads(self._lines[position]) if position < self._base_size else {}
            for name, index in self._keys.items():
                if base.get(name) and index.get(base[name]) == position:
                    del index[base[name]]
            for name, index in self._keys.items():
                if contact.get(name):
                    index[contact[name]] = position
        self.version += 1


def _unique_index(keys: pl.Series) -> dict[str, int]:
    index = {key: position for position, key in enumerate(keys.to_list()) if key is not None}
    if len(index) != keys.len() - keys.null_count():
        twice = keys.drop_nulls().filter(keys.drop_nulls().is_duplicated()).unique().head(3).to_list()
        msg = f"Mainstay keeps {keys.name} unique, but it occurs more than once: {', '.join(twice)}"
        raise ValueError(msg)
    return index
