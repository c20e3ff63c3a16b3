import contextlib
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from workbench.store import Store


def _module(name):
    """A helper beside this file; its folder is no package and shares names with other test folders."""
    spec = importlib.util.spec_from_file_location(f"dashboard_tests_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


browser = _module("browser")
rows = _module("rows")
signing = _module("signing")


@pytest.fixture(scope="session")
def helpers():
    """The modules beside this file: `helpers.browser`, `helpers.rows`, `helpers.signing`."""
    return SimpleNamespace(browser=browser, rows=rows, signing=signing)


@pytest.fixture
def empty_store(tmp_path):
    return Store(str(tmp_path / "empty.duckdb"))


@pytest.fixture
def small_store(tmp_path):
    return rows.fill(Store(str(tmp_path / "small.duckdb")))


@pytest.fixture
def app(monkeypatch):
    """Open a store in the app, in this process: `app(store, "results", status="fail")`."""
    from streamlit.testing.v1 import AppTest

    from dashboard import session

    def open_app(store, screen=None, **query):
        for name, value in {**browser.SANDBOX, "WORKBENCH_DATABASE": store.dsn}.items():
            monkeypatch.setenv(name, value)
        session.forget()
        running = AppTest.from_file(str(browser.ROOT / "dashboard" / "app.py"), default_timeout=60)
        running.run()
        if screen is not None:
            for name, value in query.items():
                running.query_params[name] = value
            running.switch_page(f"screens/{screen}.py").run()
        assert not running.exception, running.exception
        return running

    yield open_app
    session.forget()


@pytest.fixture(scope="session")
def chrome():
    if not browser.CHROMIUM.exists():
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with browser.chromium() as running:
        yield running


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The address of a dashboard over the small store, where one person has talked and the fields have been read."""
    folder = tmp_path_factory.mktemp("site")
    store = rows.fill(Store(str(folder / "small.duckdb")))
    rows.add_talk(store)
    rows.add_fields(store)
    with browser.serve(store.dsn, folder / "streamlit.log") as url:
        yield url


@pytest.fixture(scope="session")
def context(chrome):
    """One browser for all pages of the site: what it has fetched once it keeps, as a person's does."""
    context = chrome.new_context(**LOOK)
    yield context
    context.close()


@pytest.fixture
def page(context, site):
    """A page of the site; fails on script errors, console errors and every request to the outside."""
    with watched_page(context, site) as page:
        yield page


@pytest.fixture
def page_over(context, tmp_path):
    """page_over(store): the same over a store of the test's own."""
    with contextlib.ExitStack() as running:

        def open_page(store):
            url = running.enter_context(browser.serve(store.dsn, tmp_path / "streamlit.log"))
            return running.enter_context(watched_page(context, url))

        yield open_page


LOOK = {
    "viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", "locale": "en-GB", "timezone_id": "UTC"
}  # fmt: skip


@contextlib.contextmanager
def watched_page(context, site):
    page = context.new_page()
    page.set_default_timeout(20_000)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: said.type == "error" and "404" not in said.text and faults.append(said.text))
    page.on("request", lambda sent: _is_outside(sent.url) and faults.append(f"outside: {sent.url}"))

    def visit(path):
        page.goto(site + path)
        browser.wait_idle(page)

    page.visit = visit
    page.settle = lambda: browser.wait_idle(page)
    yield page
    page.close()
    assert not faults, faults


def _is_outside(url):
    return url.startswith("http") and "//127.0.0.1" not in url
