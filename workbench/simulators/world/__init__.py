"""Synthetic organisations: seeded people with known truth, or given records from a folder."""

from workbench.simulators.world.folder import from_folder
from workbench.simulators.world.keeping import to_folder
from workbench.simulators.world.model import CUSTOM_FIELDS, World
from workbench.simulators.world.scenarios import SCENARIOS, scenario, scenario_name
from workbench.simulators.world.seeding import generate

__all__ = [
    "CUSTOM_FIELDS",
    "SCENARIOS",
    "World",
    "from_folder",
    "generate",
    "scenario",
    "scenario_name",
    "to_folder",
]
