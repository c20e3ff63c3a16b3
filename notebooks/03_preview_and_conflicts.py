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
# # 3. Preview and conflicts
#
# A preview puts every record of both systems in exactly one bucket, with the exact request it would cause and the
# answer it would get. Nothing is sent. This notebook reads a preview from the top down: the counts, the reasons, the
# predicted errors, and one record in full.

# %%
from pathlib import Path
from tempfile import mkdtemp

import plotly.express as px
import plotly.io

import workbench as wb

plotly.io.renderers.default = "plotly_mimetype+notebook"  # no network needed

wb.connect()
wb.import_mapping()
wb.pull()

# %% [markdown]
# ## Export: Salesforce to Mainstay

# %%
export = wb.preview("export")
export

# %% [markdown]
# ### The law of accounting
# The buckets of each system add up to its pull. If they did not, this cell would fail.

# %%
for table, system in (('salesforce."Contact"', "salesforce"), ("mainstay.contact", "mainstay")):
    pulled = next(iter(wb.sql(f"SELECT count(*) AS n FROM {table}")))["n"]
    kind = "Contact" if system == "salesforce" else "contact"
    shown = sum(row["row_count"] for row in export.buckets if (row["system"], row["object"]) == (system, kind))
    print(f"{system}: {shown:,} in buckets, {pulled:,} pulled")
    assert shown == pulled

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
# ## What would fail, and why
# Codes are those of the published error dictionary (docs/errors.md). *Possible* marks what hangs on something that no
# pull can show.

# %%
export.codes

# %%
export.changes.where("predicted_status = 'fail'").select("salesforce_id", "mainstay_id", "action", "codes", "reason")

# %% [markdown]
# ## Which fields would change
# A field that changes on nearly every record is more often a wrong mapping than a true difference.

# %%
fields = wb.sql(f"""
    SELECT unnest(field_names) AS field, action FROM view.change
    WHERE preview_id = {export.preview} AND action IN ('update', 'link')
""").count_by("field", "action")
px.bar(fields.pl(), x="row_count", y="field", color="action", orientation="h", title="Changes per field").update_yaxes(
    categoryorder="total ascending", title=None
)

# %% [markdown]
# ## Guards
# Named dangers to look at before anybody approves: consent, values that would be cleared, mass changes.

# %%
wb.sql(f"""
    SELECT unnest(guards) AS guard, action FROM view.change WHERE preview_id = {export.preview}
""").count_by("guard", "action")

# %% [markdown]
# ## Conflicts: a person decides

# %%
export.conflicts.select("salesforce_id", "mainstay_id", "reason")

# %% [markdown]
# ## One record, step by step
# The first blocked record, in words: what was found, by which rule, what would be sent and answered.

# %%
blocked = next(iter(export.changes.where("action = 'blocked'")))
export.explain(blocked["salesforce_id"])

# %% [markdown]
# ## The exact requests

# %%
export.requests.select("change_id", "method", "path", "body")

# %% [markdown]
# ## What another mapping would change
# Write the mapping to a file, edit it, and ask before it counts: how many payloads it alters, what newly fails or
# matches. Nothing is saved. Here one line is taken out.

# %%
other = Path(mkdtemp()) / "other.yaml"
other.write_text("".join(line for line in wb.mapping().text.splitlines(keepends=True) if "custom.Campus" not in line))
wb.mapping().impact(other)

# %% [markdown]
# ## Import: Mainstay to Salesforce
# The other direction, by the same laws. Ambiguous matches are never decided by the machine.

# %%
coming = wb.preview("import")
coming

# %%
coming.conflicts.count_by("reason")

# %%
coming.conflicts.select("mainstay_id", "salesforce_id", "reason")

# %% [markdown]
# Next: `04_push_and_results` sends an approved slice and scores the prediction.
