"""What makes a change one that nobody should approve without knowing: the guards and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Guard(StrEnum):
    """A named reason on a change. Guarded changes are approved by name, or with `--all`, never by default."""

    CONSENT = "consent"
    BLANK_VALUE = "blank-value"
    FAN_OUT = "fan-out"
    MASS_CHANGE = "mass-change"


@dataclass(frozen=True)
class GuardLimits:
    """From where a guard speaks.

    fan_out_cap: records that one change may send again without being named. mass_change_share: the part (0 to 1) of a
    field's present values that one preview may replace or clear, once at least `mass_change_minimum` of them are.
    """

    fan_out_cap: int = 100
    mass_change_share: float = 0.5
    mass_change_minimum: int = 100
