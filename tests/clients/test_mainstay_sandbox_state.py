"""Laws of the sandbox institution: its indexes never disagree with its contacts, whatever is written."""

import contextlib

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.simulators.mainstay import MainstayInstitution
from workbench.simulators.world.model import CUSTOM_FIELDS

PHONES = [f"404555010{n}" for n in range(6)]
CRM_IDS = [f"003{n}" for n in range(6)]
IDS = ["ah0", "ah1", "ah2", "ah3"]

bodies = st.fixed_dictionaries(
    {},
    optional={
        "phone": st.sampled_from([*PHONES, "12", "UNSET", ""]),
        "crm_id": st.sampled_from([*CRM_IDS, ""]),
        "first_name": st.sampled_from(["Ana", "UNSET"]),
        "last_name": st.just("Lopez"),
        "messaging_status_sms": st.sampled_from(["opted-in", "opted-out", "paused"]),
    },
)
writes = st.one_of(
    st.tuples(st.just("put"), st.sampled_from([*IDS, *PHONES, *CRM_IDS]), bodies),
    st.tuples(st.just("post"), st.none(), bodies),
    st.tuples(
        st.just("staff"), st.sampled_from(IDS), st.fixed_dictionaries({"phone": st.sampled_from([*PHONES, None])})
    ),
    st.tuples(st.just("learner"), st.sampled_from(IDS), st.sampled_from(["STOP", "START", "#pause", "hi"])),
)


def institution():
    contacts = pl.DataFrame(
        {
            "id": IDS,
            "crm_id": [CRM_IDS[0], CRM_IDS[1], None, None],
            "phone": [PHONES[0], PHONES[1], PHONES[2], None],
            "messaging_status_sms": ["opted-in", "opted-out", "paused", None],
        }
    )
    return MainstayInstitution(contacts, CUSTOM_FIELDS, seed=7)


def write(target, kind, key, value):
    if kind == "put":
        target.put(key, value)
    elif kind == "post":
        target.post(value)
    elif kind == "learner":
        target.learner_texts(key, value)
    else:
        with contextlib.suppress(ValueError):  # somebody else's phone: refused, nothing changed
            target.staff_edits(key, value)


def check(target):
    contacts = list(target.book.all_shown())
    for name, find in (("id", target.book.by_id), ("crm_id", target.book.by_crm_id), ("phone", target.book.by_phone)):
        held = [contact[name] for contact in contacts if contact[name]]
        assert len(held) == len(set(held))
        for contact in contacts:
            if contact[name]:
                assert find(contact[name])["id"] == contact["id"]
        for key in {*PHONES, *CRM_IDS} - set(held):
            assert find(key) is None
    for contact in contacts:
        assert (contact["texting_status"] is None) == (contact["messaging_status_sms"] is None)
        assert contact["can_text"] == (bool(contact["phone"]) and contact["messaging_status_sms"] == "opted-in")
        assert not any(name.startswith("_") for name in contact)


@settings(max_examples=60, deadline=None)
@given(st.lists(writes, max_size=12), st.lists(writes, max_size=6))
def test_indexes_follow_every_write_and_every_return(first, then):
    target = institution()
    for step in first:
        write(target, *step)
        check(target)
    before = list(target.book.all_shown())
    saved = target.saved()
    for step in then:
        write(target, *step)
    target.restore(saved)
    check(target)
    assert list(target.book.all_shown()) == before


def test_new_ids_come_from_the_seed():
    body = {"crm_id": "003X", "first_name": "a", "last_name": "b"}
    assert institution().post(body).contact["id"] == institution().post(body).contact["id"]
