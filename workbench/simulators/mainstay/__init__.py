"""Mainstay as a real HTTP server: every endpoint of the API reference, a skin over `workbench.domain.ladder`."""

from workbench.simulators.mainstay.app import mainstay_app
from workbench.simulators.mainstay.institution import MainstayInstitution

__all__ = ["MainstayInstitution", "mainstay_app"]
