"""A store with a few literal rows in every table that a screen shows; one name is markup, one body a formula."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import resources

import orjson
import pyarrow as pa

from workbench.store import Store
from workbench.store.mappings import save_mapping

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EVIL = "![x](http://evil.example/a.png)<script>window.__xss=1</script>"
BODIES = [
    "hello",
    "<script>window.__xss=1</script><img src=x onerror='window.__xss=2'>",
    "![x](http://evil.example/a.png) [a](javascript:alert(1)) :red[red] **bold**",
    "=cmd|'/C calc'!A0",
    "مرحبا، متى الموعد؟ 👋",
]
NOTFOUND = '[{"code":"invalid-email","message":"Row # 1: invalid email"}]'


def fill(store: Store, results: int = 60) -> Store:
    """`results` sync results (every fifth partial, every seventh failed), their preview, batch and people."""
    document = (resources.files("workbench") / "sample_mapping.yaml").read_text()
    save_mapping(store, document, author="Dana", reason="starter")
    people = [
        {"id": f"ah{i}", "crm_id": f"003X{i}", "first_name": EVIL if i == 1 else f"Amy{i}", "last_name": "Lee",
         "email": f"amy{i}@mail.example.org", "phone": f"404555{i:04d}"}
        for i in range(1, results + 1)
    ]  # fmt: skip
    outcomes = [outcome(i) for i in range(1, results + 1)]
    changes = [change(i) for i in range(1, results + 1)]
    attempts = [
        {"batch_id": 1, "change_id": f"P1-{i}", "number": 1, "system": "mainstay", "method": "PUT",
         "url": f"http://127.0.0.1:9/contacts/003X{i}/", "request_body": '{"email":"a@b"}', "response_status": 200,
         "response_body": '{"errors":[]}', "codes": [], "ms": 12.5, "sent_at": NOW}
        for i in range(1, results + 1)
    ]  # fmt: skip
    tables = {
        "people": pa.Table.from_pylist(people),
        "outcomes": pa.Table.from_pylist(outcomes),
        "changes": pa.Table.from_pylist(changes),
        "attempts": pa.Table.from_pylist(attempts),
    }
    store.write(
        "CREATE TABLE mainstay.contact AS SELECT * FROM people",
        'CREATE TABLE salesforce."Contact" AS SELECT crm_id AS "Id", first_name AS "FirstName", '
        'last_name AS "LastName", email AS "Email", phone AS "MobilePhone", false AS "IsDeleted" FROM people',
        "INSERT INTO journal.outcome BY NAME SELECT * FROM outcomes",
        "INSERT INTO journal.attempt BY NAME SELECT * FROM attempts",
        "INSERT INTO preview.change BY NAME SELECT * FROM changes",
        "INSERT INTO journal.batch_change SELECT 1, change_id, seq, true, NULL FROM changes",
        f"INSERT INTO preview.bucket VALUES (1, 'salesforce', 'Contact', 'update', {results - 10}), "
        "(1, 'salesforce', 'Contact', 'none', 10), "
        f"(1, 'mainstay', 'contact', 'to_update', {results - 10}), (1, 'mainstay', 'contact', 'in_sync', 10)",
        "INSERT INTO preview.prediction SELECT 1, change_id, 'invalid-email', 11, 'partial', 'certain', NULL FROM changes "
        "WHERE predicted_status = 'partial'",
        *[(sql, {"now": NOW, "count": results}) for sql in _PINNED],
        tables=tables,
    )
    return store


def add_talk(store: Store, messages: int = 520) -> None:
    """Messages of contact ah2, every second one incoming, bodies by turns as in BODIES."""
    said = [
        {"admithub_id": f"m{i}", "admithub_contact_id": "ah2", "created_at": NOW + timedelta(minutes=i),
         "incoming": i % 2 == 0, "body": BODIES[i % len(BODIES)], "topic": None if i % 2 == 0 else "<i>Housing</i>"}
        for i in range(messages)
    ]  # fmt: skip
    store.write(
        "INSERT INTO mainstay.message BY NAME SELECT * FROM messages", tables={"messages": pa.Table.from_pylist(said)}
    )


def add_fields(store: Store) -> None:
    """Four fields of a Contact and one custom field of Mainstay."""
    store.write(
        """INSERT INTO salesforce.field BY NAME SELECT 'Contact' AS sobject, name, type, name AS label,
           true AS updateable, true AS createable, true AS nillable, false AS calculated, false AS custom
           FROM (VALUES ('Id', 'id'), ('FirstName', 'string'), ('Title', 'string'), ('Birthdate', 'date'))
                AS t (name, type)""",
        """INSERT INTO mainstay.field BY NAME SELECT 'Job' AS name, 'Text' AS data_type, true AS is_custom,
           false AS is_deprecated, true AS is_writable""",
    )


_PINNED = (
    """INSERT INTO preview.preview SELECT 1, 'export', ['Contact'], 1, 'd', NULL, 'r', $now, $count / 1000""",
    """INSERT INTO preview.pin SELECT 1, system, object, 1
       FROM (VALUES ('salesforce', 'Contact'), ('mainstay', 'contact')) AS t (system, object)
       WHERE $now IS NOT NULL AND $count > 0""",
    """INSERT INTO journal.pull SELECT 1, system, object, 'full', 'complete', $count, $now, $now, $now
       FROM (VALUES ('salesforce', 'Contact'), ('mainstay', 'contact')) AS t (system, object)""",
    """INSERT INTO journal.batch
       SELECT 1, 1, 'export', 'done', '{}', 'digest', 'd', $count, 'Dana', 'Sam', true, NULL, $now, $now""",
    """INSERT INTO journal.batch_event SELECT 1, 'pushing', 'done', 'Sam', '', $now WHERE $count > 0""",
)


def outcome(i: int) -> dict[str, object]:
    status = "fail" if i % 7 == 0 else "partial" if i % 5 == 0 else "success"
    codes = {"fail": ["duplicate-contact"], "partial": ["invalid-email"], "success": []}[status]
    return {
        "result_number": i, "batch_id": 1, "change_id": f"P1-{i}",
        "direction": "import" if i % 10 == 0 else "export", "status": status, "codes": codes,
        "fail_message": NOTFOUND if status == "partial" else None,
        "endpoint": f"PUT http://127.0.0.1:9/contacts/003X{i}/", "request_body": '{"email":"=cmd|1"}',
        "response_status": 200, "sobject": "Contact", "record_id": f"003X{i}", "mainstay_id": f"ah{i}", "attempts": 1,
        "predicted_status": "success" if i == 7 else status, "predicted_codes": [] if i == 7 else codes,
        "origin": "push", "finished_at": NOW + timedelta(seconds=i),
    }  # fmt: skip


def change(i: int) -> dict[str, object]:
    end = outcome(i)
    fields = [{"field": "email", "before": None, "after": f"<b>{i}</b>@mail.example.org"}]
    return {
        "preview_id": 1, "change_id": f"P1-{i}", "seq": i, "direction": "export", "sobject": "Contact",
        "salesforce_id": f"003X{i}", "mainstay_id": f"ah{i}", "rule": "crm_id", "action": "none" if i <= 10 else "update",
        "reason": "Linked by CRM ID; values differ", "guards": [], "group_id": None,
        "predicted_status": end["predicted_status"], "codes": end["predicted_codes"], "certainty": "certain",
        "fields": orjson.dumps(fields).decode(),
    }  # fmt: skip
