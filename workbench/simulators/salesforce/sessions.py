"""Who may come in: one user, one connected app, and the tokens given out.

Source: Salesforce wire reference, section 2.
"""

from __future__ import annotations

import hmac
import random
import string
from dataclasses import dataclass
from typing import Final

_LETTERS: Final = string.ascii_letters + string.digits + "._"
_TOKEN_LENGTH: Final = 90


@dataclass(frozen=True)
class Credentials:
    """What the sandbox accepts; known to everyone, opens synthetic data only."""

    username: str = "admin@example.edu"
    password: str = "sandbox-password"  # noqa: S105  known to everyone
    security_token: str = "sandbox-security-token"  # noqa: S105  known to everyone
    client_id: str = "sandbox-consumer-key"
    client_secret: str = "sandbox-consumer-secret"  # noqa: S105  known to everyone
    jwt_public_key: str | None = None
    refresh_token: str = "sandbox-refresh-token"  # noqa: S105  known to everyone


class Sessions:
    """Tokens in force. A token tells no lifetime; `expire` ends all, as time or an administrator would."""

    def __init__(self, org_id: str, access_token: str | None, seed: int) -> None:
        self._org_id = org_id[:15]
        self._random = random.Random(seed)
        self.first = access_token or self._made()
        self._valid = {self.first}
        self.login_count = 0

    def open(self) -> str:
        """A new token after a login."""
        token = self._made()
        self._valid.add(token)
        self.login_count += 1
        return token

    def is_valid(self, authorization: str | None) -> bool:
        """Whether an Authorization header carries a token in force."""
        scheme, _, token = (authorization or "").partition(" ")
        return scheme.lower() in ("bearer", "oauth") and token.strip() in self._valid

    def expire(self) -> None:
        self._valid.clear()

    def _made(self) -> str:
        return f"{self._org_id}!" + "".join(self._random.choices(_LETTERS, k=_TOKEN_LENGTH))


def same(given: str | None, expected: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), expected.encode())
