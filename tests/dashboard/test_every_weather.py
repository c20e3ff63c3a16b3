"""Every screen in every weather: whatever is missing, busy, down or expired is said in words, never as a fault."""

import fcntl
import http.server
import threading
from contextlib import contextmanager
from pathlib import Path

SCREENS = sorted(path.stem for path in (Path(__file__).parents[2] / "dashboard" / "screens").glob("*.py"))
ASKING = {"fields": "Read both anew", "settings": "Check both connections"}


class Expired(http.server.BaseHTTPRequestHandler):
    """Both systems as they answer a session that has ended."""

    def do_GET(self):
        body = b'[{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]'
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 - the names of the server class

    def log_message(self, *_):
        pass


@contextmanager
def expired_systems():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Expired) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def visit_all(app, store, *, press=False):
    """Open every screen once in one session, pressing what asks the other systems; the errors that were shown."""
    running = app(store)
    said = []
    for screen in SCREENS:
        running.switch_page(f"screens/{screen}.py").run()
        button = next((one for one in running.button if one.label == ASKING.get(screen)), None)
        if press and button is not None:
            button.click().run()
        assert not running.exception, (screen, running.exception)
        assert not any("met a fault" in one.value for one in running.error), screen
        assert running.title, screen  # at the least, the page says which one it is
        said += [one.value for one in running.error]
    return said


def test_an_empty_store(app, empty_store):
    assert visit_all(app, empty_store) == []


def test_a_store_with_a_mapping_and_no_pull(app, empty_store, helpers):
    from importlib import resources

    from workbench.store.mappings import save_mapping

    save_mapping(empty_store, (resources.files("workbench") / "sample_mapping.yaml").read_text(), author="D", reason="")

    assert visit_all(app, empty_store) == []


def test_both_systems_down(app, small_store):
    """Reading what is stored needs neither of them."""
    visit_all(app, small_store, press=True)


def test_an_expired_session(app, small_store, monkeypatch, helpers):
    with expired_systems() as address:
        monkeypatch.setitem(helpers.browser.SANDBOX, "WORKBENCH_SALESFORCE__INSTANCE_URL", address)
        monkeypatch.setitem(helpers.browser.SANDBOX, "WORKBENCH_MAINSTAY__BASE_URL", f"{address}/")
        visit_all(app, small_store, press=True)


def test_a_busy_store_says_so_and_offers_to_try_again(app, small_store, monkeypatch):
    from dashboard import session

    running = app(small_store)
    monkeypatch.setattr(session.store(), "patience_seconds", 0.1)
    with Path(f"{small_store.path}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        session.st.cache_data.clear()  # what was read before would still be shown, and rightly
        for screen in SCREENS:
            running.switch_page(f"screens/{screen}.py").run()
            assert not running.exception, screen
            assert all("in use by another process" in one.value for one in running.warning), screen
        fcntl.flock(lock, fcntl.LOCK_UN)

    running.switch_page("screens/overview.py").run()
    assert not running.warning
