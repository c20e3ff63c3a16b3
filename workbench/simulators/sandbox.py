"""Both systems as real HTTP servers on loopback, each in its own thread, for demo mode and tests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import uvicorn
from starlette.types import ASGIApp

from workbench.simulators.faults import Faults, System
from workbench.simulators.mainstay import MainstayInstitution, mainstay_app
from workbench.simulators.mainstay.institution import DEFAULT_TOKEN, SavedInstitution, system_clock
from workbench.simulators.mainstay.request_log import SeenRequest
from workbench.simulators.state_control import StateControl
from workbench.simulators.world import World

if TYPE_CHECKING:
    from workbench.simulators.salesforce import SalesforceOrg
    from workbench.simulators.salesforce.organisation import SavedOrg

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 30.0
# Large pages, so that 100,000 contacts are pulled in reasonable time; Mainstay's own size is not published.
_PAGE_SIZE: Final = 500
_SYSTEMS: Final[tuple[System, ...]] = ("salesforce", "mainstay")


class Server:
    """One ASGI app on one loopback port, in its own thread and event loop; a context manager."""

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        # With the protocol named, asyncio switches Nagle off; without, every small answer waits 40 ms for an ACK.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((_HOST, port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            access_log=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            backlog=512,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=f"sandbox-{self.port}", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"the sandbox server on port {self.port} did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()


class SandboxRequest(NamedTuple):
    """One request of either system; `headers` holds X-Workbench-Change where it was sent."""

    system: str
    method: str
    path: str
    headers: dict[str, str]
    status: int


@dataclass(frozen=True)
class SavedSandbox:
    """A moment of both systems to return to."""

    institution: SavedInstitution
    org: SavedOrg | None


class Sandbox:
    """Both simulators over one world; a context manager.

    `port_salesforce`, `port_mainstay`: 0 picks a free one. `systems`: what is started. `page_size`: of every Mainstay
    list. `clock`: gives the moment of each change on both sides. `faults`: a profile of `faults.PROFILES`; `.faults`
    holds the faults of each system for tests that plan single ones.
    """

    def __init__(
        self,
        world: World,
        port_salesforce: int = 0,
        port_mainstay: int = 0,
        *,
        systems: Sequence[System] = _SYSTEMS,
        page_size: int = _PAGE_SIZE,
        token: str = DEFAULT_TOKEN,
        clock: Callable[[], datetime] = system_clock,
        has_sms: bool = True,
        has_web_bot: bool = True,
        faults: str = "none",
        fault_seed: int = 0,
    ) -> None:
        self.world = world
        self._ports = {"salesforce": port_salesforce, "mainstay": port_mainstay}
        self._systems = tuple(systems)
        self._clock = clock
        self._servers: dict[str, Server] = {}
        self._running = ExitStack()
        self._org: SalesforceOrg | None = None
        self._state = StateControl(self.saved, self.restore)
        self.institution = MainstayInstitution(
            world.contacts,
            world.custom_fields,
            world.messages,
            world.campaigns,
            world.recipients,
            token=token,
            page_size=page_size,
            clock=clock,
            has_sms=has_sms,
            has_web_bot=has_web_bot,
        )
        self.faults: dict[System, Faults] = {
            "salesforce": Faults("salesforce", faults, seed=fault_seed, expire=self._expire_sessions),
            "mainstay": Faults("mainstay", faults, seed=fault_seed),
        }

    def __enter__(self) -> Self:
        try:
            if "salesforce" in self._systems:
                self._start_salesforce()
            if "mainstay" in self._systems:
                self._start("mainstay", mainstay_app(self.institution))
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def _start(self, system: System, app: ASGIApp) -> None:
        faulty = self.faults[system].wrap(self._state.wrap(app))
        self._servers[system] = self._running.enter_context(Server(faulty, self._ports[system]))

    def _start_salesforce(self) -> None:
        # Imported here: half of the tests need Mainstay alone, and the Salesforce side is the heavier one.
        from workbench.simulators.salesforce import SalesforceOrg, salesforce_app  # noqa: PLC0415

        self._org = SalesforceOrg(self.world.salesforce, clock=self._clock)
        self._running.callback(self._org.close)
        self._start("salesforce", salesforce_app(self._org))

    def _expire_sessions(self) -> None:
        if self._org is not None:
            self._org.expire_sessions()

    @property
    def salesforce_org(self) -> SalesforceOrg:
        """The running Salesforce organisation. Raises RuntimeError where only Mainstay was started."""
        if self._org is None:
            raise RuntimeError("the sandbox was started without Salesforce")
        return self._org

    @property
    def connection(self) -> dict[str, dict[str, str]]:
        """How to reach both systems, in the shape that `workbench sandbox --json` prints."""
        found: dict[str, dict[str, str]] = {}
        if self._org is not None and "salesforce" in self._servers:
            url, known = self._servers["salesforce"].url, self._org.credentials
            found["salesforce"] = {
                "instance_url": url,
                "access_token": self._org.access_token,
                "login_url": url,
                "username": known.username,
                "password": known.password,
                "security_token": known.security_token,
                "client_id": known.client_id,
                "client_secret": known.client_secret,
                "refresh_token": known.refresh_token,
            }
        if "mainstay" in self._servers:
            found["mainstay"] = {"base_url": f"{self._servers['mainstay'].url}/", "token": self.institution.token}
        return found

    def settings_env(self) -> dict[str, str]:
        """Environment variables that point the workbench at this sandbox, with a way to renew an expired session."""
        found: dict[str, str] = {}
        connection = self.connection
        if "salesforce" in connection:
            found["WORKBENCH_SALESFORCE__INSTANCE_URL"] = connection["salesforce"]["instance_url"]
            found["WORKBENCH_SALESFORCE__ACCESS_TOKEN"] = connection["salesforce"]["access_token"]
            found["WORKBENCH_SALESFORCE__CONSUMER_KEY"] = connection["salesforce"]["client_id"]
            found["WORKBENCH_SALESFORCE__CONSUMER_SECRET"] = connection["salesforce"]["client_secret"]
        if "mainstay" in connection:
            found["WORKBENCH_MAINSTAY__BASE_URL"] = connection["mainstay"]["base_url"]
            found["WORKBENCH_MAINSTAY__TOKEN"] = connection["mainstay"]["token"]
        return found

    @property
    def requests(self) -> list[SeenRequest]:
        """Every request of both systems in the order of their answers, with the bodies of writes."""
        seen: list[Any] = list(self.institution.log.requests)
        if self._org is not None:
            seen += self._org.log.requests
        return sorted(seen, key=lambda request: request.seen_at)

    @property
    def requests_seen(self) -> list[SandboxRequest]:
        """`requests` without bodies."""
        return [
            SandboxRequest(
                seen.system,
                seen.method,
                seen.path,
                {} if seen.change_id is None else {"X-Workbench-Change": seen.change_id},
                seen.status,
            )
            for seen in self.requests
        ]

    def saved(self) -> SavedSandbox:
        """This moment of both systems."""
        return SavedSandbox(self.institution.saved(), None if self._org is None else self._org.saved())

    def world_now(self) -> World:
        """Both systems as they are now, the truth of the start beside them; `world.to_folder` keeps it."""
        with self.institution.lock:
            contacts, history = self.institution.book.frame_now(), self.institution.history
            mainstay = (self.institution.custom_fields, history.messages, history.campaigns, history.recipients)
        records = self.world.salesforce if self._org is None else self._org.all_records()
        return World(records, contacts, *mainstay, self.world.truth)

    def restore(self, saved: SavedSandbox) -> None:
        """Return to a saved moment: records, contacts and live messages; the request logs stay."""
        self.institution.restore(saved.institution)
        if self._org is not None and saved.org is not None:
            self._org.restore(saved.org)
