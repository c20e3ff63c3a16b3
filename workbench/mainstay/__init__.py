"""Mainstay: the token, paging and pacing of its API, the form of its contacts, and the order of an upsert."""

from workbench.mainstay.client import MainstayClient, OutcomeUnknown, Page
from workbench.mainstay.payload import UNSET, contact_body
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
    "read_errors",
    "upsert",
]
