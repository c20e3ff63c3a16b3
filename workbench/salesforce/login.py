"""Getting a session: the four ways into an org, tried in one order, and the one HTTP session behind them all.

Order: access token; OAuth client credentials; OAuth JWT bearer; username, password and security token (SOAP).
Source: Salesforce wire reference, sections 2 and 12.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from xml.parsers.expat import ExpatError

import jwt
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import SalesforceLogin

from workbench.errors import AuthenticationFailed, ConfigurationError, TransientError
from workbench.settings import SalesforceSettings

OAUTH_PATH: Final = "/services/oauth2/token"
JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LAST_SOAP_LOGIN_VERSION: Final = 64.0
MOST_ASKED_SECONDS: Final = 300.0
SHARED_HOSTS: Final = ("login", "test")

_NEXT_STEP: Final = {
    "INVALID_LOGIN": "Check username, password and security token; a new password also makes a new security token.",
    "INVALID_OPERATION": "This org has switched the password login off; use a connected app (consumer key and secret).",
    "LOGIN_MUST_USE_SECURITY_TOKEN": "Set WORKBENCH_SALESFORCE__SECURITY_TOKEN to the token from the user's settings.",
    "invalid_grant": "Check the user's permission for the connected app, and the clock of this machine.",
    "invalid_client": "Check the consumer secret.",
    "invalid_client_id": "Check the consumer key.",
}


@dataclass(frozen=True)
class Login:
    """A session token and the host (`name[:port]`) it is good for."""

    token: str
    host: str

    def __repr__(self) -> str:
        return f"Login(host={self.host!r})"


class Wire(HTTPAdapter):
    """The adapter of every request: a timeout always, plain http to loopback, and never to any other host.

    simple-salesforce builds https addresses and knows no timeouts, whatever it is told.
    """

    def __init__(self, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self.asked_seconds = 0.0  # what the latest refusal asked to wait (Retry-After)
        super().__init__(pool_maxsize=16)

    def send(  # noqa: PLR0917  the signature of requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        parts = urlsplit(request.url or "")
        if is_loopback(parts.hostname):
            request.url = urlunsplit(parts._replace(scheme="http"))
        elif parts.scheme != "https":
            raise ConfigurationError(f"Salesforce at {parts.hostname} is only reached over https. Correct the address.")
        wait = timeout or (min(10.0, self.timeout_seconds), self.timeout_seconds)
        answer = super().send(request, stream=stream, timeout=wait, verify=verify, cert=cert, proxies=proxies)
        asked = answer.headers.get("Retry-After", "")
        self.asked_seconds = min(float(asked), MOST_ASKED_SECONDS) if asked.isdigit() else 0.0
        return answer


def is_loopback(host: str | None) -> bool:
    """Whether a host name is this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("127.0.0.1.example.com")
    (True, True, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def open_session(timeout_seconds: float) -> requests.Session:
    """A session without proxies and netrc (`trust_env` off), on the `Wire` adapter."""
    session = requests.Session()
    session.trust_env = False
    wire = Wire(timeout_seconds)
    session.mount("https://", wire)
    session.mount("http://", wire)
    return session


def asked_seconds(session: requests.Session) -> float:
    """How long the latest answer asked to wait before the next request; 0 where it asked nothing."""
    wire = session.get_adapter("https://")
    return wire.asked_seconds if isinstance(wire, Wire) else 0.0


def login_kinds(settings: SalesforceSettings) -> list[str]:
    """The ways in that these settings allow, best first: token, client credentials, jwt, password."""
    kinds = []
    if settings.access_token and settings.instance_url:
        kinds.append("token")
    if settings.consumer_key and settings.consumer_secret and _own_host(settings):
        kinds.append("client credentials")
    if settings.consumer_key and settings.private_key_file and settings.username:
        kinds.append("jwt")
    if settings.username and settings.password:
        kinds.append("password")
    return kinds


def log_in(settings: SalesforceSettings, session: requests.Session, *, is_again: bool = False) -> Login:
    """Log in the best way the settings allow. `is_again` leaves out the fixed access token, which has expired.

    Raises ConfigurationError (nothing to log in with), AuthenticationFailed (refused), TransientError (try later),
    requests.RequestException (not reached).
    """
    kinds = [kind for kind in login_kinds(settings) if not (is_again and kind == "token")]
    if not kinds and is_again:
        raise AuthenticationFailed(
            "The Salesforce session has expired, and there are only settings for that one access token. Set a new "
            "WORKBENCH_SALESFORCE__ACCESS_TOKEN, or a consumer key and secret, which renew it by themselves."
        )
    if not kinds:
        raise ConfigurationError("Salesforce is not connected:", _missing(settings))
    match kinds[0]:
        case "token":
            return _given_token(settings)
        case "client credentials":
            return _client_credentials(settings, session)
        case "jwt":
            return _jwt(settings, session)
        case _:
            return _password(settings, session)


def _missing(settings: SalesforceSettings) -> list[str]:
    if settings.access_token:
        return ["set WORKBENCH_SALESFORCE__INSTANCE_URL, the org's address, beside the access token"]
    if settings.consumer_key and settings.consumer_secret:
        return [
            "set WORKBENCH_SALESFORCE__INSTANCE_URL to the org's My Domain; the shared login hosts refuse this login"
        ]
    return [
        "set WORKBENCH_SALESFORCE__INSTANCE_URL with __CONSUMER_KEY and __CONSUMER_SECRET of a connected app,",
        "or __INSTANCE_URL with __ACCESS_TOKEN,",
        "or __USERNAME with __CONSUMER_KEY and __PRIVATE_KEY_FILE, or with __PASSWORD and __SECURITY_TOKEN",
    ]


def _host(url: str) -> str:
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if not parts.hostname:
        raise ConfigurationError(
            "WORKBENCH_SALESFORCE__INSTANCE_URL is not an address like https://name.my.salesforce.com"
        )
    return parts.netloc.rpartition("@")[2]


def _domain_url(domain: str) -> str:
    return f"https://{domain}" if domain.endswith(".salesforce.com") else f"https://{domain}.salesforce.com"


def _instance(settings: SalesforceSettings) -> str | None:
    return f"https://{_host(settings.instance_url)}" if settings.instance_url else None


def _own_host(settings: SalesforceSettings) -> str | None:
    """The org's own address for OAuth; login.salesforce.com and test.salesforce.com refuse client credentials."""
    if (own := _instance(settings)) is not None:
        return own
    if settings.login_url:
        return settings.login_url.rstrip("/")
    return None if settings.domain in SHARED_HOSTS else _domain_url(settings.domain)


def _given_token(settings: SalesforceSettings) -> Login:
    assert settings.access_token is not None
    assert settings.instance_url is not None
    return Login(settings.access_token.get_secret_value(), _host(settings.instance_url))


def _client_credentials(settings: SalesforceSettings, session: requests.Session) -> Login:
    assert settings.consumer_secret is not None
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.consumer_key or "",
        "client_secret": settings.consumer_secret.get_secret_value(),
    }
    return _token_request(f"{_own_host(settings)}{OAUTH_PATH}", form, session)


