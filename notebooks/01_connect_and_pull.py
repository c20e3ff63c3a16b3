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
# # 1. Connect and pull
#
# Before a sync can be judged, both systems have to be read as they are now. This notebook connects, saves a mapping,
# pulls, and looks at what came. Nothing is written to Salesforce or Mainstay.
#
# Credentials come from `WORKBENCH_` variables or a `.env` file (docs/settings.md), never from a cell.
# `workbench lab --sandbox` starts this notebook with two local servers full of synthetic people instead.

# %%
import plotly.express as px
import plotly.io

import workbench as wb

plotly.io.renderers.default = "plotly_mimetype+notebook"  # no network needed

# %% [markdown]
# ## Connect
# The workbench keeps everything in one DuckDB file, the *store*.

# %%
bench = wb.connect()
bench

# %% [markdown]
# ## The mapping
# Which field of Salesforce is which field of Mainstay. The starter mapping fits the sandbox; for your own organisation
# copy `data/mappings/starter.yaml`, change it and name the file: `wb.import_mapping("ours.yaml")`. A mapping is checked
# against both field catalogues before it is saved, and all its problems are told at once.

# %%
wb.import_mapping(reason="first look")

# %% [markdown]
# ## Pull
# The first pull reads everything, later ones only what changed.

# %%
wb.pull()

# %% [markdown]
# A second pull right away finds little to do: look at `mode` and `seconds`.

# %%
wb.pull()

# %% [markdown]
# ## What came
# Any question can be asked in SQL. `docs/views.md` lists the names that stay; the tables as pulled are `salesforce.*`
# and `mainstay.*`, with the field names of the two systems.

# %%
wb.sql("""
    SELECT "Id", "FirstName", "LastName", "MobilePhone", "Email", "Account.Name"
    FROM salesforce."Contact" ORDER BY "LastName"
""")

# %%
wb.sql("SELECT id, crm_id, first_name, last_name, phone, messaging_status_sms FROM mainstay.contact ORDER BY last_name")

# %% [markdown]
# ## How complete are the fields that a sync needs?
# A blank matches nothing and creates nothing: the share of filled values says what to expect before any preview.

# %%
filled = wb.sql("""
    SELECT 'Salesforce' AS system, count("MobilePhone") / count(*) AS phone, count("Email") / count(*) AS email,
           count("FirstName") / count(*) AS first_name, count("LastName") / count(*) AS last_name
    FROM salesforce."Contact"
    UNION ALL
    SELECT 'Mainstay', count(phone) / count(*), count(email) / count(*),
           count(first_name) / count(*), count(last_name) / count(*)
    FROM mainstay.contact
""").pl()
filled

# %%
px.bar(
    filled.unpivot(index="system", variable_name="field", value_name="filled"),
    x="field",
    y="filled",
    color="system",
    barmode="group",
    title="Share of records with a value",
    range_y=[0, 1],
).update_yaxes(tickformat=".0%", title=None).update_xaxes(title=None)

# %% [markdown]
# ## How many already know each other?
# A contact that carries a record's Id as its CRM ID is linked. The others are found by phone, or not at all:
# notebook 2 asks how far such rules can be trusted.

# %%
wb.sql("""
    SELECT CASE WHEN c.crm_id IS NULL THEN 'carries no CRM ID'
                WHEN s."Id" IS NULL THEN 'carries the CRM ID of no pulled record'
                ELSE 'linked' END AS contacts,
           count(*) AS row_count
    FROM mainstay.contact AS c LEFT JOIN salesforce."Contact" AS s ON s."Id" = c.crm_id
    GROUP BY 1 ORDER BY 2 DESC
""")

# %% [markdown]
# Next: `02_match_quality` measures the match rules, `03_preview_and_conflicts` shows what a sync would do.
