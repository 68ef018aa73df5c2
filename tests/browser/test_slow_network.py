"""The page that asks on a slow telephone network: there within a second, and nothing moves while it comes.

The second is the network's: what the same page takes on this machine without one, busy and slow as it may be, is added.
"""

import os
from typing import Any

import pytest
from playwright.sync_api import Browser

from stores.choices import TouchpointKind
from surveys.defaults import ensure_surveys
from tests.browser.conftest import eventually
from tests.factories import Chain, make_touchpoint

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
FAST = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
# Chromium's own "Slow 4G": 150 ms there and back, 1.6 Mbit/s down, 750 kbit/s up.
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
_WATCH = """
window.seen = {lcp: 0, shift: 0};
new PerformanceObserver(list => { for (const one of list.getEntries()) seen.lcp = one.startTime })
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(list => { for (const one of list.getEntries()) seen.shift += one.value })
  .observe({type: 'layout-shift', buffered: true});
"""


def test_there_within_a_second_and_nothing_moves(browser: Browser, live_server: Any) -> None:
    chain = Chain()
    room = make_touchpoint(store=chain.store, kind=TouchpointKind.FITTING_ROOM)
    ensure_surveys()
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.add_init_script(_WATCH)
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")

    def visit(address: str, network: dict[str, Any]) -> float:
        """Milliseconds until the largest part is there; one request, and nothing moves."""
        devtools.send("Network.emulateNetworkConditions", network)
        requests.clear()
        page.goto(address)
        eventually(lambda: page.evaluate("seen.lcp > 0"), "the largest paint")
        page.wait_for_timeout(300)
        seen = page.evaluate("seen")
        assert seen["shift"] == 0, seen
        assert len([url for url in requests if not url.startswith("data:")]) == 1, requests
        return float(seen["lcp"])

    for spot in (chain.touchpoint, room):
        address = f"{live_server.url}/q/{spot.code}/"
        # Once before, so that what is measured is the page and not the first rendering of a server that just began.
        visit(address, FAST)
        here = visit(f"{address}?again=1", FAST)
        there = [visit(f"{address}?slowly={number}", SLOW_4G) for number in range(3)]
        assert min(there) <= 1000 + here, (there, here)
    context.close()
