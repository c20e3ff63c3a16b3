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
# # 6. Bring your own data
#
# Two exported files, no credentials, no network: a full preview and a match report. Export a **report** of your
# Salesforce contacts (with the Contact ID and whatever you think identifies a student) and the **contacts** of Mainstay
# (with the Mainstay ID and the CRM ID). Nothing leaves this machine.
#
# The files here are samples of synthetic people. Put your own paths in the next cell.

# %%
import tempfile
from pathlib import Path

import plotly.express as px
import plotly.io

import workbench as wb
from workbench.lab import MatchLab

plotly.io.renderers.default = "plotly_mimetype+notebook"  # no network needed

samples = Path("../data/samples/csv")
files = samples / "salesforce_report.csv", samples / "mainstay_contacts.csv"

# %% [markdown]
# A store of its own, so that nothing you pulled elsewhere is replaced. Name a path to keep it.

# %%
bench = wb.connect(Path(tempfile.mkdtemp()) / "csv.duckdb")

# %% [markdown]
# ## What are these columns?
# By their header where it is known, else by their values, else a custom field. Read the guesses before you go on.

# %%
wb.import_csv(*files)

# %% [markdown]
# A wrong guess is settled by name, a needless column left out with `-`. Here: who is the first in a family to study is
# not needed for matching.

# %%
draft = wb.import_csv(*files, salesforce_columns={"First Generation": "-"}, mainstay_columns={"First Generation": "-"})
print("\n".join(draft.mapping.splitlines()[:16]))

# %%
draft.confirm(by="Dana")

# %% [markdown]
# ## Can these people be matched?
# Rules in order: what each adds, confirms and contradicts. A tie is never decided by the machine.

# %%
lab = MatchLab(bench.store)
lab.waterfall()

# %% [markdown]
# Would names alone do? Rule against rule, and who would be linked otherwise:

# %%
lab.compare("crm_id > phone", "first_name + last_name")

# %%
lab.contradictions("crm_id > phone > email")

# %% [markdown]
# ## What would a sync do?

# %%
export = wb.preview("export")
export

# %%
px.bar(
    export.buckets.pl(),
    x="row_count",
    y="system",
    color="bucket",
    orientation="h",
    title="Where every record stands",
    color_discrete_sequence=px.colors.qualitative.Dark24,
).update_xaxes(title=None).update_yaxes(title=None)

# %% [markdown]
# What would be refused, with the reason. An export cannot tell everything the API knows: previous phones and messaging
# channels are blank where the file lacks them, so that treat these predictions as a first look.

# %%
export.changes.where("predicted_status <> 'success'").select("salesforce_id", "action", "codes", "reason")

# %%
wb.preview("import").counts

# %% [markdown]
# ## One student, step by step

# %%
refused = next(iter(export.changes.where("action = 'blocked'")))
export.explain(refused["salesforce_id"])
