# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2. Match quality
#
# Behind every bad sync stands a bad match: one student's record tied to another student's phone. This notebook asks of
# every rule how many people it finds, where rules disagree, and who would get somebody else's texts.
#
# Nothing here writes to Salesforce or Mainstay. A rule links only where one record and one contact share a value;
# everybody else is a tie, and ties go to people.

# %%
import plotly.express as px
import plotly.io

import workbench as wb
from workbench.lab import MatchLab

plotly.io.renderers.default = "plotly_mimetype+notebook"  # no network needed

bench = wb.connect()
wb.import_mapping()
wb.pull()

# %% [markdown]
# ## The people
# Rules can use the CRM ID and whatever the mapping maps. Values are compared as both systems would: phones as ten
# digits, names without accents and case.

# %%
lab = MatchLab(bench.store)
lab

# %% [markdown]
# ## Rules in order
# `>` means *then*, `+` means *and*. Mainstay itself goes by CRM ID, then by phone; what follows is what could be found
# besides.
#
# *confirms*: earlier rules say the same. *disagrees*: an earlier rule linked one of the two to somebody else.

# %%
waterfall = lab.waterfall("crm_id > phone > email > enrollment_id")
waterfall

# %%
parts = {"adds": "new links", "confirms": "confirms", "disagrees": "disagrees", "tied_records": "tied: people decide"}
px.bar(
    waterfall.pl().rename(parts),
    x="rule",
    y=list(parts.values()),
    title="What each rule finds",
).update_xaxes(title=None).update_yaxes(title="records").update_layout(legend_title=None)

# %% [markdown]
# ## Where rules disagree
# Each line is one pair of a later rule, Salesforce | Mainstay where the two differ. Read a few: one of the two rules is
# wrong about a real person.

# %%
lab.contradictions("crm_id > phone > email > enrollment_id")

# %% [markdown]
# ## Rule against rule
# Would it pay to look at the email as well? *right* and *wrong* appear where the truth is known, as in the sandbox.

# %%
lab.compare("crm_id > phone", "crm_id > phone > email")

# %% [markdown]
# ## How right is a rule?
# *Precision*: of its links, how many join one person. *Recall*: of the people on both sides, how many it links. Behind
# each number stands its 95 % interval: a rule that was right ten times out of ten may still be wrong one time in four.
#
# With your own data nobody knows the truth. Label some pairs first (below), then ask `lab.score(...)`.

# %%
rules = ["crm_id", "phone", "email", "first_name + last_name", "crm_id > phone", "crm_id > phone > email"]
if lab.has_truth:
    scores = [lab.judge(rule) for rule in rules]
    display(lab.score(*rules))  # noqa: F821  Jupyter's own

# %%
if lab.has_truth:
    f1 = [{"rule": one.links.name, "F1": one.score.f1.value, "low": one.score.f1.low, "high": one.score.f1.high}
          for one in scores]  # fmt: skip
    rows = [{**row, "above": row["high"] - row["F1"], "below": row["F1"] - row["low"]} for row in f1]
    chart = px.scatter(rows, x="F1", y="rule", error_x="above", error_x_minus="below", title="F1 with 95 % intervals")
    display(chart.update_yaxes(title=None))  # noqa: F821

# %% [markdown]
# ## Who would be wrongly linked?
# The cost in people. Each line is a student whose texts would go to somebody else.

# %%
if lab.has_truth:
    display(lab.wrong_links("phone"))  # noqa: F821

# %% [markdown]
# ## Ask people
# Labels are how you learn the truth of your own data. Pairs are drawn so that rare combinations of rules are seen too,
# and shown blind: no rule, no CRM ID, no answers of others. Press a button, or click into the frame and use the keys.
# The same pairs wait in the dashboard (Label matches) and in a shell (`workbench label --by NAME`).

# %%
lab.draw_sample("phone > email > first_name + last_name", size=24)
lab.ask(by="Dana")

# %% [markdown]
# In the sandbox two invented colleagues answer the rest: Dana knows the truth, Sam errs on every sixth pair. With your
# own data this cell does nothing, and you and a colleague label above.

# %%
truth = {(row["record_id"], row["contact_id"]) for row in lab.truth.to_pylist()}
for name, errs_every in (("Dana", 10_000), ("Sam", 6)) if lab.has_truth else ():
    count = 0
    while (question := lab.next_pair(name)) is not None:
        count += 1
        is_same = (question.pair in truth) != (count % errs_every == 0)
        lab.label(question.pair, "same" if is_same else "different", by=name)

# %% [markdown]
# *Kappa* is agreement beyond chance, with its 95 % interval. Below 0.6, talk about what makes a person the same before
# trusting any figure.

# %%
lab.agreement()

# %% [markdown]
# The pairs to talk about:

# %%
lab.disputes()

# %% [markdown]
# What would these labels alone have told, without the truth? Look at the width of the intervals: 24 pairs prove little.
# Recall counts among the pairs that some rule proposed; nobody was shown any others.

# %%
if lab.has_truth:
    display(lab.score("phone", "email", only_labels=True))  # noqa: F821

# %% [markdown]
# ## Probable matches for those left over
# Splink weighs all attributes at once, and so finds people whom no exact rule finds: a typo here, a new phone there.
# Its proposals are **advice**. No score leads to a write: who agrees with one sets the CRM ID in Mainstay.

# %%
proposals = lab.proposals("crm_id > phone")
proposals

# %%
lab.proposed(proposals, limit=10)

# %% [markdown]
# Why does it think so? Bars to the right speak for one person, bars to the left against; no bar: one side is blank.

# %%
px.bar(
    proposals.reasons(4),
    x="weight",
    y="attribute",
    facet_col="pair",
    title="What speaks for each of the best proposals",
).update_yaxes(title=None)

# %% [markdown]
# Would they be right? Judged like a rule, from a probability on.

# %%
if lab.has_truth:
    rules_alone = lab.links("crm_id > phone")
    display(lab.score(rules_alone, proposals.links(0.9, after=rules_alone)))  # noqa: F821

# %% [markdown]
# Measured on larger samples: `docs/match-quality.md`. Next: `03_preview_and_conflicts` shows what a sync would do.
