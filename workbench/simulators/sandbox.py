"""Both systems as real HTTP servers on loopback, each in its own thread, for demo mode and tests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import uvicorn
from starlette.types import ASGIApp

from workbench.simulators.mainstay import MainstayInstitution, mainstay_app
from workbench.simulators.mainstay.institution import DEFAULT_TOKEN, system_clock
from workbench.simulators.world import World

if TYPE_CHECKING:
    from workbench.simulators.salesforce import SalesforceOrg

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 30.0
# Large pages, so that 100,000 contacts are pulled in reasonable time; Mainstay's own size is not published.
_PAGE_SIZE: Final = 500


class Server:
    """One ASGI app on one loopback port, in its own thread and event loop; a context manager."""

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((_HOST, port))
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


@dataclass(frozen=True)
class SandboxRequest:
    """One request of either system: `headers` holds X-Workbench-Change where it was sent, `body` of writes only."""

    system: str
    method: str
    path: str
    headers: dict[str, str]
    status: int
    body: Any


class Sandbox:
    """Both simulators over one world. `port_salesforce`, `port_mainstay`: 0 picks a free one.

    `systems` names what is started. `page_size`: of every Mainstay list.
    `clock` gives the moment of each change on the Mainstay side.
    """

    def __init__(  # noqa: D417  described above
        self,
        world: World,
        port_salesforce: int = 0,
        port_mainstay: int = 0,
        *,
        systems: tuple[str, ...] = ("salesforce", "mainstay"),
        page_size: int = _PAGE_SIZE,
        token: str = DEFAULT_TOKEN,
        clock: Callable[[], datetime] = system_clock,
        has_sms: bool = True,
        has_web_bot: bool = True,
    ) -> None:
        self.world = world
        self._ports = {"salesforce": port_salesforce, "mainstay": port_mainstay}
        self._systems = systems
        self._servers: dict[str, Server] = {}
        self._running = ExitStack()
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
        self._org: SalesforceOrg | None = None
