"""What stands before a push: nothing it was approved on has moved, and Salesforce has the calls left that it costs."""

from __future__ import annotations

from typing import Final

from workbench.domain.changes import BatchState
from workbench.errors import ApprovalRefused, AuthenticationFailed, RemoteError, StaleBatch, TransientError
from workbench.logs import get_logger
from workbench.salesforce.client import SalesforceClient
from workbench.salesforce.writer import CHUNK
from workbench.settings import Settings
from workbench.stages.push.report import PushReport, all_statuses
from workbench.store.batches import BatchRow, move_batch, moved_rows, moved_since
from workbench.store.database import Store
from workbench.store.journal import count_rows, has_intents, pending_changes, pending_writes

log = get_logger(__name__)

# A bulk job: made, filled, closed, looked at a few times, its three lists read.
CALLS_PER_JOB: Final = 20
# Looking at the limits and, where answers get lost, at what was made.
CALLS_ASIDE: Final = 10


def salesforce_calls(store: Store, settings: Settings, batch_id: int) -> int:
    """The API requests that pushing what is left of a batch spends on Salesforce, at most, where nothing goes wrong."""
    push, threshold = settings.push, settings.salesforce.bulk_threshold
    calls = 0
    for row in pending_writes(store, batch_id):
        count = row["row_count"]
        if threshold is not None and count >= threshold:
            calls += CALLS_PER_JOB * -(-count // push.bulk_chunk)
        else:
            calls += -(-count // CHUNK) + -(-count // push.chunk)  # a chunk may end in a request that is not full
    return calls + CALLS_ASIDE if calls else 0


def check_calls(store: Store, settings: Settings, batch: BatchRow) -> int:
    """Raise ApprovalRefused where Salesforce has fewer calls left today than the push costs; the requests this took."""
    needed = salesforce_calls(store, settings, batch.batch_id)
    if not needed:
        return 0
    with SalesforceClient(settings.salesforce) as salesforce:
        try:
            daily = salesforce.limits().get("DailyApiRequests") or {}
        except (AuthenticationFailed, TransientError):
            raise
        except RemoteError as error:
            if error.code == "REQUEST_LIMIT_EXCEEDED":
                raise
            log.warning("the limits of Salesforce cannot be read", extra={"code": error.code})
            return salesforce.request_count
        remaining = daily.get("Remaining")
        if remaining is not None and remaining < needed:
            raise ApprovalRefused(
                f"Salesforce has {remaining:,} of {daily.get('Max', 0):,} API requests left today, and pushing batch "
                f"{batch.batch_id} may take {needed:,}. Nothing was sent. Wait (the count runs over 24 hours), or "
                "approve a smaller batch."
            )
        return salesforce.request_count


def check_stands(store: Store, batch: BatchRow, *, who: str, is_dry: bool = False) -> None:
    """Raise StaleBatch, and mark the batch, when what it pinned has moved; once sending has begun, its rows alone."""
    has_begun = has_intents(store, batch.batch_id)
    moved = moved_rows(store, batch) if has_begun else moved_since(store, batch)
    if not moved:
        return
    what = "; ".join(moved)
    if not is_dry:
        move_batch(store, batch, BatchState.STALE, who=who, reason=what)
    nothing = "Nothing more" if has_begun else "Nothing"
    raise StaleBatch(
        f"Batch {batch.batch_id} is stale: {what}. {nothing} of it is sent. Preview again and make a new batch."
    )


def dry_report(store: Store, batch: BatchRow) -> PushReport:
    counts = count_rows(store, batch.batch_id)
    planned = [
        {
            "change": change.change_id,
            "system": request.system,
            "method": request.method,
            "path": request.path,
            "body": request.values,
        }
        for change in pending_changes(store, batch.batch_id)
        for request in change.requests
    ]
    return PushReport(
        batch.batch_id, batch.state, all_statuses(counts.outcomes), pending=counts.pending, planned=planned
    )
