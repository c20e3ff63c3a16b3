"""Label matches: pairs without a verdict beside them, answers kept per person, taken back, and held against each other."""

import pytest
from playwright.sync_api import expect

from workbench.lab import MatchLab
from workbench.lab.labels import verdicts

PAIRS = 6


def drawn(store):
    """Six pairs of one email each; their CRM IDs agree for all but one."""
    store.write(("UPDATE mainstay.contact SET crm_id = NULL WHERE id = $id", {"id": "ah2"}))
    MatchLab(store).draw_sample("email", size=PAIRS)
    return store


def html(running):
    return " ".join(block.proto.body for block in running.get("html"))


def press(running, name):
    running.button(key=f"label_{name}").click().run()
    assert not running.exception
    return running


def test_without_people_it_says_how_to_begin(app, empty_store):
    running = app(empty_store, "labels")

    assert "workbench pull" in running.code[0].value


def test_pairs_are_drawn_here(app, small_store):
    running = app(small_store, "labels")
    assert any("No pairs drawn yet" in one.value for one in running.markdown)

    running.text_input[1].set_value("email > last_name + phone")
    next(one for one in running.button if one.label == "Draw pairs").click().run()

    assert MatchLab(small_store).sample_size == 60
    assert "60 pairs" in str(running.get("progress")[0].proto)


def test_a_rule_that_does_not_exist_is_said(app, small_store):
    running = app(small_store, "labels")
    running.text_input[1].set_value("shoe_size")
    next(one for one in running.button if one.label == "Draw pairs").click().run()

    assert "shoe" in running.error[0].value


def test_the_pair_is_shown_blind(app, small_store):
    running = app(drawn(small_store), "labels")

    shown = html(running)
    assert "@mail.example.org" in shown
    everything = shown + " ".join(str(one.value) for one in running.caption)
    for hint in ("003X", "crm id", "crm_id", ">email<b"):
        assert hint not in everything.lower(), hint


def test_answers_are_kept_per_person_and_taken_back(app, small_store):
    running = app(drawn(small_store), "labels")
    running.text_input(key="label_as").set_value("Dana").run()
    first = html(running)

    press(press(running, "same"), "unsure")
    assert sorted(said["Dana"] for said in verdicts(small_store).values()) == ["same", "unsure"]
    press(press(running, "undo"), "undo")

    assert verdicts(small_store) == {}
    assert html(running) == first, "the pair taken back is asked again"
    assert running.button(key="label_undo").disabled


def test_two_people_are_held_against_each_other(app, small_store):
    running = app(drawn(small_store), "labels")
    for name, odd in (("Dana", "same"), ("Sam", "different")):
        running.text_input(key="label_as").set_value(name).run()
        press(running, odd)
        assert "Disputed" not in " ".join(one.value for one in running.markdown)
        for _ in range(PAIRS - 2):
            press(running, "same")
        press(running, "different")

    assert "0.571" in html(running)
    assert any("Disputed: 1 pair" in one.value for one in running.markdown)
    assert "precision" in html(running)


def test_a_viewer_sees_nobody(app, small_store):
    running = app(drawn(small_store), "labels")
    running.session_state["role"] = "viewer"
    running.run()

    assert "@mail.example.org" not in html(running)
    assert any("closed to your role" in one.value for one in running.markdown)


def test_where_everybody_is_masked_nobody_labels_by_dots(app, small_store, monkeypatch):
    monkeypatch.setenv("WORKBENCH_ACCESS__MASKING", "everyone")
    running = app(drawn(small_store), "labels")

    assert "@mail.example.org" not in html(running)
    assert running.button(key="label_same").disabled
    running.button(key="reveal_data").click().run()

    assert "@mail.example.org" in html(running)
    assert not running.button(key="label_same").disabled


@pytest.mark.slow
def test_labelling_by_keys_in_a_browser(small_store, page_over, tmp_path):
    """Two people label one after the other with keys alone; the last answer is taken back once."""
    page = page_over(drawn(small_store))
    page.visit("/labels")
    progress = page.get_by_test_id("stProgress")
    expect(progress).to_contain_text(f"0 of {PAIRS} pairs")
    for key, done in (("s", 1), ("d", 2), ("z", 1), ("u", 2)):
        page.keyboard.press(key)
        expect(progress).to_contain_text(f"{done} of {PAIRS} pairs")
        page.settle()
    page.screenshot(path=tmp_path / "labels.png")
    name = page.locator(".st-key-label_as input")
    for by in ("Dana", "Sam"):
        name.fill(by)
        name.press("Enter")
        page.settle()
        expect(progress).to_contain_text(f"0 of {PAIRS} pairs")
        for done in range(1, PAIRS + 1):
            page.get_by_role("button", name="Same person").click()
            expect(progress).to_contain_text(f"{done} of {PAIRS} pairs")
            page.settle()
    expect(page.get_by_text("All pairs are labelled")).to_be_visible()
    table = page.get_by_role("table", name="Agreement between labellers")
    expect(table).to_contain_text("Dana")
    expect(table).to_contain_text("Sam")
    assert page.locator(".wb-sides").count() == 0
    said = verdicts(small_store).values()
    assert [one["Dana"] for one in said] == [one["Sam"] for one in said] == ["same"] * PAIRS
