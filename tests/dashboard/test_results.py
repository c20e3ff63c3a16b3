import csv
import io

import pytest

from workbench import views_dashboard
from workbench.errors import NotFound
from workbench.views_dashboard import RESULT_SORTS, ResultFilter, count_results, page_of_results


def names(store, chosen=None, **named):
    return [row["name"] for row in page_of_results(store, chosen or ResultFilter(), **named)]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (ResultFilter(), 60),
        (ResultFilter(status="fail"), 8),
        (ResultFilter(direction="import"), 6),
        (ResultFilter(code="invalid-email"), 11),
        (ResultFilter(batch_id=2), 0),
        (ResultFilter(only_misses=True), 1),
        (ResultFilter(text="SR-0000012"), 1),
        (ResultFilter(text="12"), 1),
        (ResultFilter(text="003X12"), 1),
        (ResultFilter(text="ah12"), 1),
        (ResultFilter(text="amy12 l"), 1),
        (ResultFilter(text="lee"), 60),
        (ResultFilter(text="' OR true --"), 0),
    ],
)
def test_filters(small_store, chosen, expected):
    assert count_results(small_store, chosen) == expected
    assert len(names(small_store, chosen, size=100)) == expected


@pytest.mark.parametrize("sort", sorted(RESULT_SORTS))
def test_pages_of_every_order_hold_each_result_once(small_store, sort):
    seen = [name for page in (1, 2, 3) for name in names(small_store, sort=sort, size=25, page=page)]

    assert len(seen) == len(set(seen)) == 60


def test_an_unknown_order_is_the_newest_first(small_store):
    assert names(small_store, sort="1; DROP TABLE x", size=2) == ["SR-0000060", "SR-0000059"]


def test_one_result_with_its_attempts_and_its_change(small_store):
    found = views_dashboard.sync_result(small_store, "sr-5")

    assert (found["name"], found["person"], len(found["attempts_made"])) == ("SR-0000005", "Amy5 Lee", 1)
    assert found["change"]["fields"][0]["field"] == "email"


@pytest.mark.parametrize("name", ["SR-9999999", "nonsense", ""])
def test_a_result_that_does_not_exist(small_store, name):
    with pytest.raises(NotFound):
        views_dashboard.sync_result(small_store, name)


def test_before_the_first_pull_ids_stand_for_names(small_store):
    small_store.write("DROP TABLE mainstay.contact", 'DROP TABLE salesforce."Contact"')

    assert page_of_results(small_store, ResultFilter(text="ah12"))[0]["person"] is None


def test_the_grid_follows_the_filter(app, small_store):
    running = app(small_store, "results")
    running.segmented_control(key="status").set_value("fail").run()

    shown = next(part.body for part in running.get("html") if "wb-grid" in part.body)

    assert shown.count("data-opens=") == shown.count(">Fail<") == 8


def test_an_empty_store_says_what_fills_it(app, empty_store):
    assert [code.value for code in app(empty_store, "results").code] == ["workbench push BATCH"]


def test_a_filter_without_results(app, small_store):
    running = app(small_store, "results")
    running.text_input(key="text").set_value("nobody of this name").run()

    assert "No sync result matches" in running.info[0].value


@pytest.fixture
def exported(app, small_store):
    """60 rows, newest first; the first person's name is a formula."""
    from dashboard.components.export import result_rows

    small_store.write("UPDATE mainstay.contact SET first_name = '=HYPERLINK(1)' WHERE id = 'ah60'")
    app(small_store, "results")
    return result_rows(ResultFilter(), "newest")


def test_the_csv_covers_every_page_and_runs_nothing(exported):
    from dashboard.components.export import COLUMNS, to_csv

    lines = list(csv.DictReader(io.StringIO(to_csv(exported, COLUMNS).decode("utf-8-sig"))))

    assert len(lines) == 60
    assert lines[0]["person"] == "'=HYPERLINK(1) Lee"


def test_the_workbook_holds_texts_and_no_formula(exported):
    import zipfile

    from dashboard.components.export import COLUMNS, to_xlsx

    with zipfile.ZipFile(io.BytesIO(to_xlsx(exported, COLUMNS))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()

    assert sheet.count("<row ") == 61
    assert "<f>" not in sheet
    assert "&apos;=HYPERLINK(1) Lee" in texts or "'=HYPERLINK(1) Lee" in texts


def test_the_parquet_keeps_types(exported):
    import pyarrow.parquet as pq

    from dashboard.components.export import COLUMNS, to_parquet

    table = pq.read_table(io.BytesIO(to_parquet(exported, COLUMNS)))

    assert table.num_rows == 60
    assert table["finished_at"][0].as_py().tzinfo is not None
    assert table["codes"].to_pylist()[0] == ["invalid-email"]


def test_edits_of_a_payload_are_named_by_field():
    from dashboard.components.resend_view import edits_of

    before = {"email": "a@mail.example.org", "custom": {"GPA": 3, "Campus": "North"}}

    assert edits_of(before, '{"email": "b@mail.example.org", "custom": {"GPA": 3}, "phone": "1"}') == (
        {"email": "b@mail.example.org", "phone": "1", "custom.Campus": None},
        "",
    )
    assert "line 1" in edits_of(before, "{")[1]
    assert edits_of(before, "[]")[1]


def test_a_file_hides_what_the_screen_hides(exported):
    from dashboard.components.export import COLUMNS, to_csv, visible

    text = to_csv(visible(exported, is_masked=True), COLUMNS).decode()

    assert "Amy59" not in text
    assert "SR-0000059" in text
