"""A real page says that it was looked at; staff see it, give a new code, and look at the posters."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from stores.models import Touchpoint
from surveys import scans
from surveys.defaults import ensure_surveys
from surveys.models import Response, ScanHour
from surveys.scan_rules import judge_hours
from tests.browser.conftest import DESKTOP, PHONE, Visitor, eventually
from tests.factories import Chain

pytestmark = pytest.mark.browser
AGENT = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"


def counted() -> dict[str, int]:
    scans.flush()
    return {column: sum(getattr(row, column) for row in ScanHour.objects.all()) for column in scans.COLUMNS}


def sign_in(visitor: Visitor, user: Any) -> None:
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    visitor.page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": visitor.origin}])


def test_from_scan_to_answer_to_the_page_that_shows_it(visit: Callable[..., Visitor]) -> None:
    chain = Chain()
    ensure_surveys()
    scans.forget()
    address = f"/q/{chain.touchpoint.code}/"

    looks = visit(user_agent=AGENT)
    looks.go(address)
    assert counted() == {"scans": 1, "opens": 0, "robots": 0, "staff": 0}
    looks.page.close(run_before_unload=True)  # as a person closes it: what it still has to say goes out
    eventually(lambda: counted()["opens"] == 1, "what the page still had to say")

    answers = visit(user_agent=AGENT)
    answers.go(address)
    answers.page.locator("#f-score9").check()
    answers.page.locator("button.send").click()
    answers.page.wait_for_url("**/t/**")
    assert Response.objects.count() == 1
    answers.page.close()
    time.sleep(0.5)
    assert counted() == {"scans": 2, "opens": 2, "robots": 0, "staff": 0}
    assert not answers.complaints and not looks.complaints

    without = visit(user_agent=AGENT, javascript=False)
    without.go(address)
    without.page.locator("#f-score3").check()
    without.page.locator("button.send").click()
    without.page.wait_for_url("**/t/**")
    assert counted() == {"scans": 3, "opens": 3, "robots": 0, "staff": 0}
    _staff_pages(visit, chain)


def _staff_pages(visit: Callable[..., Visitor], chain: Chain) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    for days in range(1, 60):
        for back in range(5):
            ScanHour.objects.create(
                touchpoint=chain.touchpoint,
                hour=hour - timedelta(days=days, hours=back),
                scans=3 + days % 4 * back,
                opens=2 + days % 4 * back,
                judged=True,
            )
    ScanHour.objects.create(touchpoint=chain.touchpoint, hour=hour, scans=61, opens=40)
    while judge_hours():
        pass
    looks = [
        ("en", DESKTOP, "light"),
        ("de", PHONE, "dark"),
        ("uk", PHONE, "light"),
    ]
    if not os.environ.get("SCREENSHOTS"):
        looks = looks[:2]
    base = f"/stores/KY1/touchpoints/{chain.touchpoint.pk}/"
    addresses = {
        "touchpoints": "/stores/KY1/touchpoints/",
        "touchpoint": base,
        "rotate": f"{base}rotate/",
        "edit": f"{base}edit/",
        "flags": "/scans/",
        "posters": f"/stores/KY1/posters/{chain.touchpoint.code}/",
        "posters-many": "/posters/",
        "store": "/stores/KY1/",
    }
    for language, viewport, scheme in looks:
        chain.head_office.language = language
        chain.head_office.save(update_fields=["language"])
        staff = visit(viewport=viewport, color_scheme=scheme)
        sign_in(staff, chain.head_office)
        for name, path in addresses.items():
            staff.go(path)
            staff.page.wait_for_load_state("networkidle")
            staff.check(f"{name}-{language}-{scheme}")
    staff.go(f"{base}rotate/")
    staff.page.locator("input[value=never]").check()
    staff.page.locator("main button.button--primary").click()
    staff.page.wait_for_url(f"**{base}")
    old = chain.touchpoint.code
    assert Touchpoint.objects.get(pk=chain.touchpoint.pk).code != old
    gone = visit()
    assert gone.page.goto(f"{gone.origin}/q/{old}/").status == 404  # type: ignore[union-attr]
