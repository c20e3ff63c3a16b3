"""Finding a person, both records, messages as bubbles; names and bodies stay text."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from dashboard.components.story import story_html
from dashboard.components.thread import thread_html
from workbench import views_biography, views_people
from workbench.errors import NotFound


def html(running):
    return " ".join(block.proto.body for block in running.get("html"))


NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def message(i, **given):
    return {
        "admithub_id": f"m{i}", "admithub_contact_id": "ah1", "contact_crm_id": "003X1",
        "created_at": NOW + timedelta(minutes=i), "channel": "twilio", "incoming": i % 3 == 0, "body": f"text {i}",
        "campaign_id": None, "campaign_name": None, "user_name": None, "topic": None, "failed": False, **given,
    }  # fmt: skip


@pytest.fixture
def talking_store(small_store):
    """30 messages of contact ah1 (10 incoming) and two campaigns, one of which wrote to the contact."""
    messages = [message(i) for i in range(28)]
    messages.append(message(28, incoming=False, campaign_id="c1", campaign_name="Old name"))
    messages.append(message(29, incoming=False, user_name="Lee <b>", body="<script>window.__xss=2</script>"))
    campaigns = [
        {"admithub_id": f"c{i}", "name": f"Campaign {i}", "script_name": f"Script {i}", "type": "Nudge",
         "status": "completed" if i % 2 else "scheduled", "sent_at": NOW + timedelta(days=i), "sent_count": i}
        for i in range(1, 61)
    ]  # fmt: skip
    small_store.write(
        "INSERT INTO mainstay.message BY NAME SELECT * FROM messages",
        "INSERT INTO mainstay.campaign BY NAME SELECT * FROM campaigns",
        tables={"messages": pa.Table.from_pylist(messages), "campaigns": pa.Table.from_pylist(campaigns)},
    )
    return small_store


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amy7 lee", {"003X7"}),
        ("AMY7@mail.example.org", {"003X7"}),
        ("(404) 555-0007", {"003X7"}),
        ("+1 404 555 0007", {"003X7"}),
        ("003X7", {"003X7"}),
        ("ah7", {"003X7"}),
        ("nobody of this name", set()),
    ],
)
def test_people_are_found_by_name_email_phone_and_either_id(small_store, text, expected):
    found = views_people.find_people(small_store, text)

    assert {row["record_id"] for row in found} == expected
    assert all(row["contact_id"] == f"ah{row['record_id'][4:]}" for row in found)


def test_a_person_in_one_system_only_is_found(small_store):
    small_store.write("UPDATE mainstay.contact SET crm_id = NULL WHERE id = 'ah7'")

    rows = views_people.find_people(small_store, "amy7 lee")

    assert {(row["record_id"], row["contact_id"]) for row in rows} == {("003X7", None), (None, "ah7")}


def test_an_empty_store_knows_nobody(empty_store):
    assert views_people.find_people(empty_store, "amy") == []
    assert views_people.recent_people(empty_store) == []
    with pytest.raises(NotFound, match="Search by name"):
        views_people.person(empty_store, "003X1")


def test_either_id_leads_to_both_records(small_store):
    by_record, by_contact = (views_people.person(small_store, one) for one in ("003X7", "ah7"))

    assert by_record == by_contact
    assert by_record["name"] == "Amy7 Lee"
    assert by_record["record"]["Email"] == by_record["contact"]["email"] == "amy7@mail.example.org"


def test_message_counts_agree_with_the_messages(talking_store):
    counts = views_people.message_counts(talking_store, "ah1")

    assert counts == {"total": 30, "incoming": 10, "outgoing": 20, "Other": 18, "Campaign": 1, "Live Chat": 1}
    assert [row["message_id"] for row in views_people.messages(talking_store, "ah1", limit=2)] == ["m28", "m29"]
    assert len(views_people.messages(talking_store, "ah1", kind="Incoming")) == 10


def test_the_campaigns_of_a_person_carry_script_type_status_and_time(talking_store):
    rows = views_people.campaigns_of_person(talking_store, "ah1")

    assert [(row["name"], row["script_name"], row["type"], row["status"]) for row in rows] == [
        ("Campaign 1", "Script 1", "Nudge", "completed")
    ]


def test_pages_of_campaigns_cover_each_once(talking_store):
    pages = [views_people.campaigns(talking_store, size=25, page=page) for page in (1, 2, 3)]

    assert [len(page) for page in pages] == [25, 25, 10]
    assert len({row["campaign_id"] for page in pages for row in page}) == 60
    assert pages[0][0]["total"] == 60
    assert {row["status"] for row in views_people.campaigns(talking_store, status="completed")} == {"completed"}


def test_bubbles_stand_left_and_right_with_reasons_and_no_markup():
    shown = thread_html(
        [
            {"sent_at": NOW, "is_incoming": True, "body": "hi\nthere", "kind": "Incoming", "reason": None},
            {"sent_at": NOW, "is_incoming": False, "body": "<img src=x>", "kind": 'x" onclick=', "reason": "AI: <b>"},
        ],
        'Amy "quoted"',
        UTC,
    )

    assert "wb-in" in shown
    assert "hi<br>there" in shown
    assert 'class="wb-reason wb-other">AI: &lt;b&gt;<' in shown
    assert "<img" not in shown
    assert "onclick" not in shown
    assert 'aria-label="Conversation with Amy &quot;quoted&quot;"' in shown
    assert 'data-ts="Mon 2 Mar 2026, 09:00 UTC"' in shown


def test_days_follow_the_readers_zone():
    from zoneinfo import ZoneInfo

    late = {
        "sent_at": datetime(2026, 3, 2, 3, 0, tzinfo=UTC),
        "is_incoming": True,
        "body": "x",
        "kind": "",
        "reason": None,
    }

    assert "Sunday, 1 March 2026" in thread_html([late], "Amy", ZoneInfo("America/New_York"))


@pytest.mark.parametrize("number", [0, 1, 20, 21, 500])
def test_the_campaign_table_holds_every_campaign_of_a_person(app, small_store, number):
    """Beyond 20 the source product once stopped (its release 2.301)."""
    messages = [message(i, incoming=False, campaign_id=f"c{i}", campaign_name=f"Old {i}") for i in range(number)]
    campaigns = [
        {"admithub_id": f"c{i}", "name": f"Campaign {i}", "script_name": f"Script {i}", "type": "Interactive",
         "status": "in_progress", "sent_at": NOW + timedelta(days=i)}
        for i in range(number)
    ]  # fmt: skip
    if number:
        small_store.write(
            "INSERT INTO mainstay.message BY NAME SELECT * FROM messages",
            "INSERT INTO mainstay.campaign BY NAME SELECT * FROM campaigns",
            tables={"messages": pa.Table.from_pylist(messages), "campaigns": pa.Table.from_pylist(campaigns)},
        )
    running = app(small_store, "people", id="ah1", tab="Campaigns")

    if not number:
        assert "No campaign has written" in running.main.caption[-1].value
        return
    shown = running.main.dataframe[0].value
    assert list(shown.columns)[:4] == ["Script Name", "Type", "Status", "Time (Sent)"]
    assert shown["Script Name"].tolist() == [f"Script {i}" for i in reversed(range(number))]
    assert any(f"<dd>{number}</dd>" in block.proto.body for block in running.get("html"))


def test_jumping_to_a_date_shows_the_messages_from_that_day_on(app, small_store):
    messages = [message(i, created_at=NOW + timedelta(hours=i)) for i in range(600)]
    small_store.write(
        "INSERT INTO mainstay.message BY NAME SELECT * FROM messages",
        tables={"messages": pa.Table.from_pylist(messages)},
    )
    running = app(small_store, "people", id="ah1")
    assert "The latest 500 of 600" in running.main.caption[-1].value
    assert "text 599" in html(running)
    assert "text 99<" not in html(running)

    running.date_input(key="jump_ah1").set_value(date(2026, 3, 4)).run()

    assert "text 38<" not in html(running)
    assert "text 39<" in html(running)
    assert "from 4 March 2026 on" in running.main.caption[-1].value


def test_the_biography_holds_edits_pushes_decisions_and_messages_in_the_order_of_time(talking_store):
    talking_store.write(
        """INSERT INTO journal.conflict_decision BY NAME SELECT 'Contact' AS sobject, '003X1' AS record_id,
           'ah1' AS contact_id, 'email' AS field, 'mainstay' AS winner, 'Dana' AS decided_by,
           TIMESTAMPTZ '2026-03-02 08:00:00+00' AS decided_at""",
        "ALTER TABLE mainstay.contact ADD COLUMN created VARCHAR",
        "ALTER TABLE mainstay.contact ADD COLUMN last_modified_at VARCHAR",
        "UPDATE mainstay.contact SET created = '2025-01-01T00:00:00Z', last_modified_at = '2026-03-03T00:00:00Z'",
    )
    events = views_biography.biography(talking_store, "003X1", "ah1")

    assert [(event["kind"], event["title"]) for event in events] == [
        ("edit", "Last edited in Mainstay"),
        ("messages", "Messages"),
        ("push", "SR-0000001"),
        ("decision", "email: Mainstay wins"),
        ("edit", "Created in Mainstay"),
    ]
    assert (events[1]["count"], events[1]["incoming"]) == (30, 10)
    shown = story_html(events, UTC)
    assert "30 messages, 10 incoming" in shown
    refused = story_html([{**events[2], "codes": ["invalid-email", "<i>"]}], UTC)
    assert '<a class="wb-code" href="errors?entry=10"' in refused
    assert "&lt;i&gt;" in refused
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown


def test_a_record_of_another_object_leads_to_the_person_by_its_id_path(small_store):
    small_store.write(
        """CREATE TABLE salesforce."Application__c" AS SELECT 'a01X1' AS "Id", '003X7' AS "Contact__c",
           'a02X1' AS "Cycle__c" UNION ALL SELECT 'a01X2', NULL, NULL""",
        """CREATE TABLE salesforce."Visit__c" AS SELECT 'a03X1' AS "Id", 'a01X1' AS "Application__c" """,
        """INSERT INTO salesforce.field BY NAME SELECT 'Visit__c' AS sobject, 'Application__c' AS name,
           'reference' AS type, ['Application__c'] AS reference_to, 'Application__r' AS relationship_name""",
    )
    resolve = views_biography.resolve_person

    assert resolve(small_store, "003X7") == "003X7"
    assert resolve(small_store, "a01X1", "Application__c", "Contact__c") == "003X7"
    assert resolve(small_store, "a03X1", "Visit__c", "Application__r.Contact__c") == "003X7"
    for record_id, sobject, path, told in (
        ("a01X2", "Application__c", "Contact__c", "is blank, so it leads to nobody"),
        ("a01X9", "Application__c", "Contact__c", "There is no Application__c a01X9"),
        ("a01X1", "Application__c", "Nothing__c", r"Application__c\.Nothing__c has not been pulled"),
        ("a01X1", "Nothing__c", "Contact__c", "Nothing__c has not been pulled"),
        ("a03X1", "Visit__c", "Cycle__r.Contact__c", "has no lookup Cycle__r"),
    ):
        with pytest.raises(NotFound, match=told):
            resolve(small_store, record_id, sobject, path)


def test_the_people_of_an_account_are_listed_below_it(app, small_store):
    small_store.write(
        """ALTER TABLE salesforce."Contact" ADD COLUMN "AccountId" VARCHAR""",
        """UPDATE salesforce."Contact" SET "AccountId" = '001A' WHERE "Id" IN ('003X7', '003X8')""",
        """INSERT INTO salesforce.field BY NAME SELECT 'Contact' AS sobject, 'AccountId' AS name,
           'reference' AS type, ['Account'] AS reference_to, 'Account' AS relationship_name""",
    )
    assert [row["record_id"] for row in views_biography.people_below(small_store, "001A", "Account")] == [
        "003X7",
        "003X8",
    ]
    running = app(small_store, "people", id="001A", sobject="Account")

    assert "Amy7 Lee" in html(running)
    running.button(key="person_ah8_003X8").click().run()
    assert running.query_params["person"] in ("003X8", ["003X8"])
    assert "Amy8 Lee" in html(running)


def test_the_people_screen_shows_the_linked_person(app, talking_store):
    running = app(talking_store, "people", id="ah7")

    shown = " ".join(block.value for block in running.main if hasattr(block, "value") and isinstance(block.value, str))
    assert not running.error
    assert any("Amy7 Lee" in html.proto.body for html in running.get("html")) or "Amy7" in shown


def test_an_unknown_id_is_said_calmly(app, small_store):
    running = app(small_store, "people", id="003nobody")

    assert "has been pulled" in running.error[0].value
