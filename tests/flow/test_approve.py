"""Batches from slices of a preview, through approval, on literal rows in a real store."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from batch_rows import change, mapping, preview, pull, rows_of

from workbench import views
from workbench.domain.changes import BatchState
from workbench.errors import ApprovalRefused, ConfigurationError, NotFound, StaleBatch, WorkbenchError
from workbench.settings import ApprovalSettings, Settings
from workbench.stages.approve import (
    Slice,
    approve_batch,
    cancel_batch,
    create_batch,
    list_batches,
    reject_batch,
    show_batch,
    submit_batch,
)
from workbench.store import Store


@pytest.fixture
def settings():
    return Settings(_env_file=None)


@pytest.fixture
def store(tmp_path):
    made = Store(str(tmp_path / "store.duckdb"))
    pull(made, 1)
    mapping(made)
    return made


@pytest.fixture
def mixed(store):
    preview(
        store,
        [
            change(1),
            change(2, action="link", status="partial", codes=["invalid-attribute-data: GPA"]),
            change(3, action="create"),
            change(4, action="none", status=None),
            change(5, action="excluded", status=None),
            change(6, action="conflict", status=None),
            change(7, action="blocked", status="fail", codes=["duplicate-contact"]),
            change(8, action="blocked", status="fail", codes=["invalid-phone"], requests=[]),
        ],
    )
    return store


def test_without_a_filter_it_takes_what_is_predicted_to_succeed(mixed):
    report = create_batch(mixed, 1, by="Ana")
    assert rows_of(mixed, report.batch) == ["P1-1", "P1-2", "P1-3"]
    assert (report.state, report.rows, report.direction) == (BatchState.SUBMITTED, 3, "export")
    assert report.left_out == {"predicted to fail": 2, "a person has to decide first": 1}
    assert report.predicted == {"success": 2, "partial": 1}
    assert [(event["from_state"], event["to_state"]) for event in report.events] == [
        (None, "draft"),
        ("draft", "submitted"),
    ]


def test_all_takes_predicted_failures_that_have_a_request_and_never_a_conflict(mixed):
    report = create_batch(mixed, 1, by="Ana", chosen=Slice(all=True))
    assert rows_of(mixed, report.batch) == ["P1-1", "P1-2", "P1-3", "P1-7"]
    assert report.left_out == {"a person has to decide first": 1, "no request can be made": 1}


@pytest.mark.parametrize(
    ("chosen", "taken"),
    [
        (Slice(actions=["create"]), ["P1-3"]),
        (Slice(actions=["blocked"]), ["P1-7"]),
        (Slice(codes=["invalid-attribute-data"]), ["P1-2"]),
        (Slice(codes=["invalid-attribute-data: GPA"]), ["P1-2"]),
        (Slice(codes=["duplicate-contact"], all=True), ["P1-7"]),
        (Slice(change_ids=["P1-7", "P1-1"]), ["P1-1", "P1-7"]),
        (Slice(sql="seq <= 2 OR action = 'blocked'"), ["P1-1", "P1-2"]),
        (Slice(sql="seq <= 2", actions=["update"]), ["P1-1"]),
        (Slice(change_ids=["P1-1", "P1-3"], sql="seq > 2"), ["P1-3"]),
    ],
)
def test_filters_narrow_each_other_and_failures_are_only_taken_when_named(mixed, chosen, taken):
    assert rows_of(mixed, create_batch(mixed, 1, by="Ana", chosen=chosen).batch) == taken


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (Slice(actions=["none"]), "nothing to send: 1"),
        (Slice(actions=["conflict"]), "a person has to decide first: 1"),
        (Slice(codes=["duplicate-contact"]), "--all"),
        (Slice(sql="seq > 99"), "fits this slice"),
    ],
)
def test_an_empty_slice_is_refused_with_the_reasons(mixed, chosen, words):
    with pytest.raises(ApprovalRefused, match=words):
        create_batch(mixed, 1, by="Ana", chosen=chosen)
    assert list_batches(mixed) == []


@pytest.mark.parametrize("where", ["seq = ", "1=1); DELETE FROM preview.change WHERE (1=1", "nonsense = 1"])
def test_a_condition_that_is_none_is_refused_and_runs_nothing(mixed, where):
    with pytest.raises(ConfigurationError):
        create_batch(mixed, 1, by="Ana", chosen=Slice(sql=where))
    assert mixed.rows("SELECT count(*) AS n FROM preview.change")[0]["n"] == 8


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (Slice(actions=["update", "creat"]), "There is no action creat. Actions: update, link, create"),
        (Slice(guards=["blank-value", "bogus"]), "There is no guard bogus. Guards: consent, blank-value"),
        (Slice(codes=["invalid-attribute-data", "bogus"]), "There is no code bogus. Codes: "),
        (Slice(codes=["invalid-attribute-data: GAP"], all=True), "There is no code invalid-attribute-data: GAP"),
    ],
)
def test_a_mistyped_name_beside_a_right_one_does_not_shrink_the_batch(mixed, chosen, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        create_batch(mixed, 1, by="Ana", chosen=chosen)
    assert list_batches(mixed) == []


def test_a_code_is_known_by_the_dictionary_by_predictions_or_by_the_preview(mixed):
    mixed.write("UPDATE preview.change SET codes = ['OUR_OWN: Phone'] WHERE change_id = 'P1-1'")
    chosen = Slice(codes=["OUR_OWN", "REQUIRED_FIELD_MISSING", "not-found", "blank-required-data-in-record"])
    assert rows_of(mixed, create_batch(mixed, 1, by="Ana", chosen=chosen).batch) == ["P1-1"]


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ({"code": "bogus"}, "There is no code bogus. Codes: "),
        ({"code": "invalid-fone"}, "There is no code invalid-fone. Nearest: invalid-phone, "),
        ({"code": "duplicate_value"}, "There is no code duplicate_value. Nearest: DUPLICATE_VALUE"),
        ({"code": "invalid-attribute-data: GAP"}, "Nearest: invalid-attribute-data: GPA, invalid-attribute-data."),
        ({"action": "creat"}, "There is no action creat. Actions: update, link, create"),
    ],
)
def test_a_mistyped_filter_of_changes_is_no_empty_list(mixed, filters, sentence):
    with pytest.raises(ConfigurationError) as caught:
        views.changes(mixed, 1, **filters)
    assert sentence in str(caught.value)


def test_a_known_code_that_no_change_carries_is_an_empty_list(mixed):
    assert list(views.changes(mixed, 1, code="INVALID_EMAIL_ADDRESS")) == []
    assert [row["change"] for row in views.changes(mixed, 1, code="invalid-attribute-data")] == ["P1-2"]


def test_a_condition_on_changes_runs_nothing_else(mixed, tmp_path):
    file = tmp_path / "copied.csv"
    where = f"true))) SELECT 1 FROM few; COPY (SELECT 1) TO '{file}'; SELECT ((((1"
    with pytest.raises(ConfigurationError):
        list(views.changes(mixed, 1, where=where))
    assert not file.exists()
    with pytest.raises(ConfigurationError, match="does not run"):
        list(views.changes(mixed, 1, where="nonsense = 1"))


def test_what_does_not_exist_is_said(mixed, settings):
    with pytest.raises(NotFound, match="preview 9"):
        create_batch(mixed, 9, by="Ana")
    with pytest.raises(NotFound, match="P1-99"):
        create_batch(mixed, 1, by="Ana", chosen=Slice(change_ids=["P1-99"]))
    with pytest.raises(NotFound, match="batch 5"):
        show_batch(mixed, 5)
    with pytest.raises(ConfigurationError, match="Name the person"):
        create_batch(mixed, 1, by="  ")
    batch = create_batch(mixed, 1, by="Ana").batch
    with pytest.raises(NotFound, match="P1-7"):
        approve_batch(mixed, settings, batch, by="Bo", except_changes=["P1-7"])


@pytest.fixture
def grouped(store):
    preview(
        store,
        [
            change(1, group=1),
            change(2, group=1, action="create"),
            change(3, group=2, action="blocked", status="fail", codes=["duplicate-contact"]),
            change(4, group=2),
            change(5),
        ],
    )
    return store


def test_a_collision_group_is_taken_in_order(grouped):
    report = create_batch(grouped, 1, by="Ana", chosen=Slice(sql="seq > 1"))
    assert rows_of(grouped, report.batch) == ["P1-4", "P1-5"]
    assert report.left_out["a collision group is approved in order"] == 1


def test_a_row_behind_a_gap_of_its_group_keeps_its_own_reason(store):
    preview(
        store,
        [change(1, group=1), change(2, group=1, action="blocked", status="fail", codes=["invalid-phone"]), change(3)],
    )

    report = create_batch(store, 1, by="Ana", chosen=Slice(sql="seq > 1"))

    assert report.left_out == {"predicted to fail": 1}


def test_nothing_of_a_group_is_taken_behind_a_guarded_member(grouped):
    grouped.write("UPDATE preview.change SET guards = ['blank-value'] WHERE change_id = 'P1-1'")
    report = create_batch(grouped, 1, by="Ana", chosen=Slice(sql="seq <= 2 OR seq = 5"))
    assert rows_of(grouped, report.batch) == ["P1-5"]
    assert report.left_out == {"guarded: blank-value": 1, "a collision group is approved in order": 1}


def test_naming_a_row_out_of_its_order_is_refused(grouped):
    with pytest.raises(ApprovalRefused, match="P1-2 shares a phone or CRM ID"):
        create_batch(grouped, 1, by="Ana", chosen=Slice(change_ids=["P1-2", "P1-5"]))
    both = create_batch(grouped, 1, by="Ana", chosen=Slice(change_ids=["P1-2", "P1-1"]))
    assert both.rows == 2


def test_leaving_out_a_row_takes_its_followers_along_and_pins_anew(grouped, settings):
    asked = create_batch(grouped, 1, by="Ana")
    report = approve_batch(grouped, settings, asked.batch, by="Bo", except_changes=["P1-1"], reason="wrong person")
    assert rows_of(grouped, asked.batch) == ["P1-4", "P1-5"]
    assert rows_of(grouped, asked.batch, approved=False) == ["P1-1", "P1-2"]
    assert report.left_out == {"left out by the approver: wrong person": 1, "a collision group is approved in order": 1}
    assert report.rows == 2
    assert report.digest != asked.digest
    assert report.digest == create_batch_digest(grouped, ["P1-4", "P1-5"])


def create_batch_digest(store, change_ids):
    """The digest another store gives a batch of the same rows: it depends on nothing else."""
    other = Store(str(store.path.parent / "other.duckdb"))
    pull(other, 1)
    mapping(other)
    preview(other, [change(3, group=2, action="blocked", status="fail"), change(4, group=2), change(5)])
    return create_batch(other, 1, by="Somebody else", chosen=Slice(change_ids=change_ids)).digest


def test_nobody_approves_their_own_batch_however_they_write_their_name(mixed, settings):
    batch = create_batch(mixed, 1, by="Dana Lee").batch
    with pytest.raises(ApprovalRefused, match="somebody else"):
        approve_batch(mixed, settings, batch, by=" dana  LEE ")
    assert show_batch(mixed, batch).state is BatchState.SUBMITTED
    report = approve_batch(mixed, settings, batch, by="Sam")
    assert (report.state, report.approved_by, report.is_four_eyes) == (BatchState.APPROVED, "Sam", True)


def test_two_eyes_are_recorded_as_such(mixed):
    alone = Settings(_env_file=None, approval=ApprovalSettings(four_eyes=False))
    batch = create_batch(mixed, 1, by="Dana").batch
    assert approve_batch(mixed, alone, batch, by="Dana").is_four_eyes is False
    preview(mixed, [change(50)], preview_id=2)
    other = create_batch(mixed, 2, by="Dana").batch
    assert approve_batch(mixed, alone, other, by="Sam").is_four_eyes is True


def test_an_approved_batch_is_not_approved_again(mixed, settings):
    batch = create_batch(mixed, 1, by="Ana").batch
    approve_batch(mixed, settings, batch, by="Bo")
    with pytest.raises(ApprovalRefused, match="is approved and cannot become approved"):
        approve_batch(mixed, settings, batch, by="Cy")


@pytest.mark.parametrize(
    ("move", "words"),
    [
        (lambda store: pull(store, 2), "mainstay contact was pulled again.*pull 2 after 1"),
        (lambda store: mapping(store, "m2", 2), "revision 2 counts now"),
        (
            lambda store: store.write(
                "UPDATE preview.request SET body = '{\"first_name\": \"Eve\"}' WHERE change_id = 'P1-1'"
            ),
            "rows or requests of preview 1 differ",
        ),
        (lambda store: store.write("UPDATE preview.change SET action = 'link' WHERE change_id = 'P1-1'"), "rows"),
        (lambda store: store.write("DELETE FROM preview.request WHERE change_id = 'P1-2'"), "rows"),
    ],
)
def test_what_moved_makes_the_batch_stale_for_good(mixed, settings, move, words):
    batch = create_batch(mixed, 1, by="Ana").batch
    move(mixed)
    with pytest.raises(StaleBatch, match=words):
        approve_batch(mixed, settings, batch, by="Bo")
    report = show_batch(mixed, batch)
    assert report.state is BatchState.STALE
    assert report.events[-1]["reason"]
    with pytest.raises(ApprovalRefused, match="is stale and cannot become approved"):
        approve_batch(mixed, settings, batch, by="Bo")


def test_an_unfinished_pull_moves_nothing(mixed, settings):
    batch = create_batch(mixed, 1, by="Ana").batch
    mixed.write(
        "INSERT INTO journal.pull SELECT 2, system, object, mode, 'running', 0, started_at, NULL, NULL FROM journal.pull"
    )
    assert approve_batch(mixed, settings, batch, by="Bo").state is BatchState.APPROVED


def test_nothing_is_in_two_batches_on_their_way(mixed, settings):
    first = create_batch(mixed, 1, by="Ana", chosen=Slice(actions=["update", "link"])).batch
    second = create_batch(mixed, 1, by="Ana").batch
    third = create_batch(mixed, 1, by="Ana", chosen=Slice(actions=["update"])).batch
    approve_batch(mixed, settings, first, by="Bo")
    report = approve_batch(mixed, settings, second, by="Bo")
    assert (report.rows, report.left_out) == (1, {"already in another batch": 2})
    with pytest.raises(ApprovalRefused, match="already in another batch: 1"):
        approve_batch(mixed, settings, third, by="Bo")
    with pytest.raises(ApprovalRefused, match="already in another batch: 3"):
        create_batch(mixed, 1, by="Ana")


def test_what_an_approver_left_out_is_free_for_another_batch(mixed, settings):
    first = create_batch(mixed, 1, by="Ana").batch
    approve_batch(mixed, settings, first, by="Bo", except_changes=["P1-1"])
    assert rows_of(mixed, create_batch(mixed, 1, by="Ana").batch) == ["P1-1"]


def test_two_changes_of_one_contact_may_be_in_two_batches_of_their_preview(store, settings):
    preview(store, [change(1, mainstay_id="ah1"), change(2, mainstay_id="ah1")])
    approve_batch(store, settings, create_batch(store, 1, by="Ana", chosen=Slice(sql="seq = 1")).batch, by="Bo")
    assert rows_of(store, create_batch(store, 1, by="Ana", draft=True).batch) == ["P1-2"]
    store.write(
        "UPDATE journal.batch SET state = 'paused' WHERE batch_id = 1",
        "INSERT INTO journal.intent VALUES (1, 'P1-1', 1, 'run', 'mainstay', 'PUT', '', '{}', now())",
    )
    assert rows_of(store, create_batch(store, 1, by="Ana", draft=True).batch) == ["P1-2"]
    store.write("DELETE FROM journal.intent", "UPDATE journal.batch SET state = 'done' WHERE batch_id = 1")
    outcome(store, 1, "P1-1", "success", "003XX0000000001AAA", "ah1", datetime.now(UTC))
    assert rows_of(store, create_batch(store, 1, by="Ana", draft=True).batch) == ["P1-2"]


def test_a_cancelled_batch_frees_what_it_never_sent(mixed, settings):
    first = create_batch(mixed, 1, by="Ana").batch
    approve_batch(mixed, settings, first, by="Bo")
    assert cancel_batch(mixed, first, by="Ana", reason="later").state is BatchState.CANCELLED
    assert create_batch(mixed, 1, by="Ana").rows == 3


def outcome(store, batch_id, change_id, status, record_id, mainstay_id, when):
    store.write(
        ("INSERT INTO journal.intent VALUES ($b, $c, 1, 'run', 'mainstay', 'PUT', '', '{}', $t)",
         {"b": batch_id, "c": change_id, "t": when}),
        ("""INSERT INTO journal.outcome VALUES (1, $b, $c, 'export', $s, [], NULL, NULL, NULL, 200, 'Contact', $r, $m, 1,
            'success', [], 'push', $t)""",
         {"b": batch_id, "c": change_id, "s": status, "r": record_id, "m": mainstay_id, "t": when}),
    )  # fmt: skip


@pytest.mark.parametrize(("status", "when", "taken"), [
    ("success", datetime(2026, 1, 5, 10, tzinfo=UTC), ["P2-3"]),
    ("unknown", datetime(2026, 1, 5, 10, tzinfo=UTC), ["P2-3"]),
    ("fail", datetime(2026, 1, 5, 10, tzinfo=UTC), ["P2-1", "P2-2", "P2-3"]),
    ("success", datetime(2026, 1, 5, 8, tzinfo=UTC), ["P2-1", "P2-2", "P2-3"]),
])  # fmt: skip
def test_a_record_sent_since_the_pull_needs_a_new_preview(store, settings, status, when, taken):
    """Another preview over the same pulls would send the same create again."""
    preview(store, [change(1, mainstay_id="ah1")])
    preview(store, [change(1), change(2, mainstay_id="ah1"), change(3)], preview_id=2)
    batch = create_batch(store, 1, by="Ana").batch
    approve_batch(store, settings, batch, by="Bo")
    store.write("UPDATE journal.batch SET state = 'done'")
    outcome(store, batch, "P1-1", status, "003XX0000000001AAA", "ah1", when)
    report = create_batch(store, 2, by="Ana")
    assert rows_of(store, report.batch) == taken


def test_a_record_sent_before_this_previews_own_pull_is_no_news(store, settings):
    """The older pull of an earlier preview does not count."""
    preview(store, [change(1)])
    batch = create_batch(store, 1, by="Ana").batch
    approve_batch(store, settings, batch, by="Bo")
    store.write("UPDATE journal.batch SET state = 'done'")
    outcome(store, batch, "P1-1", "success", "003XX0000000001AAA", None, datetime(2026, 1, 5, 10, tzinfo=UTC))
    pull(store, 2, datetime(2026, 1, 5, 11, tzinfo=UTC))
    preview(store, [change(1)], preview_id=2, pull_id=2)
    assert rows_of(store, create_batch(store, 2, by="Ana").batch) == ["P2-1"]


def test_when_the_catalogues_were_read_does_not_count_as_the_pull(store, settings):
    early = datetime(2026, 1, 5, 7, tzinfo=UTC)
    pull(store, 9, early, objects=(("salesforce", "field"),))
    preview(store, [change(1)])
    preview(store, [change(1)], preview_id=2)
    store.write("INSERT INTO preview.pin VALUES (2, 'salesforce', 'field', 9)")
    batch = create_batch(store, 1, by="Ana").batch
    approve_batch(store, settings, batch, by="Bo")
    store.write("UPDATE journal.batch SET state = 'done'")
    outcome(store, batch, "P1-1", "success", "003XX0000000001AAA", None, datetime(2026, 1, 5, 8, tzinfo=UTC))
    assert create_batch(store, 2, by="Ana").rows == 1


def test_a_record_waiting_in_a_batch_of_another_preview_is_left_out(store, settings):
    preview(store, [change(1), change(2)])
    preview(store, [change(1), change(3)], preview_id=2)
    approve_batch(store, settings, create_batch(store, 1, by="Ana").batch, by="Bo")
    report = create_batch(store, 2, by="Ana")
    assert (rows_of(store, report.batch), report.left_out) == (
        ["P2-3"], {"its record is in a batch of another preview": 1},
    )  # fmt: skip


def test_a_record_whose_request_has_no_end_is_left_out_whatever_became_of_the_others(store, settings):
    preview(store, [change(1), change(2)])
    preview(store, [change(1), change(3)], preview_id=2)
    batch = create_batch(store, 1, by="Ana").batch
    approve_batch(store, settings, batch, by="Bo")
    outcome(store, batch, "P1-2", "fail", "003XX0000000002AAA", None, datetime.now(UTC))
    store.write(
        "UPDATE journal.batch SET state = 'done'",
        "INSERT INTO journal.intent VALUES (1, 'P1-1', 1, 'run', 'mainstay', 'PUT', '', '{}', now())",
    )
    assert rows_of(store, create_batch(store, 2, by="Ana").batch) == ["P2-3"]


def test_a_group_goes_on_after_its_first_member_was_sent(grouped, settings):
    first = create_batch(grouped, 1, by="Ana", chosen=Slice(change_ids=["P1-1"])).batch
    approve_batch(grouped, settings, first, by="Bo")
    with pytest.raises(ApprovalRefused, match="P1-2"):
        create_batch(grouped, 1, by="Ana", chosen=Slice(change_ids=["P1-2"]))
    grouped.write("UPDATE journal.batch SET state = 'done'")
    outcome(grouped, first, "P1-1", "success", "003XX0000000001AAA", None, datetime.now(UTC))
    assert create_batch(grouped, 1, by="Ana", chosen=Slice(change_ids=["P1-2"])).rows == 1


@pytest.mark.parametrize("status", ["fail", "unknown"])
def test_a_group_does_not_go_on_after_a_member_that_wrote_nothing_for_certain(grouped, settings, status):
    first = create_batch(grouped, 1, by="Ana", chosen=Slice(change_ids=["P1-1"])).batch
    approve_batch(grouped, settings, first, by="Bo")
    grouped.write("UPDATE journal.batch SET state = 'done'")
    outcome(grouped, first, "P1-1", status, None, None, datetime.now(UTC))
    with pytest.raises(ApprovalRefused, match="P1-2"):
        create_batch(grouped, 1, by="Ana", chosen=Slice(change_ids=["P1-2"]))


def test_a_draft_waits_for_its_submission_and_steps_are_journalled(mixed, settings):
    batch = create_batch(mixed, 1, by="Ana", draft=True).batch
    with pytest.raises(ApprovalRefused, match="Submit it first"):
        approve_batch(mixed, settings, batch, by="Bo")
    submit_batch(mixed, batch, by="Ana")
    report = reject_batch(mixed, batch, by="Bo", reason="not this week")
    steps = [(event["to_state"], event["who"], event["reason"]) for event in report.events]
    assert steps == [("draft", "Ana", ""), ("submitted", "Ana", ""), ("rejected", "Bo", "not this week")]
    assert [row.batch_id for row in list_batches(mixed, BatchState.REJECTED)] == [batch]
    assert list_batches(mixed, BatchState.DONE) == []


def test_of_several_approvers_at_once_one_wins(mixed, settings):
    batch = create_batch(mixed, 1, by="Ana").batch
    ends = []

    def approve(name):
        try:
            ends.append(approve_batch(mixed, settings, batch, by=name).approved_by)
        except WorkbenchError as error:
            ends.append(error)

    threads = [threading.Thread(target=approve, args=(name,)) for name in ("Bo", "Cy", "Di")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [end for end in ends if isinstance(end, str)]
    assert winners == [show_batch(mixed, batch).approved_by]
    assert all(isinstance(end, ApprovalRefused) for end in ends if end not in winners)
    assert [event["to_state"] for event in show_batch(mixed, batch).events].count("approved") == 1


def test_batches_are_numbered_one_by_one(mixed):
    ends = [create_batch(mixed, 1, by="Ana", draft=True).batch for _ in range(3)]
    assert ends == [1, 2, 3]


def test_an_open_request_keeps_a_batch_from_being_cancelled(mixed, settings):
    batch = create_batch(mixed, 1, by="Ana").batch
    approve_batch(mixed, settings, batch, by="Bo")
    mixed.write(
        "UPDATE journal.batch SET state = 'paused'",
        "INSERT INTO journal.intent VALUES (1, 'P1-1', 1, 'run', 'mainstay', 'PUT', '', '{}', now())",
    )
    with pytest.raises(ApprovalRefused, match="1 requests whose end is unknown"):
        cancel_batch(mixed, batch, by="Ana")


@pytest.mark.parametrize("rule", ["undo", "resend"])
def test_what_is_put_back_or_sent_again_was_looked_at_by_a_person(mixed, rule):
    mixed.write(f"UPDATE preview.change SET guards = ['blank-value'], rule = '{rule}' WHERE change_id = 'P1-1'")
    assert "P1-1" in rows_of(mixed, create_batch(mixed, 1, by="Ana").batch)


def test_a_write_that_is_not_expected_to_succeed_is_taken_by_name_only(store):
    preview(store, [change(1, status="fail"), change(2, status=None), change(3)])
    report = create_batch(store, 1, by="Ana")
    assert (rows_of(store, report.batch), report.left_out) == (["P1-3"], {"predicted to fail": 2})


def test_guarded_changes_are_taken_by_name_only(mixed):
    mixed.write("UPDATE preview.change SET guards = ['blank-value'] WHERE change_id = 'P1-1'")
    report = create_batch(mixed, 1, by="Ana")
    assert report.left_out["guarded: blank-value"] == 1
    assert "P1-1" not in rows_of(mixed, report.batch)
    for chosen in (Slice(guards=["blank-value"]), Slice(change_ids=["P1-1"]), Slice(actions=["update"], all=True)):
        assert "P1-1" in rows_of(mixed, create_batch(mixed, 1, by="Ana", chosen=chosen).batch)
