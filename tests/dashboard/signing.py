"""A dashboard behind a real identity provider, and people who sign in at it with browsers of their own."""

from __future__ import annotations

import contextlib
import re

SECRETS = """[auth]
redirect_uri = "{url}/oauth2callback"
cookie_secret = "a-secret-of-this-test-alone"
client_id = "workbench"
client_secret = "workbench-secret"
server_metadata_url = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
"""


@contextlib.contextmanager
def signed_site(browser, provider, database, people, environment, folder):
    """The address of a dashboard over `database`. provider: the module; people: subject -> claims."""
    users = [provider.User(sub=sub, claims=claims) for sub, claims in people.items()]
    port = browser.free_port()
    with provider.run_server_in_thread(user_claims=users) as running:
        secrets = folder / "secrets.toml"
        secrets.write_text(SECRETS.format(url=f"http://127.0.0.1:{port}", provider=running.server_port))
        options = [f"--secrets.files={secrets}"]
        log = folder / "streamlit.log"
        with browser.serve(database, log, environment=environment, port=port, options=options) as url:
            yield url


class Desks:
    """One browser context per person: whoever has signed in stays so until they leave."""

    def __init__(self, chrome, browser, site):
        self.chrome, self.browser, self.site = chrome, browser, site
        self.contexts = {}

    def open(self, sub, path="/"):
        """A new page of somebody's browser at an address, after a sign-in where they had none."""
        is_new = sub not in self.contexts
        if is_new:
            size = {"width": 1440, "height": 1100}
            self.contexts[sub] = self.chrome.new_context(viewport=size, timezone_id="UTC", reduced_motion="reduce")
        page = self.contexts[sub].new_page()
        page.set_default_timeout(30_000)
        page.goto(self.site + path)
        self.browser.wait_idle(page)
        if is_new:
            self._sign_in(page, sub)
        return page

    def _sign_in(self, page, sub):
        assert page.get_by_role("heading", level=1).count() == 0
        assert page.get_by_test_id("stSidebarNav").count() == 0
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(re.compile("/oauth2/authorize"))
        page.locator("input[name=sub]").fill(sub)
        page.get_by_role("button", name=re.compile("authorize", re.IGNORECASE)).first.click()
        page.wait_for_url(re.compile(re.escape(self.site)))
        self.browser.wait_idle(page)

    def leave(self, sub):
        self.contexts.pop(sub).close()

    def leave_all(self):
        for sub in list(self.contexts):
            self.leave(sub)
