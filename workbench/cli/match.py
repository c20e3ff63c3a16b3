"""Match lab: match, label. Measures and asks; nothing here is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.output import out, plural, print_json, print_table, say
from workbench.cli.session import Json, session_of
from workbench.errors import ConfigurationError, NotFound

if TYPE_CHECKING:
    from workbench.lab import MatchLab
    from workbench.lab.shown import Shown

PANEL: Final = "Match lab"
# First letters: yes and no as one answers a question, s and d as on the buttons of the other two places.
ANSWERS: Final = {"y": "same", "s": "same", "n": "different", "d": "different", "u": "unsure"}
SHOWN: Final = 20

Sobject = Annotated[str, typer.Option("--object", help="The Salesforce object.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (match, label):
        app.command(rich_help_panel=PANEL)(command)


def match(
    context: typer.Context,
    *,
    rules: Annotated[
        list[str] | None,
        typer.Argument(
            help="Rules in order, as in 'crm_id > phone > first_name + last_name'; a second one is compared."
        ),
    ] = None,
    sobject: Sobject = "Contact",
    wrong: Annotated[
        bool, typer.Option("--wrong", help="List who would be wrongly linked; needs a known truth.")
    ] = False,
    proposals: Annotated[
        int, typer.Option(min=0, help="So many probable matches of Splink for those left over; advisory only.")
    ] = 0,
    json: Json = False,
) -> None:
    """Measure match rules on the latest pull: what each finds and contradicts, how right it is, and the cost in people.

    Judged by the known truth where there is one, else by labels (workbench label). Nothing is sent.
    """
    from workbench.lab import MatchLab  # noqa: PLC0415  the lab is heavy, and only these commands need it

    bench = MatchLab(session_of(context).store, sobject)
    chosen = rules or [bench.usual_rules]
    if len(chosen) > 2:
        raise ConfigurationError("Two orders of rules can be compared at once; join rules of one order with '>'.")
    parts: dict[str, Shown] = {"waterfall": bench.waterfall(chosen[0])}
    if len(chosen) == 2:
        parts["comparison"] = bench.compare(*chosen)
    if _can_judge(bench):
        parts["score"] = bench.score(*chosen)
    if wrong:
        parts["wrong"] = bench.wrong_links(chosen[-1])
    if proposals:
        parts["proposals"] = bench.proposed(bench.proposals(chosen[0]), limit=proposals)
    if json:
        print_json({name: _plain(shown) for name, shown in parts.items()})
        return
    for shown in parts.values():
        _show(shown)
    if "score" not in parts:
        say("How right these rules are is not known: workbench label --by NAME --draw 60 asks people.")


def label(
    context: typer.Context,
    *,
    by: Annotated[str, typer.Option(help="Your name: agreement between people is measured.")],
    sobject: Sobject = "Contact",
    rules: Annotated[
        str | None, typer.Option(help="Draw pairs that these rules propose, as in: phone > email.")
    ] = None,
    draw: Annotated[int, typer.Option(min=0, help="Draw so many pairs anew; 0 goes on with those there are.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed draws the same pairs.")] = 0,
    report: Annotated[bool, typer.Option("--report", help="Only tell what the labels say so far.")] = False,
    json: Json = False,
) -> None:
    """Say of pairs whether they are one person, without seeing which rule proposed them or what others said.

    Two people label the same pairs; their agreement (Cohen's kappa) tells how far the labels can be trusted.
    """
    from workbench.lab import MatchLab  # noqa: PLC0415  as above

    bench = MatchLab(session_of(context).store, sobject)
    if json and not report:
        raise ConfigurationError("Labelling asks a person; --json goes with --report.")
    if draw:
        say(f"{plural(bench.draw_sample(rules, size=draw, seed=seed), 'pair')} to label.")
    if not report:
        if not bench.sample_size:
            raise NotFound("No pairs are drawn to be labelled yet: add --draw 60.")
        _ask(bench, by)
    parts = {"agreement": bench.agreement()}
    # Half-way through, a figure would lead the answers that are still to come.
    if _can_judge(bench) and (report or bench.next_pair(by) is None):
        parts["score"] = bench.score(rules or bench.usual_rules)
    if json:
        print_json({name: _plain(shown) for name, shown in parts.items()})
        return
    for shown in parts.values():
        _show(shown)


def _can_judge(bench: MatchLab) -> bool:
    from workbench.lab.labels import labelled_pairs  # noqa: PLC0415  as above

    return bench.has_truth or bool(labelled_pairs(bench.store, sobject=bench.sobject))


def _ask(bench: MatchLab, by: str) -> None:
    done = 0
    while (question := bench.next_pair(by)) is not None:
        print_table(list(question.rows), ["attribute", "salesforce", "mainstay"], title=f"{question.remaining} left")
        answer = typer.prompt("One person? y(es) n(o) u(nsure) z (take the last back) q(uit)", default="u")
        letter = answer.strip().lower()[:1]
        if letter == "q":
            break
        if letter == "z":
            done -= bench.undo(by=by) is not None
        elif letter in ANSWERS:
            bench.label(question.pair, ANSWERS[letter], by=by)
            done += 1
    say(f"{plural(max(done, 0), 'answer')} kept.")


def _plain(shown: Shown) -> dict[str, Any]:
    """A table for programs: shares as value, low and high."""
    from workbench.lab.measures import Share  # noqa: PLC0415  as above

    rows = [
        {
            name: {"value": value.value, "low": value.low, "high": value.high} if isinstance(value, Share) else value
            for name, value in row.items()
        }
        for row in shown.rows
    ]
    return {"title": shown.title, "rows": rows, "notes": list(shown.notes)}


def _show(shown: Shown) -> None:
    rows = [{name: _word(value) for name, value in row.items()} for row in shown.rows[:SHOWN]]
    if rows:
        print_table(rows, list(rows[0]), title=shown.title)
    else:
        out().print(f"{shown.title}: none.", markup=False)
    if len(shown.rows) > SHOWN:
        say(f"{SHOWN} of {len(shown.rows):,} rows; --json prints all.")
    for note in shown.notes:
        out().print(note, markup=False, soft_wrap=True)
    out().print()


def _word(value: Any) -> Any:
    return value if isinstance(value, int | float | str | None) else str(value)
