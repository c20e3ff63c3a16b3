"""SOAP login, OAuth tokens and the user's own card.

Source: Salesforce wire reference, sections 2 and 14.
"""

from __future__ import annotations

import base64
import binascii
import re
from html import escape, unescape
from typing import Final
from urllib.parse import parse_qsl

from workbench.simulators.salesforce.doors_objects import OLDEST_VERSION
from workbench.simulators.salesforce.jwt_bearer import jwt_problem
from workbench.simulators.salesforce.organisation import SalesforceOrg
from workbench.simulators.salesforce.sessions import same
from workbench.simulators.salesforce.wire import JSON_TYPE, Call, Reply

_SOAP_TYPE: Final = "text/xml; charset=utf-8"
_LAST_SOAP_LOGIN: Final = 64  # login() left the SOAP API with version 65
_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:fault.partner.soap.sforce.com" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
)
_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def soap_login(org: SalesforceOrg, call: Call) -> Reply:
    """POST /services/Soap/u/NN.0: password and security token, run together."""
    text = call.body.decode(errors="replace")
    if not re.search(r"<(?:\w+:)?login[\s>]", text):
        return _fault("INVALID_OPERATION", "This sandbox knows only login() of the SOAP API.")
    if float(call.version) < OLDEST_VERSION:
        return _fault("UNSUPPORTED_API_VERSION", f"API version {call.version} is retired.", "UnexpectedErrorFault")
    if float(call.version) > _LAST_SOAP_LOGIN:
        return _fault("INVALID_OPERATION", f"SOAP API login() is not supported in API version {call.version}.")
    known = org.credentials
    password = f"{known.password}{known.security_token}"
    if not (same(_element(text, "username"), known.username) and same(_element(text, "password"), password)):
        return _fault("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
    server = f"{call.base_url}/services/Soap/u/{call.version}/{org.org_id[:15]}"
    user = f"<userFullName>Sandbox Admin</userFullName><userName>{escape(known.username)}</userName>"
    result = (
        f"<metadataServerUrl>{server.replace('/u/', '/m/')}</metadataServerUrl><passwordExpired>false</passwordExpired>"
        f"<sandbox>true</sandbox><serverUrl>{server}</serverUrl><sessionId>{org.sessions.open()}</sessionId>"
        f"<userId>{org.user_id}</userId><userInfo><organizationId>{org.org_id}</organizationId>"
        f"<organizationName>Sandbox University</organizationName>{user}<userId>{org.user_id}</userId>"
        "<sessionSecondsValid>7200</sessionSecondsValid></userInfo>"
    )
    return _soap(200, f"<loginResponse><result>{result}</result></loginResponse>")


def _element(text: str, name: str) -> str | None:
    found = re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>(.*?)</(?:\w+:)?{name}>", text, re.DOTALL)
    return unescape(found.group(1)) if found else None


def _fault(code: str, message: str, kind: str = "LoginFault") -> Reply:
    detail = (
        f'<detail><sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{escape(message)}</sf:exceptionMessage></sf:{kind}></detail>"
    )
    fault = f"<faultcode>sf:{code}</faultcode><faultstring>{code}: {escape(message)}</faultstring>{detail}"
    return _soap(500, f"<soapenv:Fault>{fault}</soapenv:Fault>")


def _soap(status: int, body: str) -> Reply:
    return Reply(status, _ENVELOPE.format(body=body).encode(), {"content-type": _SOAP_TYPE})


def oauth_token(org: SalesforceOrg, call: Call) -> Reply:
    """POST /services/oauth2/token: client credentials, JWT bearer, and the password and refresh token grants."""
    form = dict(parse_qsl(call.body.decode(errors="replace"), keep_blank_values=True))
    form = {**call.query, **form}
    grant = form.get("grant_type")
    if grant == _JWT_GRANT:
        problem = jwt_problem(org.credentials, form.get("assertion", ""), org.clock())
        return _refused("invalid_grant", problem) if problem else _granted(org, call)
    client_id, client_secret = _client(form, call.headers.get("authorization"))
    if grant not in ("client_credentials", "password", "refresh_token"):
        return _refused("unsupported_grant_type", "grant type not supported")
    known = org.credentials
    if not same(client_id, known.client_id):
        return _refused("invalid_client_id", "client identifier invalid")
    if not same(client_secret, known.client_secret):
        return _refused("invalid_client", "invalid client credentials")
    problem = _grant_problem(org, grant, form)
    return _refused("invalid_grant", problem) if problem else _granted(org, call)


def _grant_problem(org: SalesforceOrg, grant: str, form: dict[str, str]) -> str | None:
    """What is wrong with a known app's request, None where nothing is."""
    known = org.credentials
    if grant == "password":
        passwords = (known.password, f"{known.password}{known.security_token}")
        is_known = same(form.get("username"), known.username)
        if not is_known or not any(same(form.get("password"), password) for password in passwords):
            return "authentication failure"
    if grant == "refresh_token" and not same(form.get("refresh_token"), known.refresh_token):
        return "expired access/refresh token"
    return None


def _client(form: dict[str, str], authorization: str | None) -> tuple[str | None, str | None]:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id"), form.get("client_secret")
    try:
        client_id, _, client_secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return client_id, client_secret


def _granted(org: SalesforceOrg, call: Call) -> Reply:
    body = {
        "access_token": org.sessions.open(),
        "signature": base64.b64encode(org.org_id.encode()).decode(),
        "scope": "api",
        "instance_url": call.base_url,
        "id": _identity_url(org, call),
        "token_type": "Bearer",
        "issued_at": str(int(org.clock().timestamp() * 1000)),
    }
    return Reply(200, body, {"cache-control": "no-store", "content-type": JSON_TYPE})


def _refused(error: str, description: str) -> Reply:
    return Reply(400, {"error": error, "error_description": description})


def userinfo(org: SalesforceOrg, call: Call) -> Reply:
    """GET /services/oauth2/userinfo: the user behind the token, in OpenID Connect's words."""
    return Reply(
        200,
        {
            "sub": _identity_url(org, call),
            "user_id": org.user_id,
            "organization_id": org.org_id,
            "preferred_username": org.credentials.username,
            "nickname": "sandbox",
            "name": "Sandbox Admin",
            "given_name": "Sandbox",
            "family_name": "Admin",
            "email": org.credentials.username,
            "email_verified": True,
            "zoneinfo": "America/New_York",
            "locale": "en_US",
            "user_type": "STANDARD",
            "active": True,
            "urls": _urls(call),
        },
    )


def identity(org: SalesforceOrg, call: Call) -> Reply:
    """GET /id/ORG/USER, the identity url that a token answer names: the same user in Salesforce's own words."""
    return Reply(
        200,
        {
            "id": _identity_url(org, call),
            "asserted_user": True,
            "user_id": org.user_id,
            "organization_id": org.org_id,
            "username": org.credentials.username,
            "nick_name": "sandbox",
            "display_name": "Sandbox Admin",
            "email": org.credentials.username,
            "email_verified": True,
            "first_name": "Sandbox",
            "last_name": "Admin",
            "timezone": "America/New_York",
            "status": {"created_date": None, "body": None},
            "urls": _urls(call),
            "active": True,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": -18000000,
            "is_app_installed": True,
        },
    )


def _identity_url(org: SalesforceOrg, call: Call) -> str:
    return f"{call.base_url}/id/{org.org_id}/{org.user_id}"


def _urls(call: Call) -> dict[str, str]:
    """Addresses with the word {version} left to be filled in, as Salesforce gives them."""
    root = f"{call.base_url}/services/data/v{{version}}/"
    return {"rest": root, "sobjects": f"{root}sobjects/", "query": f"{root}query/"}