def _jwt(settings: SalesforceSettings, session: requests.Session) -> Login:
    """A signed assertion instead of a password. The audience is the shared login host, whatever host is asked."""
    assert settings.private_key_file is not None
    try:
        key = settings.private_key_file.read_bytes()
        shared = settings.domain if settings.domain in SHARED_HOSTS else "login"
        claims = {
            "iss": settings.consumer_key,
            "sub": settings.username,
            "aud": _domain_url(shared),
            "exp": int(time.time()) + 170,
        }
        assertion = jwt.encode(claims, key, algorithm="RS256")
    except OSError as error:
        raise ConfigurationError(f"The private key of Salesforce cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError, jwt.PyJWTError):
        raise ConfigurationError(
            "WORKBENCH_SALESFORCE__PRIVATE_KEY_FILE holds no RSA private key in PEM form."
        ) from None
    host = settings.login_url or (None if settings.domain in SHARED_HOSTS else _domain_url(settings.domain))
    host = host or _own_host(settings) or _domain_url(settings.domain)
    return _token_request(host.rstrip("/") + OAUTH_PATH, {"grant_type": JWT_GRANT, "assertion": assertion}, session)


def _token_request(url: str, form: Mapping[str, str], session: requests.Session) -> Login:
    answer = session.post(url, data=form, headers={"Accept": "application/json"}, allow_redirects=False)
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        body = {}
    body = body if isinstance(body, dict) else {}
    if answer.status_code >= 500 or answer.status_code == 429:
        raise TransientError("Salesforce could not log anybody in just now. Try again.", status=answer.status_code)
    if answer.status_code != 200 or not body.get("access_token") or not body.get("instance_url"):
        raise _refused(str(body.get("error") or f"HTTP {answer.status_code}"), body.get("error_description"))
    return Login(str(body["access_token"]), _host(str(body["instance_url"])))


def _password(settings: SalesforceSettings, session: requests.Session) -> Login:
    """SOAP login, which exists up to API version 64."""
    assert settings.password is not None
    token = settings.security_token.get_secret_value() if settings.security_token else ""
    try:
        session_id, host = SalesforceLogin(
            username=settings.username,
            password=settings.password.get_secret_value(),
            security_token=token,
            sf_version=f"{min(float(settings.api_version), LAST_SOAP_LOGIN_VERSION):.1f}",
            session=session,
            domain=settings.domain,
            # The org's own address logs in too; without one, simple-salesforce asks the domain's shared host.
            scratch_url=(settings.login_url or _instance(settings) or "").rstrip("/") or None,
        )
    except SalesforceAuthenticationFailed as error:
        if isinstance(error.code, int) and (error.code >= 500 or error.code == 429):
            raise TransientError(
                "Salesforce could not log anybody in just now. Try again.", status=error.code
            ) from None
        raise _refused(str(error.code), error.auth_message) from None
    except (ExpatError, UnicodeDecodeError):
        raise TransientError("Salesforce answered the login with something that is no XML. Try again.") from None
    return Login(session_id, host)


def _refused(code: str, description: str | None) -> AuthenticationFailed:
    name = code.rpartition(":")[2]  # the SOAP code may come with its namespace
    said = f" ({str(description)[:300]})" if description else ""
    step = _NEXT_STEP.get(name, "Check the credentials, and that the user may use the API.")
    return AuthenticationFailed(f"Salesforce refused the login: {name}{said}. {step}")
