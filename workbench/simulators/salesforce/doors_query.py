"""SOQL over REST: pages of JSON records behind locators.

Source: Salesforce wire reference, section 6.
"""

from __future__ import annotations

import re
from typing import Any, Final

from workbench.simulators.salesforce.organisation import PAGE_SIZE, SalesforceOrg
from workbench.simulators.salesforce.refusals import refused
from workbench.simulators.salesforce.results import QueryResult
from workbench.simulators.salesforce.soql_parse import parse
from workbench.simulators.salesforce.wire import Call, Reply, is_true

_SMALLEST_PAGE: Final = 200
_LOCATOR: Final = re.compile(r"(?P<locator>\w{18})-(?P<offset>\d+)\Z")


def query(org: SalesforceOrg, call: Call) -> Reply:
    return _first_page(org, call, has_deleted=False)


def query_all(org: SalesforceOrg, call: Call) -> Reply:
    """The recycle bin's records too."""
    return _first_page(org, call, has_deleted=True)


def _first_page(org: SalesforceOrg, call: Call, *, has_deleted: bool) -> Reply:
    soql = call.query.get("q")
    if not soql:
        raise refused(400, "MALFORMED_QUERY", "A query string has to be specified")
    if is_true(call.query.get("columns")):
        return _columns(org, soql)
    result = org.query(soql, has_deleted=has_deleted)
    return Reply(200, _page(org, call, result, None, 0))


def query_more(org: SalesforceOrg, call: Call) -> Reply:
    """GET query/<locator>-<rows already read>."""
    match = _LOCATOR.match(call.parts["locator"])
    if match is None:
        raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    result = org.cursor(match["locator"])
    offset = int(match["offset"])
    if not 0 < offset < result.total:
        raise refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return Reply(200, _page(org, call, result, match["locator"], offset))


def _page(org: SalesforceOrg, call: Call, result: QueryResult, locator: str | None, offset: int) -> dict[str, Any]:
    size = _page_size(call)
    page: dict[str, Any] = {
        "totalSize": result.total,
        "done": True,
        "records": result.records(call.data_path, offset, size),
    }
    end = offset + size
    if result.plan.kind != "count" and end < result.total:
        locator = locator or org.keep_cursor(result)
        page |= {"done": False, "nextRecordsUrl": f"{call.data_path}/query/{locator}-{end}"}
    return page


def _page_size(call: Call) -> int:
    asked = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""))
    return min(max(int(asked.group(1)), _SMALLEST_PAGE), PAGE_SIZE) if asked else PAGE_SIZE


def _columns(org: SalesforceOrg, soql: str) -> Reply:
    """`columns=true`, as the Salesforce CLI asks it: what the query would give, without running it."""
    plan = org.query(_unlimited(soql)).plan
    found: list[dict[str, Any]] = []
    for column in plan.columns:
        level = found
        for name in column.path[:-1]:
            level = _joined(level, name)
        field = plan.sobject.field(column.path[-1]) if len(column.path) == 1 else None
        level.append(
            {
                "aggregate": plan.kind == "aggregate",
                "apexType": field.type.capitalize() if field else "String",
                "booleanType": bool(field and field.type == "boolean"),
                "columnName": column.path[-1],
                "custom": column.path[-1].endswith("__c"),
                "displayName": column.path[-1],
                "foreignKeyName": None,
                "insertable": bool(field and field.is_createable),
                "joinColumns": [],
                "numberType": bool(field and field.is_number),
                "textType": field.is_text if field else True,
                "updatable": bool(field and field.is_updateable),
            }
        )
    is_grouped = plan.kind == "aggregate"
    return Reply(
        200,
        {"columnMetadata": found, "entityName": plan.sobject.name, "groupBy": is_grouped, "idSelected": not is_grouped,
         "keyPrefix": plan.sobject.key_prefix},
    )  # fmt: skip


def _unlimited(soql: str) -> str:
    """The statement, cut to no rows where it has no limit of its own."""
    statement = parse(soql)
    is_open = statement.limit is None and not statement.offset and not statement.is_bare_count
    return f"{soql} LIMIT 0" if is_open else soql


def _joined(level: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    for column in level:
        if column["columnName"] == name:
            existing: list[dict[str, Any]] = column["joinColumns"]
            return existing
    joins: list[dict[str, Any]] = []
    level.append({"aggregate": False, "columnName": name, "displayName": name, "joinColumns": joins})
    return joins
