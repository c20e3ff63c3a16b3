"""Every situation a preview can meet, by name: the preview matrix, the error dictionary, consent, and plain mess.

Source: Mainstay API reference, section 4 "Preview matrix" and section 8; guide, "Error Dictionary". The order is
that of importance: a world too small for all of them holds the first ones.
"""

from __future__ import annotations

from typing import Final

from workbench.simulators.world.stage import Stage

LONG_NOTE: Final = ("Asked about aid, housing, credit and parking; sent every link twice. " * 30)[:1500]
HOSTILE_NAMES: Final = (
    ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>"),
    ("=cmd|'/C calc'!A0", "+1+1"),
    ("Robert'); DROP TABLE contact;--", '"Quoted" \\ O\'Neil'),
    ("\u202eevil\u202c", "שלום مرحبا"),
    ("👩‍👩‍👧‍👦", "Zalgo̴̡ e\u0301"),
)
HOSTILE_TEXTS: Final = (
    "</script><script>document.title='gone'</script> [click](javascript:alert(1)) **bold** $x^2$",
    '@SUM(A1:A9)\t"a","b"\r\nnext; line\u2028and {0} %s ${HOME} $1',
    '-2+3+cmd|\' /C calc\'!A0\n\n=HYPERLINK("https://example.com","x")',
)
# 18 characters, right suffix, but no such record: what a merge or a deletion in Salesforce leaves behind.
GONE: Final = "003gone{:08d}AAA"


# --- the preview matrix -------------------------------------------------------------------------------------------


def nothing_to_do(stage: Stage) -> None:
    stage.linked()


def update(stage: Stage) -> None:
    stage.linked(first_name="Anna-Old", **{"custom.Campus": "North", "custom.GPA": 1.5}).record.update(
        {"FirstName": "Anna", "Campus__c": "South", "GPA__c": 3.75}
    )


def create(stage: Stage) -> None:
    stage.only_record()


def phone_acquires_crm_id(stage: Stage) -> None:
    stage.phone_match()


def phone_has_other_crm_id(stage: Stage) -> None:
    owner = stage.linked()
    stage.only_record().has_phone(owner.phone)


def phone_changes(stage: Stage) -> None:
    mover = stage.linked()
    mover.has_phone(mover.spare_phone)


def phone_is_previous(stage: Stage) -> None:
    learner = stage.linked()
    learner.contact.update(phone=learner.spare_phone, previous_phone=learner.phone)


def phone_belongs_to_other(stage: Stage) -> None:
    owner, mover = stage.linked(), stage.linked()
    mover.has_phone(owner.phone)


def phone_is_previous_and_belongs_to_other(stage: Stage) -> None:
    owner, mover = stage.linked(), stage.linked()
    mover.has_phone(owner.phone)
    mover.contact["previous_phone"] = owner.phone


def phone_invalid_on_update(stage: Stage) -> None:
    stage.linked().has_phone("404-555-01")


def phone_invalid_on_create(stage: Stage) -> None:
    stage.only_record().has_phone("(155) 555-0199")


def no_phone_on_create(stage: Stage) -> None:
    stage.only_record().has_phone(None)


def no_phone_on_update(stage: Stage) -> None:
    stage.linked().has_phone(None)


def do_not_contact(stage: Stage) -> None:
    stage.linked().record["Do_Not_Contact__c"] = True
    stage.only_record(Do_Not_Contact__c=True)


def only_in_mainstay(stage: Stage) -> None:
    stage.only_contact()


# --- the error dictionary, field by field ---------------------------------------------------------------------------


def bad_email(stage: Stage) -> None:
    stage.linked().record["Email"] = "nope"
    stage.linked().record["Email"] = "ana..lopez@example.edu"
    stage.only_record(Email="no at sign.example.edu")


def bad_language(stage: Stage) -> None:
    stage.linked().record["Language__c"] = "English"
    stage.only_record(Language__c="EN")


def preferred_name_set(stage: Stage) -> None:
    stage.linked(preferred_name="Coco").record["Preferred_Name__c"] = "Connie"
    stage.linked(preferred_name=None).record["Preferred_Name__c"] = "Connie"


