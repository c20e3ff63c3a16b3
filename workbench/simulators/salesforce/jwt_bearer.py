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
    if claims.get("iss") != credentials.client_id:
        return "client identifier invalid"
    audience = claims.get("aud")
    if audience not in _AUDIENCES:
        return "audience is invalid"
    if claims.get("sub") != credentials.username:
        return "user hasn't approved this consumer"
    try:
        ends_at = float(claims["exp"])
    except (KeyError, TypeError, ValueError):
        return "expired authorization code"
    left_seconds = ends_at - now.timestamp()
    return None if 0 < left_seconds <= _LIFETIME.total_seconds() else "expired authorization code"
