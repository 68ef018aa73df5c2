"""Addresses that nobody has, and links that outlive the key they were made with."""

from typing import Any

import pytest
from django.test import Client

from core.tokens import token_hash
from surveys.defaults import ensure_surveys
from surveys.inviting import receipt_link
from surveys.models import Invitation, Response
from tests.factories import Chain, make_response

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address", ["/q/%00/", "/q/?code=AB%00", "/r/%00/", "/stores/%00/", "/stores/?q=%00", "/demo/mailbox/?to=%00"]
)
def test_a_null_character_is_refused_before_the_database_is(client: Client, chain: Chain, address: str) -> None:
    client.force_login(chain.manager)
    assert client.get(address).status_code == 400


def test_a_refusal_is_a_page_in_the_language_of_its_reader(client: Client, chain: Chain) -> None:
    shopper = client.get("/q/?code=%00", HTTP_ACCEPT_LANGUAGE="de")
    client.force_login(chain.manager)
    for page in (shopper, client.get("/stores/?q=%00&lang=de")):
        assert page.status_code == 400 and "text/html" in page["Content-Type"]
        assert '<html lang="de"' in page.content.decode() and "Das ist nicht zu verstehen." in page.content.decode()


def test_links_outlive_a_new_key(client: Client, chain: Chain, settings: Any) -> None:
    ensure_surveys()
    response = make_response(touchpoint=chain.touchpoint, score=3)
    receipt_link(chain.store, "1", response.submitted_at)
    invitation = Invitation.objects.get()
    links = [f"/t/{response.token}/", f"/c/{response.token}/", f"/r/{invitation.token}/"]
    settings.LINK_KEYS = ["a newer key", *settings.LINK_KEYS]

    for again in (Response.objects.get(), Invitation.objects.get()):
        again.save()
    assert [client.get(link).status_code for link in links] == [200, 200, 200]
    # What is written into the next message is the same link.
    assert Response.objects.get().token == response.token and Invitation.objects.get().token == invitation.token
    newer = make_response(touchpoint=chain.touchpoint, score=3)
    assert client.get(f"/c/{newer.token}/").status_code == 200 and newer.token_hash == token_hash(newer.token)
