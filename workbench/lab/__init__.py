"""Match lab: is a rule to be trusted? Rules in order, rule against rule, labels, known truth, and Splink's proposals.

Measures and advises; no path leads from here to a write in Salesforce or Mainstay.
"""

from __future__ import annotations

from workbench.lab.bench import MatchLab
from workbench.lab.people import Attribute, People

__all__ = ["Attribute", "MatchLab", "People"]
