"""What the organisation is: versions, objects, describes, limits and record counts.

Source: Salesforce wire reference, sections 1, 5, 10 and 14.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from workbench.simulators.salesforce.organisation import SalesforceOrg
from workbench.simulators.salesforce.refusals import not_found
from workbench.simulators.salesforce.schema import SObject
from workbench.simulators.salesforce.wire import Call, Reply

OLDEST_VERSION: Final = 31
NEWEST_VERSION: Final = 68
# Version 30 was Spring '14, and three versions come out a year.
_SEASONS: Final = ("Spring", "Summer", "Winter")
_RECORDED_PLACES: Final = re.compile(rb"/services/data/vxx\.0|https://orgname\.my\.salesforce\.com")
_RESOURCES: Final = ("sobjects", "query", "queryAll", "limits", "composite", "jobs/query", "jobs/ingest")
_BULK_QUERIES_A_DAY: Final = 10_000
_BULK_MEGABYTES_A_DAY: Final = 976_562
_BULK_BATCHES_A_DAY: Final = 15_000


def versions(_org: SalesforceOrg, _call: Call) -> Reply:
    """GET /services/data, open to everyone."""
    found = []
    for version in range(OLDEST_VERSION, NEWEST_VERSION + 1):
        years, season = divmod(version - 30, 3)
        # Winter releases carry the following year's number.
        label = f"{_SEASONS[season]} '{14 + years + (season == 2)}"
        found.append({"label": label, "url": f"/services/data/v{version}.0", "version": f"{version}.0"})
    return Reply(200, found)


def resources(org: SalesforceOrg, call: Call) -> Reply:
    links = {name: f"{call.data_path}/{name}" for name in _RESOURCES}
    return Reply(200, {**links, "identity": f"{call.base_url}/id/{org.org_id}/{org.user_id}"})


def all_objects(org: SalesforceOrg, call: Call) -> Reply:
    """GET sobjects: only what can be described is listed."""
    found = [_brief(sobject) for sobject in org.schema]
    return _localised(call, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": found})


def object_basics(org: SalesforceOrg, call: Call) -> Reply:
    sobject = named_object(org, call.parts["object"])
    return _localised(call, {"objectDescribe": _brief(sobject), "recentItems": []})


def describe(org: SalesforceOrg, call: Call) -> Reply:
    """GET sobjects/Contact/describe."""
    sobject = named_object(org, call.parts["object"])
    names = {(child, field): name for child, field, name, _, _ in sobject.children}
    children: list[dict[str, Any]] = [
        {
            "cascadeDelete": is_cascading,
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": reference.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": names.get((child.name, reference.name)),
            "restrictedDelete": False,
        }
        for child, reference, is_cascading in org.schema.references_to(sobject.name)
    ]
    fields = [field.info for field in sobject.visible]
    return _localised(call, {**sobject.info, "childRelationships": children, "fields": fields})


def named_object(org: SalesforceOrg, name: str) -> SObject:
    """The object of that name, whatever its case. Raises NOT_FOUND."""
    found = org.schema.get(name)
    if found is None:
        raise not_found()
    return found


def _brief(sobject: SObject) -> dict[str, Any]:
    left_out = ("recordTypeInfos", "supportedScopes", "actionOverrides", "namedLayoutInfos")
    return {key: value for key, value in sobject.info.items() if key not in left_out}


def _localised(call: Call, body: dict[str, Any]) -> Reply:
    """The recorded urls with this server's version and address in them."""
    ours = {b"/": call.data_path.encode(), b"h": call.base_url.encode()}
    return Reply(200, _RECORDED_PLACES.sub(lambda match: ours[match.group()[:1]], orjson.dumps(body)))


def limits(org: SalesforceOrg, _call: Call) -> Reply:
    query_jobs = sum(job.is_query for job in org.jobs.values())
    found = {
        "DailyApiRequests": (org.daily_requests, org.used_requests),
        "DailyBulkApiBatches": (_BULK_BATCHES_A_DAY, 0),
        "DailyBulkV2QueryJobs": (_BULK_QUERIES_A_DAY, query_jobs),
        "DailyBulkV2QueryFileStorageMB": (_BULK_MEGABYTES_A_DAY, 0),
        "DataStorageMB": (1024, 0),
        "FileStorageMB": (1024, 0),
    }
    return Reply(200, {name: {"Max": most, "Remaining": max(most - used, 0)} for name, (most, used) in found.items()})


def record_count(org: SalesforceOrg, call: Call) -> Reply:
    """GET limits/recordCount?sObjects=Contact,Account: unknown names are left out."""
    wanted = [name for name in call.query.get("sObjects", "").split(",") if name]
    objects = [org.schema[name] for name in wanted if name in org.schema] if wanted else list(org.schema)
    counts = [{"count": org.query(f"SELECT COUNT() FROM {found.name}").total, "name": found.name} for found in objects]
    return Reply(200, {"sObjects": counts})
