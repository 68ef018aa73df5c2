-- What the cells of the wanted store days are by the responses, readings and cases; reports/facts.py fills the names in.
WITH wanted AS (
    SELECT * FROM unnest(%(stores)s::bigint[], %(days)s::date[]) AS w(store_id, local_day)
), answers AS (
    SELECT r.id, r.store_id, r.local_day, r.headline_kind, r.channel, r.sample_kind, r.score,
           -- Which marks keep an answer out says surveys.counting; what opened a case stays the store's work.
           %(staff)s = ANY(r.flags) AS staff,
           r.flags && %(no_answer)s::varchar[] AS no_answer,
           r.flags && %(left_out)s::varchar[] AS apart,
           r.headline_kind = %(nps)s AND r.score >= %(promoter)s AS promoter,
           r.headline_kind = %(nps)s AND r.score <= %(detractor)s AS detractor
    FROM surveys_response r JOIN wanted USING (store_id, local_day)
), readings AS (
    SELECT a.*, n.sentiment, n.topics
    FROM answers a
    JOIN surveys_verbatim v ON v.response_id = a.id
    JOIN sentiment_analysis n ON n.verbatim_id = v.id
    WHERE NOT a.apart AND n.analysed_at IS NOT NULL AND v.question <> %(by_a_phone)s
), cell AS (
    SELECT store_id, local_day, headline_kind, channel, sample_kind,
           count(*) FILTER (WHERE NOT apart) AS responses,
           count(*) FILTER (WHERE staff) AS staff_responses,
           count(*) FILTER (WHERE NOT apart AND promoter) AS promoters,
           count(*) FILTER (WHERE NOT apart AND headline_kind = %(nps)s AND NOT promoter AND NOT detractor) AS passives,
           count(*) FILTER (WHERE NOT apart AND detractor) AS detractors,
           ARRAY[
               count(*) FILTER (WHERE NOT apart AND score = 0),
               count(*) FILTER (WHERE NOT apart AND score = 1),
               count(*) FILTER (WHERE NOT apart AND score = 2),
               count(*) FILTER (WHERE NOT apart AND score = 3),
               count(*) FILTER (WHERE NOT apart AND score = 4),
               count(*) FILTER (WHERE NOT apart AND score = 5),
               count(*) FILTER (WHERE NOT apart AND score = 6),
               count(*) FILTER (WHERE NOT apart AND score = 7),
               count(*) FILTER (WHERE NOT apart AND score = 8),
               count(*) FILTER (WHERE NOT apart AND score = 9),
               count(*) FILTER (WHERE NOT apart AND score = 10)
           ]::int[] AS score_counts
    FROM answers GROUP BY 1, 2, 3, 4, 5
), words AS (
    SELECT store_id, local_day, headline_kind, channel, sample_kind,
           count(*) FILTER (WHERE sentiment = 'negative') AS negative,
           count(*) FILTER (WHERE sentiment = 'neutral') AS neutral,
           count(*) FILTER (WHERE sentiment = 'positive') AS positive
    FROM readings GROUP BY 1, 2, 3, 4, 5
), mentions AS (
    SELECT m.id, m.store_id, m.local_day, m.headline_kind, m.channel, m.sample_kind, t.value ->> 'topic' AS topic,
           bool_or(m.promoter) AS promoter, bool_or(m.detractor) AS detractor,
           bool_or(t.value ->> 'sentiment' = 'negative') AS negative,
           bool_or(t.value ->> 'sentiment' = 'positive') AS positive
    FROM readings m CROSS JOIN LATERAL jsonb_array_elements(m.topics) AS t
    -- Words without the score they would explain are in no NPS, and so in none of the shares and costs beside it.
    WHERE m.headline_kind <> %(nps)s OR m.score IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7
), topic AS (
    SELECT store_id, local_day, headline_kind, channel, sample_kind, topic,
           jsonb_build_object(
               'n', count(*),
               'promoters', count(*) FILTER (WHERE promoter),
               'detractors', count(*) FILTER (WHERE detractor),
               'negative', count(*) FILTER (WHERE negative),
               'positive', count(*) FILTER (WHERE positive)
           ) AS counts
    FROM mentions GROUP BY 1, 2, 3, 4, 5, 6
), topics AS (
    SELECT store_id, local_day, headline_kind, channel, sample_kind, jsonb_object_agg(topic, counts) AS topics
    FROM topic GROUP BY 1, 2, 3, 4, 5
), cases AS (
    SELECT a.store_id, a.local_day, a.headline_kind, a.channel, a.sample_kind,
           count(*) FILTER (WHERE over AND NOT c.fix_only) AS contactable,
           count(*) FILTER (WHERE over AND NOT c.fix_only AND c.contacted_at <= clock.due_at) AS reached,
           count(*) FILTER (
               WHERE over AND NOT c.fix_only AND c.attempted_at <= clock.due_at
               AND (c.contacted_at IS NULL OR c.contacted_at > clock.due_at)
           ) AS attempted,
           count(*) FILTER (WHERE over AND c.fix_only) AS fix_only,
           count(*) FILTER (WHERE over AND c.fix_only AND c.fixed_at <= clock.due_at) AS acted,
           count(*) FILTER (WHERE NOT over) AS running,
           -- What shoppers said of it, as alerts.queries.count_outcomes divides it.
           count(*) FILTER (
               WHERE NOT c.fix_only AND (said.no OR c.state IN (%(confirmed)s, %(unconfirmed)s))
           ) AS asked,
           count(*) FILTER (WHERE NOT c.fix_only AND NOT said.no AND c.state = %(confirmed)s) AS confirmed,
           count(*) FILTER (WHERE NOT c.fix_only AND said.no) AS reopened,
           count(*) FILTER (WHERE NOT c.fix_only AND NOT said.no AND c.state = %(unconfirmed)s) AS unconfirmed
    FROM answers a
    JOIN alerts_case c ON c.response_id = a.id
    CROSS JOIN LATERAL (SELECT coalesce(c.first_due_at, c.due_at) AS due_at) AS clock
    CROSS JOIN LATERAL (SELECT clock.due_at <= statement_timestamp() AS over) AS now
    CROSS JOIN LATERAL (
        SELECT EXISTS (SELECT FROM alerts_verification v WHERE v.case_id = c.id AND NOT v.solved) AS no
    ) AS said
    -- What was no complaint, or outside the store's control, stands beside its shares: see alerts.closing.
    WHERE NOT a.no_answer AND c.exemption = '' GROUP BY 1, 2, 3, 4, 5
)
SELECT store_id, local_day, headline_kind, channel, sample_kind,
       responses, staff_responses, promoters, passives, detractors, score_counts,
       coalesce(negative, 0), coalesce(neutral, 0), coalesce(positive, 0), coalesce(topics, '{}'::jsonb),
       coalesce(contactable, 0), coalesce(reached, 0), coalesce(attempted, 0), coalesce(fix_only, 0),
       coalesce(acted, 0), coalesce(running, 0), coalesce(asked, 0), coalesce(confirmed, 0),
       coalesce(reopened, 0), coalesce(unconfirmed, 0)
FROM cell
LEFT JOIN words USING (store_id, local_day, headline_kind, channel, sample_kind)
LEFT JOIN topics USING (store_id, local_day, headline_kind, channel, sample_kind)
LEFT JOIN cases USING (store_id, local_day, headline_kind, channel, sample_kind)
