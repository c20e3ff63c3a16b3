from workbench import views_dashboard
from workbench.domain.error_dictionary import ENTRIES


def test_all_entries_are_shown(app, small_store):
    shown = " ".join(piece.value for piece in app(small_store, "errors").html if isinstance(piece.value, str))

    assert [entry.number for entry in ENTRIES if f"<small>{entry.number}</small>" not in shown] == []


def test_the_dictionary_needs_no_data(app, empty_store):
    assert not app(empty_store, "errors").error


def test_a_pasted_message_finds_its_entry(app, small_store):
    running = app(small_store, "errors")
    running.text_input(key="wanted").set_value("previousPhone matches").run()

    shown = " ".join(piece.value for piece in running.html if isinstance(piece.value, str))

    assert "contact-out-of-sync" in shown
    assert "invalid-language" not in shown


def test_frequency_and_examples_come_from_the_answers(small_store):
    seen = views_dashboard.entry_activity(small_store)
    email = next(entry.number for entry in ENTRIES if entry.code == "invalid-email")

    assert seen[email]["actual"] == 11
    assert len(seen[email]["examples"]) == 3


def test_hit_rate_counts_what_was_missed(small_store):
    scores = views_dashboard.code_activity(small_store)

    assert scores["invalid-email"]["hit_rate"] == 1
    assert scores["duplicate-contact"]["hit_rate"] == 7 / 8
