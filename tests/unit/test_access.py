"""Roles: who may do what, asked again by every operation that changes something."""

import doctest
from datetime import UTC, datetime, timedelta

import pytest

from workbench import operations
from workbench.domain import access
from workbench.domain.access import NEEDED, ROLES, Person, allowed, person_named
from workbench.errors import ConfigurationError, NotAllowed
from workbench.settings import AccessSettings, Settings, load_settings

NOW = datetime.now(UTC)


def test_examples_in_docstrings():
    assert doctest.testmod(access).failed == 0


@pytest.mark.parametrize("deed", NEEDED)
def test_a_deed_is_open_from_its_role_upwards(deed):
    may = [role for role in ROLES if Person("Amy", role).may(deed)]

    assert may == list(ROLES[ROLES.index(NEEDED[deed]) :])
    assert not Person("Amy", None).may(deed)


def test_a_refusal_names_the_role_that_is_needed():
    with pytest.raises(NotAllowed, match=r"takes the role approver; Amy has the role analyst\.$"):
        allowed(Person("Amy", "analyst"), "decide")


def test_a_name_is_known_however_it_is_written():
    settings = AccessSettings(roles={" Amy@X.edu": "approver"})

    assert person_named(settings, "amy@x.EDU").role == "approver"
    assert person_named(settings, "amy@x.edu.evil").role is None


def test_nobody_who_signed_in_has_a_role_that_no_setting_gives():
    assert person_named(AccessSettings(), "amy@x.edu", is_local=False).role is None


@pytest.mark.parametrize(("minutes_ago", "is_fresh"), [(14, True), (16, False), (60 * 24 * 29, False)])
def test_a_push_takes_a_recent_sign_in(minutes_ago, is_fresh):
    amy = Person("Amy", "approver", datetime.now(UTC) - timedelta(minutes=minutes_ago))

    if is_fresh:
        assert operations.check_push(Settings(), amy) == "Amy"
    else:
        with pytest.raises(NotAllowed, match="Sign in again"):
            operations.check_push(Settings(), amy)


@pytest.mark.parametrize(
    ("act", "role"),
    [
        (lambda by: operations.create_batch(None, 1, by=by), None),
        (lambda by: operations.create_batch(None, 1, by=by), "viewer"),
        (lambda by: operations.submit_batch(None, 1, by=by), "viewer"),
        (lambda by: operations.cancel_batch(None, 1, by=by), "viewer"),
        (lambda by: operations.pause_batch(None, 1, by=by), "viewer"),
        (lambda by: operations.approve_batch(None, Settings(), 1, by=by), "analyst"),
        (lambda by: operations.reject_batch(None, 1, by=by), "analyst"),
        (lambda by: operations.push_batch(None, Settings(), 1, by=by), "analyst"),
        (lambda by: operations.set_direction(None, "export", "off", by=by), "analyst"),
        (lambda by: operations.decide_conflict(None, "003", "email", "mainstay", by=by), "viewer"),
        (lambda by: operations.resend(None, Settings(), "SR-1", by=by), "viewer"),
        (lambda by: operations.undo_batch(None, Settings(), 1, by=by), "viewer"),
        (lambda by: operations.clear_results(None, NOW, NOW, by=by), "approver"),
        (lambda by: operations.disconnect(by=by), "approver"),
        (lambda by: operations.import_mapping(None, Settings(), "", by=by), "viewer"),
        (lambda by: operations.note_reveal(None, by, "people"), None),
    ],
)
def test_every_operation_asks_for_the_role_before_it_touches_anything(act, role):
    """There is no store behind these calls, so one that did not ask first would fail in another way."""
    with pytest.raises(NotAllowed):
        act(Person("Amy", role))


def test_roles_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("WORKBENCH_ACCESS__ROLES", '{"Amy@x.edu": "approver", "bo@x.edu": "viewer"}')
    monkeypatch.setenv("WORKBENCH_ACCESS__FRAMED_BY", '["https://acme.my.salesforce.com"]')

    found = load_settings()

    assert found.access.roles == {"amy@x.edu": "approver", "bo@x.edu": "viewer"}
    assert found.access.framed_by == ["https://acme.my.salesforce.com"]
    child = operations.as_environment(found)
    monkeypatch.setenv("WORKBENCH_ACCESS__ROLES", child["WORKBENCH_ACCESS__ROLES"])
    monkeypatch.setenv("WORKBENCH_ACCESS__FRAMED_BY", child["WORKBENCH_ACCESS__FRAMED_BY"])
    assert load_settings().access == found.access


@pytest.mark.parametrize("origin", ["*", "https://*.force.com", "https://x.edu/page", "javascript:alert(1)"])
def test_only_whole_origins_may_frame(monkeypatch, origin):
    monkeypatch.setenv("WORKBENCH_ACCESS__FRAMED_BY", f'["{origin}"]')

    with pytest.raises(ConfigurationError, match="FRAMED_BY"):
        load_settings()


def test_an_unknown_role_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("WORKBENCH_ACCESS__ROLES", '{"amy@x.edu": "owner"}')

    with pytest.raises(ConfigurationError, match="WORKBENCH_ACCESS__ROLES"):
        load_settings()