def opted_out_learner_opted_in(stage: Stage) -> None:
    stage.linked(messaging_status_sms="opted-out").record["SMS_Status__c"] = "Opted In"


def staff_sets_paused(stage: Stage) -> None:
    stage.linked().record["SMS_Status__c"] = "paused"
    stage.linked(messaging_status_sms="paused").record["SMS_Status__c"] = "Paused"
    stage.linked(messaging_status_sms="paused").record["SMS_Status__c"] = "opted-in"


def unknown_sms_status(stage: Stage) -> None:
    stage.linked().record["SMS_Status__c"] = "STOP"
    stage.only_record(SMS_Status__c="subscribed")


def staff_opts_out(stage: Stage) -> None:
    stage.linked().record["SMS_Status__c"] = "Opted Out"
    stage.only_record(SMS_Status__c="OPTED-OUT")


def channel_missing(stage: Stage) -> None:
    stage.linked().record["Web_Status__c"] = "opted-in"
    mute = stage.linked(phone=None, messaging_status_sms=None, messaging_status_web_bot="opted-in")
    mute.record.update(MobilePhone=None, SMS_Status__c="opted-in")
    stage.only_record(MobilePhone=None, SMS_Status__c="opted-in")


def web_bot_status(stage: Stage) -> None:
    stage.linked(messaging_status_web_bot="opted-in").record["Web_Status__c"] = "opted-out"


def number_not_castable(stage: Stage) -> None:
    stage.linked().record["Graduation_Year__c"] = "soon"
    stage.only_record(Graduation_Year__c="soon")


def choice_unknown(stage: Stage) -> None:
    stage.linked().record["Campus__c"] = "West"


def custom_phone_not_castable(stage: Stage) -> None:
    stage.linked().record["HomePhone"] = "ask mother"


def url_not_castable(stage: Stage) -> None:
    stage.linked().record["Portal__c"] = "portal.example.edu/s/1"


def custom_values_too_long(stage: Stage) -> None:
    stage.linked().record["Advisor_Notes__c"] = LONG_NOTE
    stage.only_record(Advisor_Notes__c=LONG_NOTE)


def last_name_too_long(stage: Stage) -> None:
    stage.linked().record["LastName"] = (
        "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Cholmondeley-Marjoribanks"
    )


def first_name_missing(stage: Stage) -> None:
    stage.only_record(FirstName=None)
    stage.linked().record["FirstName"] = None


def several_errors_at_once(stage: Stage) -> None:
    stage.linked(preferred_name="Coco").record.update(
        MobilePhone="12", Email="nope", Preferred_Name__c="Connie", Language__c="Klingon", SMS_Status__c="maybe",
        Graduation_Year__c="soon", Campus__c="West", Advisor_Notes__c=LONG_NOTE, HomePhone="ask",
    )  # fmt: skip
    stage.only_record(Email="nope", Language__c="Klingon", Graduation_Year__c="soon", Advisor_Notes__c=LONG_NOTE)


def several_errors_and_a_complete_one(stage: Stage) -> None:
    owner = stage.linked()
    stage.linked().record.update(MobilePhone=owner.phone, Email="nope", Language__c="Klingon")


# --- order matters: what an earlier record does to a later one ------------------------------------------------------


def family_shares_phone(stage: Stage) -> None:
    first, second, third = (stage.only_record() for _ in range(3))
    for place, child in enumerate((first, second, third)):
        child.has_phone(first.phone)
        child.stands_in_line(place)


def family_in_one_load(stage: Stage) -> None:
    first, second = stage.only_record(), stage.only_record()
    for child in (first, second):
        child.has_phone(first.phone)
        child.stands_in_line(60)


def family_with_free_contact(stage: Stage) -> None:
    known, sibling = stage.phone_match(), stage.only_record()
    sibling.has_phone(known.phone)
    sibling.stands_in_line(120)
    known.stands_in_line(121)


def phone_handed_on(stage: Stage) -> None:
    giver, taker = stage.linked(), stage.linked()
    giver.has_phone(giver.spare_phone)
    taker.has_phone(giver.phone)
    giver.stands_in_line(180)
    taker.stands_in_line(181)


