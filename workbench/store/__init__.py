"""The store: one DuckDB database behind one class, whichever mode its DSN chooses."""

from workbench.store.database import Store
from workbench.store.quoting import identifier, literal

__all__ = ["Store", "identifier", "literal"]
