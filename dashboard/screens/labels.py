"""Label matches: two records side by side; a person says whether they are one, blind to rules, scores and others."""

from __future__ import annotations

from threading import RLock
from typing import Any, Final

import streamlit as st

from dashboard import privacy, session
from dashboard.components import markup
from dashboard.components.layout import empty, header
from dashboard.components.text import md, plural
from workbench import views
from workbench.errors import WorkbenchError
from workbench.lab import MatchLab
from workbench.lab.bench import Question
from workbench.store.mappings import current_mapping

# verdict -> (label, key, icon). The keys are those of the notebook's page and of the command line's help.
ANSWERS: Final = {
    "same": ("Same person", "S", ":material/person:"),
    "different": ("Different people", "D", ":material/group:"),
    "unsure": ("Unsure", "U", ":material/help:"),
}
SIZES: Final = (20, 40, 60, 100, 200)


@st.cache_resource(max_entries=2, show_spinner="Reading the people of both systems")
def people_of(moment: tuple[Any, ...]) -> tuple[MatchLab, RLock]:
    """The match lab over one pull and mapping, made anew when either moved; one visitor at a time works in it."""
    del moment
    return MatchLab(session.store()), RLock()


def bench() -> tuple[MatchLab, RLock]:
    pulls = tuple((row["object"], row["pull_id"]) for row in session.read(views.latest_pulls) if is_people(row))
    revision = session.read(current_mapping)
    return people_of((session.settings().database, pulls, revision and revision.revision))


def is_people(pull: dict[str, Any]) -> bool:
    return pull["object"] in ("Contact", "contact")


def labeller() -> str:
    """Who labels: the person who signed in; on a machine without sign-in, the name that is typed."""
    known = session.person().name
    if session.is_signed_in():
        return known
    typed = st.text_input(
        "Label as", value=known, key="label_as", width=220, label_visibility="collapsed",
        placeholder="Your name", help="Whose answers these are: agreement between two people is measured.",
    )  # fmt: skip
    return (typed or "").strip() or known


def keep(lab: MatchLab, question: Question, verdict: str, by: str) -> None:
    try:
        if session.person().may("label"):
            lab.label(question.pair, verdict, by=by)
    except WorkbenchError as error:
        st.session_state["label_refusal"] = str(error)


def take_back(lab: MatchLab, by: str) -> None:
    if session.person().may("label"):
        lab.undo(by=by)


def value(one: Any) -> str:
    return markup.cell(privacy.HIDDEN if one is not None and session.is_masked() else one)


