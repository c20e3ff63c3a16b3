"""Do the connections work, step by step: each passes or fails with the sentence to act on; a failure ends its side."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from workbench.errors import AuthenticationFailed, ConfigurationError, RemoteError, TransientError, WorkbenchError
from workbench.mainstay.client import MainstayClient
from workbench.salesforce.client import SalesforceClient
from workbench.salesforce.describe import SObject, resolve_path
from workbench.salesforce.login import is_loopback
from workbench.settings import SalesforceSettings, Settings
from workbench.stages.pull.plan import ALWAYS, plan_objects
from workbench.stages.pull.run import run_async

LOW_SHARE: Final = 0.1
# name.my.salesforce.com, name--box.sandbox.my.salesforce.com, and their like in other clouds
_MY_DOMAIN: Final = re.compile(r"\.my\.(salesforce|sfcrm)[a-z]*\.[a-z]+$", re.IGNORECASE)
BASIC: Final[Mapping[str, Sequence[str]]] = {"Contact": ("FirstName", "LastName", "Email", "MobilePhone")}


@dataclass(frozen=True)
class Step:
    """One thing that has to be right: what was found where it is, what to do where it is not."""

    name: str
    ok: bool
    sentence: str


def check(
    settings: Settings,
    *,
    wanted: Mapping[str, Sequence[str]] = BASIC,
    written: Mapping[str, Sequence[str]] | None = None,
) -> list[Step]:
    """Try both connections, from the host inwards.

    `wanted` are the field paths that have to be readable, by object; `written` the fields an import has to edit.
    """
    return [*_salesforce(settings, wanted, written or {}), *_mainstay(settings)]


def _salesforce(
    settings: Settings, wanted: Mapping[str, Sequence[str]], written: Mapping[str, Sequence[str]]
) -> list[Step]:
    with SalesforceClient(settings.salesforce, sleep=lambda _: None) as client:
        steps, is_through = _entry("Salesforce", lambda: f"{client.connect()} lists {len(client.sobjects())} objects.")
        if not is_through:
            return steps
        steps.append(my_domain(settings.salesforce, client.connect()))
        try:
            return [*steps, *_permissions(client, wanted, written), _limits(client)]
        except WorkbenchError as error:
            return [*steps, Step("Salesforce permissions", ok=False, sentence=str(error))]


def my_domain(settings: SalesforceSettings, host: str) -> Step:
    """Whether this is the org that the settings name, at an address of its own."""
    name, named = "Salesforce My Domain", _hostname(settings.instance_url or "")
    if named and named != _hostname(host):
        sentence = (
            f"The login leads to {host}, but WORKBENCH_SALESFORCE__INSTANCE_URL names {named}: set it to "
            f"https://{host}, or take the credentials of the other org."
        )
        return Step(name, ok=False, sentence=sentence)
    if is_loopback(_hostname(host)):
        return Step(name, ok=True, sentence=f"{host} is a sandbox on this machine, which needs none.")
    if not _MY_DOMAIN.search(_hostname(host)):
        sentence = (
            f"{host} is no address of an org's own: switch My Domain on in Salesforce's Setup, then set "
            "WORKBENCH_SALESFORCE__INSTANCE_URL to https://NAME.my.salesforce.com."
        )
        return Step(name, ok=False, sentence=sentence)
    return Step(name, ok=True, sentence=f"{host} is the org's own address.")


def _hostname(url: str) -> str:
    return urlsplit(url if "://" in url else f"//{url}").hostname or ""


def _permissions(
    client: SalesforceClient, wanted: Mapping[str, Sequence[str]], written: Mapping[str, Sequence[str]]
) -> list[Step]:
    """Each wanted object by name (may it be read and written), then each field that lacks a grant."""
    described = plan_objects({sobject: [*paths] for sobject, paths in wanted.items()}, client.describe).described
    known = {name.lower(): item for name, item in described.items()}

    def describe(sobject: str) -> SObject:
        return known[sobject.lower()] if sobject.lower() in known else client.describe(sobject)

    steps, lacking, seen = [], [], 0
    for sobject, paths in wanted.items():
        found = known.get(sobject.lower())
        steps.append(_object_step(sobject, found))
        if found is not None:
            edited = {name.lower() for name in written.get(sobject, ())}
            needed = [path for path in paths if path not in ALWAYS]
            missing = [_missing_grant(found, path, describe, edits=path.lower() in edited) for path in needed]
            lacking += [step for step in missing if step is not None]
            seen += missing.count(None)
    if lacking:
        return [*steps, *lacking]
    return [*steps, Step("Salesforce fields", ok=True, sentence=f"All {seen} wanted fields may be used as mapped.")]


def _object_step(sobject: str, found: SObject | None) -> Step:
    name = f"Salesforce {sobject}"
    if found is None:
        return Step(name, ok=False, sentence=f"This user cannot see {sobject}: give it a permission set that can.")
    rights = (("read", found.is_queryable), ("create", found.is_createable), ("edit", found.is_updateable))
    lacking = [word for word, allowed in rights if not allowed]
    if lacking:
        sentence = f"This user may not {' or '.join(lacking)} {found.name}: change its profile or permission set."
        return Step(name, ok=False, sentence=sentence)
    return Step(name, ok=True, sentence=f"May be read, created and edited; {len(found.fields)} fields visible.")


def _missing_grant(found: SObject, path: str, describe: Callable[[str], SObject], *, edits: bool) -> Step | None:
    """The step that fails over one field, naming the grant it lacks; None where it lacks none."""
    try:
        field = resolve_path(path, found.name, describe).field
    except ConfigurationError as error:
        sentence = (
            f"{str(error).removeprefix(f'{path}: ')} Grant Read on it (field-level security) to this user in a "
            "permission set, or correct the mapping."
        )
        return Step(f"Salesforce {found.name}.{path}", ok=False, sentence=sentence)
    if edits and not field.calculated and not (field.updateable and field.createable):
        sentence = "This user may read it, but the import writes it: grant Edit on it in a permission set."
        return Step(f"Salesforce {found.name}.{field.name}", ok=False, sentence=sentence)
    return None


def _limits(client: SalesforceClient) -> Step:
    daily = client.limits().get("DailyApiRequests", {})
    left, most = int(daily.get("Remaining", 0)), int(daily.get("Max", 0))
    if not most:
        return Step("Salesforce limits", ok=True, sentence="The org does not tell its limits to this user.")
    said = f"{left:,} of {most:,} API requests are left for the next 24 hours"
    if left < most * LOW_SHARE:
        return Step("Salesforce limits", ok=False, sentence=f"Only {said}: pull and push later, or in smaller parts.")
    return Step("Salesforce limits", ok=True, sentence=f"{said}.")


def _mainstay(settings: Settings) -> list[Step]:
    async def organisation() -> str:
        async with MainstayClient(settings.mainstay, jitter=lambda: 0.0) as client:
            return await client.auth_valid()

    async def custom_fields() -> int:
        async with MainstayClient(settings.mainstay, jitter=lambda: 0.0) as client:
            return sum(field.is_custom for field in await client.fields())

    found = ""

    def look() -> str:
        nonlocal found
        found = run_async(organisation())
        return "The API answers with it."

    steps, is_through = _entry("Mainstay", look)
    if not is_through:
        return steps
    if found:
        steps.append(Step("Mainstay organisation", ok=True, sentence=f"The token belongs to organisation {found}."))
    else:
        sentence = "The token belongs to no organisation: ask your Partner Success Manager for another one."
        steps.append(Step("Mainstay organisation", ok=False, sentence=sentence))
    try:
        sentence = f"{run_async(custom_fields())} custom fields are visible."
    except WorkbenchError as error:
        return [*steps, Step("Mainstay fields", ok=False, sentence=str(error))]
    return [*steps, Step("Mainstay fields", ok=True, sentence=sentence)]


def _entry(system: str, look: Callable[[], str]) -> tuple[list[Step], bool]:
    """The first steps of one side: settings, host, token, API, as far as one call shows them; and whether it is in."""
    names = [f"{system} {part}" for part in ("settings", "host", "token", "API")]
    try:
        said = look()
    except ConfigurationError as error:
        depth, sentence = 0, str(error)
    except TransientError as error:
        depth, sentence = 1, str(error)
    except AuthenticationFailed as error:
        depth, sentence = 2, str(error)
    except RemoteError as error:
        depth, sentence = 3, _api_advice(error)
    else:
        passed = ["They are complete.", "It was reached.", "It was accepted.", said]
        return [Step(name, ok=True, sentence=words) for name, words in zip(names, passed, strict=True)], True
    passed = ["They are complete.", "It was reached.", "It was accepted."][:depth]
    steps = [Step(name, ok=True, sentence=words) for name, words in zip(names, passed, strict=False)]
    return [*steps, Step(names[depth], ok=False, sentence=sentence)], False


def _api_advice(error: RemoteError) -> str:
    if error.code in {"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"}:
        return "The API is switched off: the edition needs API access, and the user's profile the right `API Enabled`."
    return str(error)
