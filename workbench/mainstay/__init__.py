"""Mainstay: the token, paging and pacing of its API, contacts as flat rows, and the order of an upsert."""

from workbench.mainstay.client import MainstayClient, OutcomeUnknown, Page
from workbench.mainstay.payload import UNSET, contact_body, landing_row
from workbench.mainstay.reply import Reply, read_errors
from workbench.mainstay.upsert import Request, upsert

__all__ = [
    "UNSET",
    "MainstayClient",
    "OutcomeUnknown",
    "Page",
    "Reply",
    "Request",
    "contact_body",
    "landing_row",
    "read_errors",
    "upsert",
]
