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
# # 5. Conversations and campaigns
#
# What was said, by whom and why, and what campaigns brought. Messages come with every pull; where the API gives none,
# a Conversations Export (CSV) does: `workbench import-messages FILE`.

# %%
import plotly.express as px
import plotly.io

import workbench as wb

plotly.io.renderers.default = "plotly_mimetype+notebook"  # no network needed

wb.connect()
wb.import_mapping()
wb.pull()

# %% [markdown]
# ## Who speaks?
# Every outgoing message has one reason: a person in live chat, the AI on a topic, a campaign, or another default.

# %%
messages = wb.sql("SELECT * FROM view.message ORDER BY sent_at DESC")
messages.count_by("kind", "channel")

# %%
by_week = wb.sql("""
    SELECT date_trunc('week', sent_at) AS week, kind, count(*) AS messages FROM view.message
    WHERE NOT coalesce(is_test, false) GROUP BY 1, 2 ORDER BY 1
""").pl()
px.area(by_week, x="week", y="messages", color="kind", title="Messages per week").update_xaxes(title=None)

# %% [markdown]
# ## What is asked, what is answered
# The topics that the AI recognised, and the campaigns that wrote most.

# %%
messages.where("kind IN ('AI', 'Campaign')").count_by("kind", "reason")

# %% [markdown]
# ## How quickly do students answer?
# From an outgoing message to the next incoming one of the same contact, up to two days.

# %%
answers = wb.sql("""
    WITH spoken AS (
        SELECT contact_id, kind, sent_at, is_incoming,
               lead(sent_at) OVER next AS answered_at, lead(is_incoming) OVER next AS is_answer
        FROM view.message WINDOW next AS (PARTITION BY contact_id ORDER BY sent_at)
    )
    SELECT kind, date_diff('minute', sent_at, answered_at) AS minutes FROM spoken
    WHERE NOT is_incoming AND is_answer AND answered_at <= sent_at + INTERVAL 2 DAY
""").pl()
px.box(answers, x="minutes", y="kind", points=False, title="Minutes until a student answers").update_yaxes(title=None)

# %% [markdown]
# ## Campaigns

# %%
campaigns = wb.sql("SELECT name, script_name, type, status, sent_at, sent_count, responded_count FROM view.campaign")
campaigns.where("status = 'Sent' OR sent_count > 0")

# %% [markdown]
# A share of few is a weak figure: the whiskers are 95 % intervals (Wilson), computed in the query.

# %%
shares = wb.sql("""
    WITH counted AS (
        SELECT name, CAST(sent_count AS DOUBLE) AS n, responded_count / sent_count AS share, 1.96 AS z
        FROM view.campaign WHERE sent_count > 0 AND responded_count <= sent_count
    )
    SELECT name, n, share, (share + z * z / (2 * n)) / (1 + z * z / n) AS centre,
           z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n) AS spread
    FROM counted ORDER BY share DESC LIMIT 20
""").pl()
px.scatter(
    shares, x="centre", y="name", error_x="spread", hover_data=["n", "share"], title="Share of recipients who responded"
).update_yaxes(title=None, autorange="reversed").update_xaxes(title=None, tickformat=".0%")

# %% [markdown]
# ## Do linked people answer more?
# A contact that carries a CRM ID gets messages that know the student. A difference here is no proof of a cause.

# %%
wb.sql("""
    SELECT CASE WHEN c.crm_id IS NULL THEN 'not linked' ELSE 'linked' END AS contact, count(DISTINCT c.id) AS contacts,
           count(m.message_id) FILTER (WHERE NOT m.is_incoming) AS sent,
           count(m.message_id) FILTER (WHERE m.is_incoming) AS received
    FROM mainstay.contact AS c LEFT JOIN view.message AS m ON m.contact_id = c.id
    GROUP BY 1 ORDER BY 1
""")

# %% [markdown]
# ## Messages that did not arrive

# %%
messages.where("is_failed").count_by("channel", "error_code")

# %% [markdown]
# ## One conversation
# The contact with the most messages, oldest first.

# %%
talkative = next(iter(messages.count_by("contact_id")))["contact_id"]
wb.sql(f"""
    SELECT sent_at, CASE WHEN is_incoming THEN 'student' ELSE kind END AS who, body, reason FROM view.message
    WHERE contact_id = '{talkative}' ORDER BY sent_at
""")
