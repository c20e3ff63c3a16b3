import pytest

from dashboard import session
from workbench.settings import AccessSettings, Settings


@pytest.mark.parametrize(("wanted", "given"), [("viewer", "viewer"), ("admin", "approver"), ("nonsense", "viewer")])
def test_a_session_may_be_given_less_but_never_more(monkeypatch, wanted, given):
    monkeypatch.setattr(session.st, "session_state", {"role": wanted})
    monkeypatch.setattr(session, "settings", lambda: Settings(access=AccessSettings(local_role="approver")))

    assert session.person().role == given


def test_a_fault_of_a_screen_shows_no_details(monkeypatch):
    """Tracebacks carry field values; they stay in the log of the process."""
    said = []
    monkeypatch.setattr(session.st, "error", lambda text, **_: said.append(text))

    def broken():
        raise ValueError("amy@mail.example.org")

    session.guarded(broken)

    assert "amy" not in said[0]