def sides(question: Question) -> markup.Html:
    rows = "".join(
        f"<tr><th>{markup.cell(str(row['attribute']).replace('_', ' '))}</th><td>{value(row['salesforce'])}</td>"
        f"<td>{value(row['mainstay'])}</td></tr>"
        for row in question.rows
    )
    return markup.Html(
        '<table class="wb-sides" aria-label="Two records"><thead><tr><th></th><th>Salesforce</th><th>Mainstay</th>'
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def ask(lab: MatchLab, by: str) -> bool:
    """The next pair with its buttons; whether this person is through."""
    size, question = lab.sample_size, lab.next_pair(by)
    done = size - (question.remaining if question else 0)
    st.progress(done / size, text=f"{done} of {plural(size, 'pair')}")
    if refusal := st.session_state.pop("label_refusal", None):
        st.error(md(refusal), icon=":material/error:")
    if question is None:
        st.success("All pairs are labelled. A second person can label the same ones now.", icon=":material/task_alt:")
    else:
        st.html(sides(question))
    may_not = not session.person().may("label") or session.is_masked()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for verdict, (label, key, icon) in ANSWERS.items() if question else ():
            st.button(
                label, key=f"label_{verdict}", icon=icon, shortcut=key, disabled=may_not, on_click=keep,
                args=(lab, question, verdict, by),
            )  # fmt: skip
        st.space("stretch")
        st.button(
            "Take back", key="label_undo", icon=":material/undo:", shortcut="Z", type="tertiary",
            disabled=may_not or not done, on_click=take_back, args=(lab, by),
            help="The last answer; its pair is asked again.",
        )  # fmt: skip
    if session.is_masked():
        st.caption("Show personal data to label: nobody can tell people apart by dots.")
    return question is None


def draw(lab: MatchLab) -> None:
    """Choose new pairs: by which rules, and how many. Answers given stay, and count where their pair is drawn again."""
    with st.form("draw", border=False):
        rules = st.text_input(
            "Rules that propose pairs", value=lab.usual_rules,
            help=f"`>` means then, `+` means and. Usable: {md(', '.join(lab.attributes))}",
        )  # fmt: skip
        size = st.select_slider("Pairs", SIZES, value=60)
        if st.form_submit_button("Draw pairs", disabled=not session.person().may("label")):
            try:
                count = lab.draw_sample(rules or None, size=int(size))
            except WorkbenchError as error:
                st.error(md(str(error)), icon=":material/error:")
                return
            if count:
                st.rerun()
            st.warning("These rules propose no pair.", icon=":material/search_off:")


def agreement(lab: MatchLab, *, is_finished: bool) -> None:
    """Kappa per two people; whose pairs are disputed, for those who are through: until then they label blind."""
    rows = lab.agreement().rows
    if not rows:
        st.caption("Agreement is measured when two people have labelled the same pairs.")
        return
    columns = ("One", "Other", "Both judged", "Agree", "Kappa, 95 % interval")
    lines = [(row["one"], row["other"], row["both"], row["agree"], str(row["kappa"]) or None) for row in rows]
    st.html(markup.table(columns, lines, label="Agreement between labellers", numbers=columns[2:]))
    st.caption("Kappa is agreement beyond chance: 1 always, 0 as by chance. Below 0.6, talk before trusting a figure.")
    disputes = lab.disputes().rows
    if not disputes:
        return
    if not is_finished or session.is_masked():
        st.caption(f"{plural(len(disputes), 'pair')} in dispute; shown to those who have labelled all of theirs.")
        return
    st.markdown(f"**Disputed: {plural(len(disputes), 'pair')}.** They count for no rule until people agree.")
    names = list(disputes[0])
    st.html(markup.table(names, [[row[name] for name in names] for row in disputes], label="Disputed pairs"))


def figures(lab: MatchLab) -> None:
    """What the labels say of the usual rules."""
    rules = st.text_input("Rules to judge, one order", value=lab.usual_rules, key="judged_rules")
    try:
        shown = lab.score(rules or lab.usual_rules, only_labels=True)
    except WorkbenchError as error:
        st.caption(md(str(error)))
        return
    (row,) = shown.rows
    names = ("precision", "recall", "F1")
    st.html(markup.figures([(name, str(row[name]) or "–") for name in names]))
    st.caption(md(" ".join(shown.notes)))
    st.caption("In brackets 95 % intervals: few labels prove little. Recall counts among pairs that a rule proposed.")


def show(lab: MatchLab, by: str) -> None:
    if not lab.sample_size:
        empty("No pairs drawn yet", "Draw some below: rare combinations of rules are seen too.", icon="difference")
        draw(lab)
        return
    with st.container(border=True, key="wb-labelling"):
        is_finished = ask(lab, by)
    parts = st.tabs(["Agreement", "What the labels say", "Draw new pairs"])
    with parts[0]:
        agreement(lab, is_finished=is_finished)
    with parts[1]:
        if is_finished:
            figures(lab)
        else:
            st.caption("Shown when you have labelled all of your pairs, so that no figure leads your answers.")
    with parts[2]:
        draw(lab)


with header("Label matches"):
    who = labeller()
st.caption("One person or two? You see neither the rule that proposed a pair nor what others said. Nothing is sent.")
if {row["system"] for row in session.read(views.latest_pulls) if is_people(row)} != {"salesforce", "mainstay"}:
    empty("Nothing to match yet", "Pairs come from the latest pull of both systems.", command="workbench pull")
else:
    the_lab, lock = bench()
    with lock:
        show(the_lab, who)
