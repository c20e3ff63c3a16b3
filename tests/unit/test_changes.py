"""The transition table of a batch, and how answers are judged."""

from __future__ import annotations

import pytest

from workbench.domain.changes import TRANSITIONS, BatchState, Status, check_transition
from workbench.domain.results import PlannedChange, Request, codes_of, mainstay_status
from workbench.errors import ApprovalRefused, RemoteError

ENDS = {BatchState.DONE, BatchState.REJECTED, BatchState.STALE, BatchState.CANCELLED}


def test_every_state_has_its_row_and_ends_are_ends():
    assert set(TRANSITIONS) == set(BatchState)
    assert {state for state, following in TRANSITIONS.items() if not following} == ENDS


def test_only_an_approved_batch_comes_to_its_push():
    before = {state for state, following in TRANSITIONS.items() if BatchState.PUSHING in following}
    assert before == {BatchState.APPROVED, BatchState.PAUSED, BatchState.PUSHING}
    assert {state for state, following in TRANSITIONS.items() if BatchState.APPROVED in following} == {
        BatchState.SUBMITTED
    }


@pytest.mark.parametrize("before", list(BatchState))
@pytest.mark.parametrize("after", list(BatchState))
def test_a_refusal_names_batch_states_and_next_step(before, after):
    if after in TRANSITIONS[before]:
        check_transition(7, before, after)
        return
    with pytest.raises(ApprovalRefused, match=f"Batch 7 is {before} and cannot become {after}\\. .+\\.$"):
        check_transition(7, before, after)


@pytest.mark.parametrize(
    ("method", "http_status", "codes", "ends"),
    [
        ("PUT", 200, [], Status.SUCCESS),
        ("POST", 201, [], Status.SUCCESS),
        ("PUT", 200, ["invalid-email", "contact-out-of-sync"], Status.PARTIAL),
        ("PUT", 200, ["invalid-phone"], Status.PARTIAL),
        ("POST", 400, ["invalid-phone"], Status.FAIL),
        ("POST", 200, ["invalid-phone"], Status.FAIL),
        ("PUT", 409, ["duplicate-contact"], Status.FAIL),
        ("PUT", 200, ["duplicate-contact"], Status.FAIL),
        ("PUT", 404, ["not-found"], Status.FAIL),
        ("PUT", 200, ["invalid-attribute-data: GPA"], Status.PARTIAL),
        ("PUT", 400, ["invalid-email"], Status.FAIL),
        ("POST", 200, ["blank-required-data-in-record"], Status.FAIL),
        ("PUT", 200, ["invalid-request"], Status.FAIL),
        ("POST", 200, ["phone-match-found-but-crmId-mismatch"], Status.FAIL),  # a bulk row planned as a create
        ("PUT", 200, ["never-heard-of"], Status.PARTIAL),
        ("PUT", 422, ["never-heard-of"], Status.FAIL),
        ("PUT", 418, [], Status.FAIL),
    ],
)
def test_answers_are_judged_by_code_and_method_first(method, http_status, codes, ends):
    assert mainstay_status(method, http_status, [{"code": code, "message": ""} for code in codes]) is ends


def test_an_answer_without_codes_is_named_by_its_status():
    assert codes_of(503, []) == ("http-503",)
    assert codes_of(None, []) == ()
    assert codes_of(200, [{"code": "invalid-email"}, {}]) == ("invalid-email", "unnamed")


def test_the_placeholder_becomes_the_id_and_nothing_else_does():
    request = Request(2, "mainstay", "PUT", "contacts/ah1/", '{"crm_id": "$id", "first_name": "$identity"}')
    assert request.with_record_id("003A").values == {"crm_id": "003A", "first_name": "$identity"}
    with pytest.raises(RemoteError, match="no JSON object"):
        _ = Request(1, "mainstay", "PUT", "contacts/ah1/", "[]").values


def test_a_change_knows_its_request_per_system_and_its_prediction():
    request = Request(1, "salesforce", "POST", "sobjects/Contact", "{}")
    planned = PlannedChange("P1-1", 1, "import", "Contact", None, "ah1", "create", None, "fail", (), (request,))
    assert planned.request_to("salesforce") is request
    assert planned.request_to("mainstay") is None
    assert planned.is_expected_to_fail
