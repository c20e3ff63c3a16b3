"""A large world is made in parts and mapped from disk; it must be as good as one made at once."""

import numpy as np
import polars as pl
import pytest

from workbench.simulators import spool
from workbench.simulators.mainstay import lines
from workbench.simulators.mainstay.book import ContactBook
from workbench.simulators.mainstay.history import History
from workbench.simulators.mainstay.keys import KeyIndex
from workbench.simulators.spool import Spool, merged, rows_at, spooled
from workbench.simulators.world import generate, seeding
from workbench.simulators.world.situations import SITUATIONS

PART, PARTS = 250, 4


@pytest.fixture(scope="module")
def large():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seeding, "PART", PART)
        patch.setattr(spool, "SPOOLED_FROM", 100)
        yield generate(PART * PARTS, 7, messages_each=5)


def test_sizes_are_exact(large):
    assert large.contacts.height == PART * PARTS
    assert large.salesforce["Contact"].filter(~pl.col("IsDeleted")).height == PART * PARTS


def test_identities_are_unique_over_all_parts(large):
    for frame, names in (
        (large.contacts, ("id", "crm_id", "phone", "enrollment_id")),
        (large.salesforce["Contact"], ("Id", "Student_ID__c")),
        (large.messages, ("admithub_id",)),
    ):
        for name in names:
            keys = frame[name].drop_nulls()
            assert keys.n_unique() == len(keys), name


def test_the_truth_knows_everybody(large):
    kept = large.salesforce["Contact"].filter(~pl.col("IsDeleted"))
    assert set(large.truth["record_id"].drop_nulls()) == set(kept["Id"])
    assert set(large.truth["contact_id"].drop_nulls()) == set(large.contacts["id"])
    counts = large.truth.group_by("situation").agg(pl.col("person_id").n_unique())
    assert set(counts["situation"].drop_nulls()) == {one.__name__.replace("_", "-") for one in SITUATIONS}


def test_linked_people_are_the_same_person(large):
    """Known truth survives: whom a CRM ID links, the truth calls one person."""
    pairs = set(large.truth.select("record_id", "contact_id").iter_rows())
    linked = large.contacts.filter(pl.col("crm_id").is_in(large.salesforce["Contact"]["Id"].implode()))
    known = sum((crm_id, contact_id) in pairs for crm_id, contact_id in linked.select("crm_id", "id").iter_rows())
    assert linked.height > PART * PARTS / 2
    # A situation may link two people on purpose; the crowd never does.
    assert known / linked.height > 0.95


def test_messages_come_newest_first_and_campaigns_count_all_parts(large):
    again = large.messages.sort(["created_at", "admithub_id"], descending=[True, False])
    assert large.messages.equals(again)
    assert History(large.messages, large.campaigns, large.recipients).messages.equals(again)
    sent = large.campaigns.filter(pl.col("sent_count").is_not_null())
    assert sent["sent_count"].sum() == large.recipients.height
    assert 4 < large.messages.height / (PART * PARTS) < 7


def test_more_people_than_phones_are_refused():
    with pytest.raises(ValueError, match="phones"):
        generate(2_000_000, 1)


def test_a_book_on_disk_answers_as_one_in_memory(large, monkeypatch):
    in_memory = ContactBook(large.contacts, large.custom_fields)
    monkeypatch.setattr(lines, "SPOOLED_FROM", 10)
    book = ContactBook(large.contacts, large.custom_fields)
    for position in (0, 17, PART * PARTS - 1):
        contact = book.at(position)
        assert contact == in_memory.at(position)
        assert book.by_id(contact["id"]) == contact
        assert contact["phone"] is None or book.by_phone(contact["phone"]) == contact
    assert list(book.all_shown()) == list(in_memory.all_shown())
    assert book.by_id("ah-nobody") is None


def test_a_written_key_moves_and_is_forgotten():
    contacts = generate(30, 1).contacts
    book = ContactBook(contacts, ())
    before = book.saved()
    first = book.at(0)
    book.save({**first, "crm_id": "003new"})
    assert book.by_crm_id("003new")["id"] == first["id"]
    assert first["crm_id"] is None or book.by_crm_id(first["crm_id"]) is None
    assert book.crm_ids(pl.Series([first["id"], "ah-nobody"])).to_list() == ["003new", None]
    book.restore(before)
    assert book.by_crm_id("003new") is None
    assert book.by_id(first["id"]) == first


def test_a_key_that_occurs_twice_is_named():
    with pytest.raises(ValueError, match="phone unique, but it occurs more than once: 4045550101"):
        KeyIndex(pl.Series("phone", ["4045550101", None, "4045550102", "4045550101", None]))


def test_equal_hashes_are_told_apart_by_the_key():
    index = KeyIndex(pl.Series("id", ["a", "b"]))
    index._hashes = np.full(2, pl.Series(["c"]).hash().item(), np.uint64)
    assert index.get("c") is None


def test_spooled_frames_come_back_as_they_were():
    texts = ["", "short", "a text that is longer than twelve bytes ✂", None]
    whole = pl.DataFrame(
        {
            "text": texts * 50,
            "list": [["x", "a much longer list entry"], [], None, ["y"]] * 50,
            "of": [{"id": "1", "name": "somebody with a long name"}, None] * 100,
            "at": pl.Series(range(200)).cast(pl.Datetime("us", "UTC")),
        }
    )
    with Spool() as pool:
        for start in range(0, 200, 60):
            pool.append(whole.slice(start, 60))
        back = pool.frame()
    assert back.equals(whole)
    assert back.schema == whole.schema
    positions = np.array([0, 59, 60, 61, 199])
    assert rows_at(back, positions).equals(whole[positions])
    assert rows_at(back, positions[:0]).height == 0


def test_a_spool_takes_only_the_rows_of_a_slice():
    """A view of a large frame must not drag that frame's bytes to disk with it."""
    whole = pl.DataFrame(
        {"text": [f"a text that is long enough to be kept apart {number}" for number in range(20_000)]}
    )
    with Spool() as pool:
        pool.append(whole.slice(100, 10))
        assert pool.size < 10_000


def test_sorted_runs_are_merged(monkeypatch):
    monkeypatch.setattr(spool, "SPOOLED_FROM", 50)
    random = np.random.default_rng(1)
    frames = [
        pl.DataFrame({"at": random.integers(0, 90, 120), "id": [f"{run}-{i}" for i in range(120)]}) for run in "abc"
    ]
    runs = [frame.sort("at", "id", descending=[True, False]) for frame in frames]
    expected = pl.concat(frames).sort("at", "id", descending=[True, False])
    assert merged(runs, newest="at", then="id").equals(expected)


def test_few_rows_stay_in_memory():
    frame = spooled([pl.DataFrame({"a": [1]}), pl.DataFrame({"a": [2]})])
    assert frame["a"].to_list() == [1, 2]
