"""The JWT bearer flow: whether an assertion was signed by the app and names app, user and audience.

Source: Salesforce wire reference, section 2.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import jwt

from workbench.simulators.salesforce.sessions import Credentials

_AUDIENCES: Final = frozenset({"https://login.salesforce.com", "https://test.salesforce.com"})
_LIFETIME: Final = timedelta(minutes=3, seconds=5)  # five seconds for clocks that differ
# simple-salesforce sends exp as a text, which the library's own check would refuse: it is checked here.
_OPTIONS: Final[Any] = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}


def jwt_problem(credentials: Credentials, assertion: str, now: datetime) -> str | None:
    """The error_description of a refused assertion, None where it is good."""
    if credentials.jwt_public_key is None:
        return "user hasn't approved this consumer"
    try:
        claims = jwt.decode(assertion, credentials.jwt_public_key, algorithms=["RS256"], options=_OPTIONS)
    except jwt.PyJWTError:
        return "invalid assertion"
    problems = {
        "client identifier invalid": claims.get("iss") != credentials.client_id,
        "audience is invalid": claims.get("aud") not in _AUDIENCES,
        "user hasn't approved this consumer": claims.get("sub") != credentials.username,
        "expired authorization code": not 0 < _seconds_left(claims, now) <= _LIFETIME.total_seconds(),
    }
    return next((problem for problem, is_so in problems.items() if is_so), None)


def _seconds_left(claims: dict[str, Any], now: datetime) -> float:
    try:
        return float(claims["exp"]) - now.timestamp()
    except (KeyError, TypeError, ValueError):
        return 0.0
