"""Salesforce: a session, queries, the field catalogue and writes with a result per record."""

from workbench.salesforce.client import OutcomeUnknown, QueryPage, SalesforceClient
from workbench.salesforce.describe import SObject, read_describe, resolve_path
from workbench.salesforce.writer import Record, RecordResult, SalesforceWriter

__all__ = [
    "OutcomeUnknown",
    "QueryPage",
    "Record",
    "RecordResult",
    "SObject",
    "SalesforceClient",
    "SalesforceWriter",
    "read_describe",
    "resolve_path",
]