def phone_handed_on_too_early(stage: Stage) -> None:
    giver, taker = stage.linked(), stage.linked()
    giver.has_phone(giver.spare_phone)
    taker.has_phone(giver.phone)
    taker.stands_in_line(240)
    giver.stands_in_line(241)


def phones_swapped(stage: Stage) -> None:
    one, other = stage.linked(), stage.linked()
    one.has_phone(other.phone)
    other.has_phone(one.phone)
    one.stands_in_line(300)
    other.stands_in_line(301)


def freed_phone_creates(stage: Stage) -> None:
    giver, newcomer = stage.linked(), stage.only_record()
    giver.has_phone(giver.spare_phone)
    newcomer.has_phone(giver.phone)
    giver.stands_in_line(360)
    newcomer.stands_in_line(361)


def one_person_twice_in_salesforce(stage: Stage) -> None:
    original, copy = stage.linked(), stage.only_record()
    copy.person = original.person
    for record in (original, copy):
        record.record.update(Email=f"twice{original.slot}@example.edu", FirstName="Twice", LastName="Told")
    original.contact.update(email=f"twice{original.slot}@example.edu", first_name="Twice", last_name="Told")
    copy.has_phone(original.phone)


# --- links that mislead ---------------------------------------------------------------------------------------------


def crm_id_dangles(stage: Stage) -> None:
    lost = stage.only_contact()
    lost.contact["crm_id"] = GONE.format(lost.slot)


def crm_id_dangles_and_holds_phone(stage: Stage) -> None:
    held = stage.phone_match()
    held.contact["crm_id"] = GONE.format(held.slot)


def crm_id_looks_like_phone(stage: Stage) -> None:
    """An old CRM ID of ten digits is somebody else's phone: a PUT by that phone reaches the wrong person."""
    newcomer, other = stage.only_record(), stage.only_contact()
    other.contact["crm_id"] = newcomer.phone


def hidden_contact_holds_phone(stage: Stage) -> None:
    stage.phone_match(test_user=True)
    stage.phone_match(permitted_user_status=False)
    other = stage.linked(test_user=True)
    stage.only_record().has_phone(other.phone)


def hidden_contact_is_linked(stage: Stage) -> None:
    stage.linked(test_user=True, **{"custom.GPA": 1.25}).record["GPA__c"] = 2.5
    stage.linked(permitted_user_status=False, **{"custom.GPA": 1.25}).record["GPA__c"] = 2.5
    stage.linked(archived=True, **{"custom.GPA": 1.25}).record["GPA__c"] = 2.5
    stage.phone_match(archived=True)


def phone_undeliverable(stage: Stage) -> None:
    stage.linked(invalid_phone=True, deliverability_failure_count=4)


# --- import: matching by e-mail -------------------------------------------------------------------------------------


def email_matches(stage: Stage) -> None:
    learner = stage.phone_match(phone=None, messaging_status_sms=None, messaging_status_web_bot="opted-in")
    learner.contact.update(channel="web", email=f"Mail.{learner.slot}@Example.EDU")
    learner.record["Email"] = f"mail.{learner.slot}@example.edu"


def email_on_two_contacts(stage: Stage) -> None:
    record, one, other = stage.only_record(), stage.only_contact(), stage.only_contact()
    one.person = other.person = record.person
    record.record["Email"] = one.contact["email"] = other.contact["email"] = f"both{record.slot}@example.edu"


def email_on_two_records(stage: Stage) -> None:
    one, other, contact = stage.only_record(), stage.only_record(), stage.only_contact()
    contact.person = one.person
    one.record["Email"] = other.record["Email"] = contact.contact["email"] = f"home{one.slot}@example.edu"


def contact_without_last_name(stage: Stage) -> None:
    stage.only_contact(first_name="Ximena", last_name=None)
    stage.only_contact(first_name=None, last_name=None, email=None, phone=None, messaging_status_sms=None)


# --- blanks ---------------------------------------------------------------------------------------------------------


