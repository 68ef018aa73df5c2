"""A chain that began in the middle of a year has figures of the year: of the weeks in which enough people answered."""

from datetime import timedelta

from tests.reports.makers import answer
from tests.reports.test_reports_page import TODAY, page, text_of


def test_a_quarter_with_few_answers_takes_none_along(client, chain):
    answer(chain.touchpoint, 10, day=TODAY, times=40)
    answer(chain.touchpoint, 0, day=TODAY - timedelta(weeks=20), times=3)
    answer(chain.touchpoint, 3, day=TODAY, times=20, headline_kind="smiley3")
    answer(chain.touchpoint, 1, day=TODAY - timedelta(weeks=20), times=2, headline_kind="smiley3")
    year = page(client, chain.head_office, weeks=52)
    headline = year.context["overview"].headline
    assert (headline.shown, headline.nps.n, headline.nps.score, headline.weeks_left_out) == (True, 40, 100, 13)
    assert "too few answered then to be shown: 13 weeks" in text_of(year)
    (smileys,) = year.context["overview"].answers
    assert (smileys.hidden, smileys.n) == (False, 20)
    ranked = page(client, chain.head_office, of="report_stores", weeks=52).context["ranking"].rows
    assert [(row.store.code, row.figure.nps.n) for row in ranked if not row.group] == [("KY1", 40)]
    # Nothing is left out of what is about these weeks alone.
    assert page(client, chain.head_office).context["overview"].headline.weeks_left_out == 0
