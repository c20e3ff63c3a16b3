"""Overview: figures that tie to the pull, and the switch of each direction."""

import re

from workbench import operations, views_dashboard, views_work
from workbench.domain.fields import Direction


def test_an_empty_store_says_what_to_do(app, empty_store):
    running = app(empty_store)

    assert [code.value for code in running.code] == ["workbench pull"]
    assert not running.error


def test_the_bars_add_up_to_the_pull(app, small_store):
    shown = " ".join(piece.value for piece in app(small_store).html if isinstance(piece.value, str))

    assert shown.count("adds up to the 60 pulled") == 2
    assert "<b>10</b>" in shown
    assert "<b>50</b>" in shown


def test_a_bar_that_does_not_add_up_says_so(app, small_store):
    small_store.write("DELETE FROM preview.change WHERE change_id = 'P1-60'")

    shown = " ".join(piece.value for piece in app(small_store).html if isinstance(piece.value, str))

    assert "60 pulled, 1 unaccounted for" in shown


def figures(running):
    tiles = next(piece.value for piece in running.html if 'class="wb-tiles"' in piece.value)
    return dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", tiles))


def test_figures(app, small_store):
    assert figures(app(small_store)) == {
        "Awaiting approval": "0",
        "Approved, not sent": "0",
        "Sync results": "60",
        "As predicted": "98.3%",
    }


def test_a_new_row_shows_at_the_next_run(app, small_store):
    """Reads are kept only while nothing in the store has moved."""
    running = app(small_store)
    small_store.write(
        "INSERT INTO journal.outcome BY NAME SELECT * REPLACE (61 AS result_number, 'P1-61' AS change_id) "
        "FROM journal.outcome WHERE result_number = 60"
    )

    running.run()

    assert figures(running)["Sync results"] == "61"


def test_a_real_organisation_is_never_called_a_sandbox():
    from dashboard.components.sidebar import connection_badge
    from workbench.settings import MainstaySettings, SalesforceSettings, Settings

    def label(instance_url, base_url):
        chosen = Settings(
            mainstay=MainstaySettings(base_url=base_url, token="t"),
            salesforce=SalesforceSettings(instance_url=instance_url, access_token="s"),
        )
        return connection_badge(chosen)[0]

    assert label("http://127.0.0.1:1", "http://127.0.0.1:2") == "Sandbox"
    assert label("https://acme.my.salesforce.com", "http://127.0.0.1:2") == "Real systems"
    assert label("http://127.0.0.1:1", "https://api.admithub.com") == "Real systems"


def test_every_record_stands_in_one_place_also_after_a_push(small_store):
    assert views_work.standings(small_store, 1) == {"sent": 52, "failed": 8}
    small_store.write("DELETE FROM journal.outcome", "UPDATE journal.batch SET state = 'approved'")
    assert views_work.standings(small_store, 1) == {"pending": 60}
    small_store.write("UPDATE journal.batch SET state = 'rejected'")
    assert views_work.standings(small_store, 1) == {"in_sync": 10, "differs": 50}


def test_switching_a_direction_is_kept_with_its_name(app, small_store):
    running = app(small_store)

    running.segmented_control(key="direction_export").set_value("observe").run()

    found = operations.list_directions(small_store)[Direction.EXPORT]
    assert (found["state"], bool(found["who"])) == ("observe", True)
    assert running.segmented_control(key="direction_export").value == "observe"


def test_a_refused_state_leaves_the_switch_where_it_was(app, small_store):
    running = app(small_store)

    running.segmented_control(key="direction_import").set_value("auto").run()

    assert "approval policy" in running.warning[0].value
    assert running.segmented_control(key="direction_import").value == "queue"


def test_results_over_time_add_up(small_store):
    unit = views_work.time_unit(small_store)

    rows = views_work.results_over_time(small_store, unit)

    assert unit == "minute"
    assert sum(row["row_count"] for row in rows) == 60
    assert {row["status"] for row in rows} == {"success", "partial", "fail"}
    assert views_work.seen_codes(small_store) == ["duplicate-contact", "invalid-email"]


def test_the_latest_sync_of_each_direction_is_the_views(small_store):
    small_store.write(
        "UPDATE journal.outcome SET finished_at = finished_at + INTERVAL 1 DAY WHERE result_number IN (7, 20)"
    )
    rows = {row["direction"]: row["name"] for row in small_store.rows("SELECT * FROM view.latest_sync")}

    found = views_dashboard.latest_syncs(small_store)

    assert {found["export"]["name"], found["import"]["name"]} == set(rows.values()) == {"SR-0000007", "SR-0000020"}