def blank_everywhere(stage: Stage) -> None:
    blanks = (
        "AccountId", "Salutation", "Email", "MobilePhone", "HomePhone", "Phone", "Birthdate", "MailingStreet",
        "MailingCity", "MailingState", "LeadSource", "Title", "Description", "Student_ID__c", "Preferred_Name__c",
        "Language__c", "SMS_Status__c", "Web_Status__c", "Campus__c", "Graduation_Year__c", "GPA__c",
        "Enrollment_Date__c", "Portal__c", "Advisor_Notes__c", "High_School__c",
    )  # fmt: skip
    stage.linked().record.update(dict.fromkeys(blanks))
    stage.only_record(**dict.fromkeys(blanks))


def blank_in_mainstay(stage: Stage) -> None:
    customs = (
        "School System", "College", "High School", "Campus", "Graduation Year", "GPA", "Enrollment Date", "Portal",
        "First Generation", "Advisor Notes", "Guardian Phone", "CB/Status",
    )  # fmt: skip
    names = ("enrollment_id", "first_name", "preferred_name", "last_name", "email", "phone", "language", "channel")
    nulls = {**dict.fromkeys(names), **{f"custom.{name}": None for name in customs}}
    stage.linked(**nulls, messaging_status_sms=None)


# --- history lengths ------------------------------------------------------------------------------------------------


def history_lengths(stage: Stage) -> None:
    for messages, campaigns in ((0, 0), (1, 1), (20, 20), (21, 21), (500, 5)):
        learner = stage.linked()
        learner.message_count, learner.campaign_count = messages, campaigns


# --- hostile text: nothing here may run, break a page or a query, or be taken for something else ----


def hostile_names(stage: Stage) -> None:
    for first, last in HOSTILE_NAMES:
        stage.linked().record.update(FirstName=first, LastName=last)
    first, last = HOSTILE_NAMES[0]
    stage.only_record(FirstName=first, LastName=last)
    stage.only_contact(first_name=first, last_name=last, preferred_name="=1+1")


def hostile_texts(stage: Stage) -> None:
    for text in HOSTILE_TEXTS:
        stage.linked().record.update(Advisor_Notes__c=text, High_School__c=text[:200])
    stage.only_contact(**{"custom.Advisor Notes": HOSTILE_TEXTS[0], "custom.CB/Status": HOSTILE_TEXTS[1]})


def words_with_meaning(stage: Stage) -> None:
    for word in ("UNSET", "null", "None", "true", "0", "NaN"):
        stage.linked().record.update(Preferred_Name__c=word, High_School__c=word)


def texts_at_the_limit(stage: Stage) -> None:
    for text in ("x" * 1000, "x" * 1001, "👩" * 1000, "e\u0301" * 500 + "!"):
        stage.linked().record["Advisor_Notes__c"] = text


SITUATIONS: Final = (
    nothing_to_do, create, update, phone_acquires_crm_id, only_in_mainstay, phone_has_other_crm_id, phone_changes,
    phone_is_previous, phone_belongs_to_other, phone_invalid_on_update, phone_invalid_on_create, no_phone_on_create,
    do_not_contact, bad_email, preferred_name_set, number_not_castable, custom_values_too_long, bad_language,
    opted_out_learner_opted_in, phone_is_previous_and_belongs_to_other, family_shares_phone, no_phone_on_update,
    history_lengths, several_errors_at_once, staff_sets_paused, unknown_sms_status, channel_missing, staff_opts_out,
    web_bot_status, choice_unknown, custom_phone_not_castable, url_not_castable, last_name_too_long,
    first_name_missing, several_errors_and_a_complete_one, family_in_one_load, family_with_free_contact,
    phone_handed_on, phone_handed_on_too_early, phones_swapped, freed_phone_creates, one_person_twice_in_salesforce,
    crm_id_dangles, crm_id_dangles_and_holds_phone, hidden_contact_holds_phone, hidden_contact_is_linked,
    phone_undeliverable, email_matches, email_on_two_contacts, email_on_two_records, contact_without_last_name,
    blank_everywhere, blank_in_mainstay,
    crm_id_looks_like_phone, words_with_meaning, texts_at_the_limit, hostile_names, hostile_texts,
)  # fmt: skip
