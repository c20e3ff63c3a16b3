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
# # 4. Push and results
#
# **This notebook writes.** So it runs against the sandbox alone (`workbench lab --sandbox`): its second cell stops
# anywhere else. Only what two people agreed on is sent, in exactly the form that was approved; afterwards the
# prediction is held against what happened.

# %%
import plotly.express as px
import plotly.io

import workbench as wb
from workbench.errors import ApprovalRefused

plotly.io.renderers.default = "plotly_mimetype+notebook"  # no network needed

bench = wb.connect()

# %% [markdown]
# Stops here unless both systems run on this machine.

# %%
bench.require_sandbox()

# %%
wb.import_mapping()
wb.pull()
export = wb.preview("export")
export.counts

# %% [markdown]
# ## Ask
# A batch is a slice of one preview: by action, by code, by a SQL condition, or picked rows. Without a filter it takes
# what is predicted to succeed. Here: the contacts that would be found by phone and acquire their CRM ID.

# %%
links = export.batch(action="link", by="Dana")
links

# %% [markdown]
# ## Four eyes
# The approver is not the requester.

# %%
try:
    wb.approve(links, by="Dana")
except ApprovalRefused as refusal:
    print(refusal)

# %%
wb.approve(links, by="Sam", reason="phones checked with the registrar")

# %% [markdown]
# ## Send
# First a small slice (the canary), then the rest. If more fails than was predicted, the push pauses by itself.

# %%
wb.push(links)

# %% [markdown]
# ## What happened
# Every change that was approved ends in exactly one result.

# %%
links.results.select(
    "name", "status", "codes", "endpoint", "response_status", "sobject", "record_id", "is_as_predicted"
)

# %% [markdown]
# ## The predicted failures too, knowingly
# In the sandbox they prove the prediction. `everything=True` takes all that could be sent, also what would be refused.

# %%
wb.pull()
rest = wb.preview("export").batch(everything=True, by="Dana")
wb.push(wb.approve(rest, by="Sam", reason="sandbox: proving the prediction"))

# %%
scores = wb.sql(f"""
    SELECT code, predicted, actual, hits, hit_rate FROM view.prediction_score
    WHERE batch_id = {rest.batch} ORDER BY predicted DESC
""")
scores

# %%
px.bar(
    scores.pl().unpivot(on=["predicted", "actual"], index="code", variable_name="side", value_name="changes"),
    x="changes",
    y="code",
    color="side",
    barmode="group",
    orientation="h",
    log_x=True,
    title="Predicted and actual, per code",
).update_yaxes(title=None)

# %% [markdown]
# ## Where the prediction was wrong
# An empty table is the aim. A row here is a question worth an afternoon.

# %%
wb.results(rest).where("NOT is_as_predicted").select("name", "status", "predicted_status", "codes", "predicted_codes")

# %% [markdown]
# ## Does it settle?
# Pull and preview again: what is left are the permanent refusals, and what a person has to decide.

# %%
wb.pull()
again = wb.preview("export")
again.counts

# %%
again.changes.where("action NOT IN ('none', 'excluded')").count_by("action", "reason")

# %% [markdown]
# ## Every request, with its answer

# %%
wb.sql("SELECT system, method, response_status, ms FROM view.attempt").count_by("system", "method", "response_status")

# %%
px.histogram(wb.sql("SELECT ms FROM view.attempt").pl(), x="ms", nbins=40, title="Milliseconds per request")
