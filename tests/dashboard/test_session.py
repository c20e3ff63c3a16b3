import pytest

from dashboard import session


@pytest.mark.parametrize(
    ("role", "deed", "allowed"),
    [
        ("viewer", "request", False),
        ("analyst", "request", True),
        ("analyst", "decide", False),
        ("approver", "decide", True),
        ("approver", "push", True),
        ("approver", "disconnect", False),
        ("admin", "disconnect", True),
    ],
)
def test_what_a_role_may_do(role, deed, allowed):
    assert session.Person("Amy", role).may(deed) is allowed


@pytest.mark.parametrize(("wanted", "given"), [("viewer", "viewer"), ("admin", "approver"), ("nonsense", "viewer")])
def test_a_session_may_be_given_less_but_never_more(monkeypatch, wanted, given):
    monkeypatch.setattr(session.st, "session_state", {"role": wanted})
    monkeypatch.setattr(session, "settings", object)

    assert session.person().role == given


def test_a_fault_of_a_screen_shows_no_details(monkeypatch):
    """Tracebacks carry field values; they stay in the log of the process."""
    said = []
    monkeypatch.setattr(session.st, "error", lambda text, **_: said.append(text))

    def broken():
        raise ValueError("amy@mail.example.org")

    session.guarded(broken)

    assert "amy" not in said[0]
