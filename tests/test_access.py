"""Who may open what: every address of the installation × every kind of reader × their own and a foreign object.

The walk over the URL configuration fails on an address that this table does not list.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from alerts.models import Case
from alerts.policy import ensure_defaults
from alerts.queries import case_for_response
from core.models import Job, JobState
from core.tokens import link_token
from customers.leaving import leave_url
from customers.models import Contact
from integrations.choices import Scope
from integrations.models import ApiKey
from messaging.models import CaughtMessage
from reports.actions import begin
from stores.models import Touchpoint
from stores.people import Invitee, invite_person
from surveys.choices import ResponseChannel
from surveys.models import Invitation, Response
from surveys.signals import response_saved
from tests.factories import Chain, make_response

READERS = (
    "anonymous",
    "nobody",
    "manager",
    "deputy",
    "call_centre_lead",
    "area_manager",
    "head_office",
    "operator",
    "foreign_manager",
    "foreign_area_manager",
)
# What an anonymous reader of a staff page gets: the way to the sign-in.
LOGIN = 302
Statuses = dict[str, int]


def everybody(status: int) -> Statuses:
    return dict.fromkeys(READERS, status)


def staff(*, strangers: int = 404, others: int = 403, **allowed: int) -> Statuses:
    """`others` are the roles for whom the page is not made, `strangers` those for whom the object is not there."""
    return {
        "anonymous": LOGIN,
        "nobody": others,
        "operator": others,
        "manager": strangers,
        "deputy": strangers,
        "call_centre_lead": strangers,
        "area_manager": strangers,
        "head_office": 200,
        "foreign_manager": strangers,
        "foreign_area_manager": strangers,
    } | allowed


# Everybody who acts on cases, whatever is on the page.
CASE_PAGE = staff(strangers=200)
# Everybody with a role, the operator too.
STAFF_PAGE = staff(strangers=200, operator=200)
SIGNED_IN_PAGE = everybody(200) | {"anonymous": LOGIN}
# Something of `chain.store`, and something of `chain.foreign`.
OWN = staff(manager=200, deputy=200, area_manager=200)
FOREIGN = staff(foreign_manager=200, foreign_area_manager=200)
OWN_STORE = OWN | {"operator": 200}
FOREIGN_STORE = FOREIGN | {"operator": 200}
# Whoever may change everything, wherever their role holds; a store that others of the chain may only read.
EVERYTHING = staff(strangers=403, operator=200)
OWN_READ_ONLY = staff(manager=403, deputy=403, area_manager=403)
# Reports do not say that they are there to those who have nothing to do with them.
NO_REPORTS = {"nobody": 404, "operator": 404}
NOWHERE = everybody(404)
NOBODYS = staff(head_office=404)
NOBODYS_PLACE = NOBODYS | {"operator": 404}
# Everybody with a role may ask for it, by a form.
STAFF_POST = everybody(405) | {"anonymous": LOGIN, "nobody": 403}
# What the chain or its installation as a whole is about.
CHAIN_WIDE = everybody(403) | {"anonymous": LOGIN, "head_office": 200, "operator": 200}
# A long job is seen by whoever asked for it.
JOB = everybody(404) | {"anonymous": LOGIN, "manager": 200}
# Head office's own settings: nobody else's, at any store.
HEAD_OFFICE_PAGE = staff(strangers=403)
# The API knows keys, not sessions.
KEY_ONLY = everybody(401)
# Reading is no way to change something.
POST_ONLY = everybody(405) | {"anonymous": LOGIN}


@dataclass(frozen=True)
class Row:
    """One address: for each filling of its placeholders, what each reader gets."""

    route: str
    fillings: list[tuple[dict[str, str], Statuses]]
    key_scopes: frozenset[str] = field(default_factory=frozenset)


def row(route: str, statuses: Statuses, **scopes: str) -> Row:
    """An address without placeholders."""
    return Row(route, [({}, statuses)], frozenset(scopes.values()))


def store_page(own: Statuses) -> list[tuple[dict[str, str], Statuses]]:
    """A page of one store: one's own, and one that is not there."""
    return [({"code": "KY1"}, own | {"operator": 200}), ({"code": "NO"}, NOBODYS_PLACE)]


def survey_page(**further: str) -> list[tuple[dict[str, str], Statuses]]:
    """A page of one survey, and of one that is not there."""
    return [
        ({"slug": "recommend"} | further, HEAD_OFFICE_PAGE),
        ({"slug": "no-such-survey"} | further, HEAD_OFFICE_PAGE | {"head_office": 404}),
    ]


TABLE = [
    row("theme.css", everybody(200)),
    row("healthz", everybody(200)),
    # No work loop runs in this test, and it says so to everybody alike.
    row("readyz", everybody(503)),
    # --- shoppers: a secret opens, nothing else does
    row("q/", everybody(200)),
    Row("q/<str:code>/", [({"code": "{own_code}"}, everybody(200)), ({"code": "NOSUCHCODE00"}, NOWHERE)]),
    Row("r/<str:token>/", [({"token": "{invitation}"}, everybody(200)), ({"token": "{no_token}"}, NOWHERE)]),
    Row("u/<str:token>/", [({"token": "{leaving}"}, everybody(200)), ({"token": "{no_token}"}, NOWHERE)]),
    Row("t/<str:token>/", [({"token": "{response}"}, everybody(200)), ({"token": "{no_token}"}, NOWHERE)]),
    Row("c/<str:token>/", [({"token": "{response}"}, everybody(200)), ({"token": "{no_token}"}, NOWHERE)]),
    Row("c/<str:token>/delete/", [({"token": "{response}"}, everybody(200)), ({"token": "{no_token}"}, NOWHERE)]),
    # --- cases
    row("inbox/", CASE_PAGE),
    row("setup/rules/", HEAD_OFFICE_PAGE),
    row("setup/rules/new/", HEAD_OFFICE_PAGE),
    row("setup/rules/changes/", HEAD_OFFICE_PAGE),
    row("setup/rules/alarms/", HEAD_OFFICE_PAGE),
    # Rules are the chain's: whoever may change one may change all.
    Row("setup/rules/<int:pk>/", [({"pk": "999999"}, HEAD_OFFICE_PAGE | {"head_office": 404})]),
    Row("setup/rules/<int:pk>/move/", [({"pk": "999999"}, POST_ONLY)]),
    row("setup/clocks/", HEAD_OFFICE_PAGE),
    row("setup/clocks/new/", HEAD_OFFICE_PAGE),
    Row("setup/clocks/<int:pk>/", [({"pk": "999999"}, HEAD_OFFICE_PAGE | {"head_office": 404})]),
    row("setup/groups/", HEAD_OFFICE_PAGE),
    row("setup/groups/new/", HEAD_OFFICE_PAGE),
    Row("setup/groups/<int:pk>/", [({"pk": "999999"}, HEAD_OFFICE_PAGE | {"head_office": 404})]),
    row("setup/urgency/", HEAD_OFFICE_PAGE),
    Row(
        "setup/urgency/<str:kind>/",
        [({"kind": "safety"}, HEAD_OFFICE_PAGE), ({"kind": "no"}, HEAD_OFFICE_PAGE | {"head_office": 404})],
    ),
    row("inbox/review/", CASE_PAGE),
    row("inbox/kept/", CASE_PAGE),
    row("inbox/closing/", CASE_PAGE),
    # What stores leave out is looked at from above them.
    row("inbox/sample/", staff(strangers=403, area_manager=200, foreign_area_manager=200)),
    row("kudos/", CASE_PAGE),
    # Whose kudos they are: see tests/alerts/test_kudos.py.
    Row("kudos/<uuid:response_id>/thank/", [({"response_id": "{no_id}"}, POST_ONLY)]),
    row("setup/templates/", HEAD_OFFICE_PAGE),
    row("setup/templates/new/", HEAD_OFFICE_PAGE),
    Row("setup/templates/<int:pk>/", [({"pk": "999999"}, HEAD_OFFICE_PAGE | {"head_office": 404})]),
    row("setup/causes/", HEAD_OFFICE_PAGE),
    # Whose review it is: see tests/staff/test_review_page.py.
    Row("inbox/review/<int:review_id>/", [({"review_id": "999999"}, POST_ONLY)]),
    Row(
        "cases/<uuid:case_id>/",
        [
            ({"case_id": "{own_case}"}, OWN),
            ({"case_id": "{foreign_case}"}, FOREIGN),
            ({"case_id": "{no_id}"}, NOBODYS),
        ],
    ),
    # --- what the model thinks, and people say of it: see tests/sentiment_human
    Row("readings/<int:pk>/correct/", [({"pk": "1"}, POST_ONLY)]),
    # --- what we look for in comments
    row("words/", HEAD_OFFICE_PAGE),
    row("words/models/", HEAD_OFFICE_PAGE),
    Row(
        "words/<str:language>/<str:kind>/<str:target>/",
        [
            ({"language": "de", "kind": "topic", "target": "price"}, HEAD_OFFICE_PAGE),
            ({"language": "xx", "kind": "topic", "target": "price"}, HEAD_OFFICE_PAGE | {"head_office": 404}),
        ],
    ),
    # --- stores
    row("", everybody(302) | {"nobody": 403}),
    row("stores/", STAFF_PAGE),
    Row(
        "stores/<str:code>/",
        [({"code": "KY1"}, OWN_STORE), ({"code": "LV1"}, FOREIGN_STORE), ({"code": "NO"}, NOBODYS | {"operator": 404})],
    ),
    Row(
        "stores/<str:code>/qr/<str:touchpoint>.<str:kind>",
        [
            ({"code": "KY1", "touchpoint": "{own_code}", "kind": "svg"}, OWN_STORE),
            ({"code": "LV1", "touchpoint": "{foreign_code}", "kind": "png"}, FOREIGN_STORE),
            # A store of one's own does not open another's codes.
            ({"code": "KY1", "touchpoint": "{foreign_code}", "kind": "png"}, NOBODYS | {"operator": 404}),
        ],
    ),
    # --- setting stores up: what each role may change is in stores.access
    row("setup/", STAFF_PAGE),
    row("setup/stores/new/", EVERYTHING),
    row("setup/stores/bulk/", POST_ONLY),
    row("setup/stores/touchpoints/", EVERYTHING | {"area_manager": 200, "foreign_area_manager": 200}),
    row("setup/stores/exceptions/", STAFF_PAGE),
    row("tree/", STAFF_PAGE),
    row("tree/new/", EVERYTHING),
    Row(
        "tree/nodes/<str:code>/",
        [({"code": "KYIV"}, OWN_STORE), ({"code": "LVIV"}, FOREIGN_STORE), ({"code": "NO"}, NOBODYS_PLACE)],
    ),
    Row(
        "tree/nodes/<str:code>/move/",
        [({"code": "KYIV"}, OWN_READ_ONLY | {"operator": 200}), ({"code": "NO"}, NOBODYS_PLACE)],
    ),
    # --- what is asked: head office's alone
    row("setup/asking/", HEAD_OFFICE_PAGE),
    row("setup/till-keys/", HEAD_OFFICE_PAGE),
    Row("setup/till-keys/for-makers/<str:name>", [({"name": "receipt-links.json"}, HEAD_OFFICE_PAGE)]),
    Row(
        "setup/till-keys/<str:code>/",
        [({"code": "KY1"}, HEAD_OFFICE_PAGE), ({"code": "NONE"}, HEAD_OFFICE_PAGE | {"head_office": 404})],
    ),
    row("setup/look/", HEAD_OFFICE_PAGE),
    row("setup/look/page/", HEAD_OFFICE_PAGE | {"head_office": 404}),
    row("setup/surveys/", HEAD_OFFICE_PAGE),
    row("setup/surveys/where/", HEAD_OFFICE_PAGE),
    Row("setup/surveys/<slug:slug>/", survey_page()),
    Row("setup/surveys/<slug:slug>/arrange/", [({"slug": "recommend"}, POST_ONLY)]),
    Row("setup/surveys/<slug:slug>/preview/", survey_page()),
    Row("setup/surveys/<slug:slug>/preview/page/", survey_page()),
    Row("setup/surveys/<slug:slug>/questions/<str:key>/", survey_page(key="reason")),
    Row("setup/surveys/<slug:slug>/languages/", survey_page()),
    Row("setup/surveys/<slug:slug>/languages/texts.csv", survey_page()),
    Row("setup/surveys/<slug:slug>/languages/import/", [({"slug": "recommend"}, POST_ONLY)]),
    Row("setup/surveys/<slug:slug>/languages/<str:language>/", survey_page(language="de")),
    Row("setup/surveys/<slug:slug>/publish/", survey_page()),
    Row("setup/surveys/<slug:slug>/versions/", survey_page()),
    # --- touchpoints, their scans, their posters
    Row("stores/<str:code>/touchpoints/", store_page(OWN)),
    Row("stores/<str:code>/touchpoints/new/", store_page(OWN_READ_ONLY | {"area_manager": 200})),
    Row(
        "stores/<str:code>/touchpoints/<int:pk>/",
        [
            ({"code": "KY1", "pk": "{own_spot}"}, OWN_STORE),
            ({"code": "LV1", "pk": "{foreign_spot}"}, FOREIGN_STORE),
            ({"code": "KY1", "pk": "{foreign_spot}"}, NOBODYS_PLACE),
        ],
    ),
    Row(
        "stores/<str:code>/touchpoints/<int:pk>/<str:action>/",
        [
            (
                {"code": "KY1", "pk": "{own_spot}", "action": "rotate"},
                OWN_READ_ONLY | {"area_manager": 200, "operator": 200},
            ),
            (
                {"code": "KY1", "pk": "{foreign_spot}", "action": "edit"},
                NOBODYS_PLACE | {"manager": 403, "deputy": 403},
            ),
        ],
    ),
    row("scans/", STAFF_PAGE),
    Row("scans/<int:pk>/dismiss/", [({"pk": "999999"}, POST_ONLY)]),
    row("posters/", STAFF_PAGE),
    Row(
        "stores/<str:code>/posters/<str:touchpoint>/",
        [
            ({"code": "KY1", "touchpoint": "{own_code}"}, OWN_STORE),
            ({"code": "KY1", "touchpoint": "{foreign_code}"}, NOBODYS_PLACE),
        ],
    ),
    Row(
        "stores/<str:code>/posters/<str:touchpoint>/<str:format>.png",
        [
            ({"code": "KY1", "touchpoint": "{own_code}", "format": "receipt"}, OWN_STORE),
            ({"code": "LV1", "touchpoint": "{foreign_code}", "format": "sticker"}, FOREIGN_STORE),
            ({"code": "KY1", "touchpoint": "{own_code}", "format": "stamp"}, NOBODYS_PLACE),
        ],
    ),
    Row("stores/<str:code>/edit/", store_page(OWN_READ_ONLY)),
    Row("stores/<str:code>/hours/", store_page(OWN_READ_ONLY | {"area_manager": 200})),
    Row("stores/<str:code>/exceptions/", store_page(OWN_READ_ONLY | {"area_manager": 200, "manager": 200})),
    Row("stores/<str:code>/closure/", store_page(OWN_READ_ONLY | {"area_manager": 200, "manager": 200})),
    Row("stores/<str:code>/move/", store_page(OWN_READ_ONLY)),
    Row("stores/<str:code>/retire/", [({"code": "KY1"}, POST_ONLY)]),
    Row("stores/<str:code>/history/", store_page(OWN)),
    # --- people: the head office of the whole chain sees everybody, others whom they lead
    row("people/", staff(strangers=200, deputy=403)),
    row("people/invite/", staff(strangers=403, area_manager=200, foreign_area_manager=200)),
    row("people/invitations/", staff(strangers=403, area_manager=200, foreign_area_manager=200)),
    Row("people/join/<str:token>/", [({"token": "{joining}"}, everybody(200)), ({"token": "{no_token}"}, NOWHERE)]),
    Row(
        "people/<int:pk>/",
        [
            ({"pk": "{deputy}"}, staff(manager=200, deputy=200, area_manager=200, operator=404)),
            ({"pk": "{foreign_manager}"}, staff(foreign_manager=200, foreign_area_manager=200, operator=404)),
            ({"pk": "{head_office}"}, staff(operator=404)),
            ({"pk": "999999999"}, NOBODYS | {"operator": 404}),
        ],
    ),
    Row(
        "people/<int:pk>/edit/",
        [
            ({"pk": "{deputy}"}, staff(manager=200, deputy=200, area_manager=200, operator=404)),
            ({"pk": "{head_office}"}, staff(operator=404)),
            ({"pk": "{manager}"}, staff(manager=200, area_manager=200, operator=404)),
        ],
    ),
    Row("people/address/key/<str:token>/", [({"token": "{no_token}"}, NOWHERE)]),
    row("people/phone/", CASE_PAGE),
    # A way in is changed only right after a sign-in.
    row("people/pin/", staff(strangers=302, head_office=302)),
    # Only an enrolled tablet shows it, see tests/people/test_shared_device.py.
    row("people/tablet/", everybody(302)),
    Row(
        "people/tablet/<str:code>/",
        [
            ({"code": "KY1"}, staff(manager=200, area_manager=200, operator=404)),
            ({"code": "LV1"}, FOREIGN | {"operator": 404}),
            ({"code": "NO"}, NOBODYS | {"operator": 404}),
        ],
    ),
    # --- reports
    row("reports/", CASE_PAGE | NO_REPORTS),
    row("reports/stores/", CASE_PAGE | NO_REPORTS),
    row("reports/store/", CASE_PAGE | NO_REPORTS),
    Row(
        "reports/store/<str:code>/",
        [
            ({"code": "KY1"}, OWN | NO_REPORTS),
            ({"code": "LV1"}, FOREIGN | NO_REPORTS),
            ({"code": "NO"}, NOBODYS | NO_REPORTS),
        ],
    ),
    # A centre's people and those above it; see tests/reports/test_calls.py.
    row("reports/calls/", staff(call_centre_lead=200) | NO_REPORTS),
    row("reports/topics/", CASE_PAGE | NO_REPORTS),
    row("reports/loop/", CASE_PAGE | NO_REPORTS),
    row("reports/asking/", CASE_PAGE | NO_REPORTS),
    row("reports/compare/", CASE_PAGE | NO_REPORTS),
    row("reports/change/", CASE_PAGE | NO_REPORTS),
    row("reports/actions/", CASE_PAGE | NO_REPORTS),
    # Where an action may begin, and who may change it: see tests/reports/test_actions.py.
    row("reports/actions/begin/", POST_ONLY),
    Row(
        "reports/actions/<int:pk>/",
        [
            ({"pk": "{own_action}"}, OWN | NO_REPORTS),
            ({"pk": "{foreign_action}"}, FOREIGN | NO_REPORTS),
            ({"pk": "999999"}, NOBODYS | NO_REPORTS),
        ],
    ),
    row("reports/files/", CASE_PAGE | NO_REPORTS),
    row("reports/digests/", CASE_PAGE | NO_REPORTS),
    row("reports/published/", CASE_PAGE | NO_REPORTS),
    Row("reports/published/<int:pk>/", [({"pk": "999999"}, NOBODYS | NO_REPORTS)]),
    row("verbatims/", CASE_PAGE | NO_REPORTS),
    Row(
        "verbatims/<int:verbatim_id>/",
        [
            ({"verbatim_id": "{own_verbatim}"}, OWN | NO_REPORTS),
            ({"verbatim_id": "{foreign_verbatim}"}, FOREIGN | NO_REPORTS),
            ({"verbatim_id": "999999999"}, NOBODYS | NO_REPORTS),
        ],
    ),
    # Without JavaScript it leads to the page of the words.
    Row(
        "verbatims/<int:verbatim_id>/reading/",
        [
            ({"verbatim_id": "999999999"}, NOBODYS | NO_REPORTS),
        ],
    ),
    Row(
        "verbatims/<int:verbatim_id>/labels/",
        [
            ({"verbatim_id": "999999999"}, NOBODYS | NO_REPORTS),
        ],
    ),
    Row(
        "wall/<str:code>/<str:week>/",
        [
            ({"code": "KY1"}, OWN | NO_REPORTS),
            ({"code": "LV1"}, FOREIGN | NO_REPORTS),
            ({"code": "NO"}, NOBODYS | NO_REPORTS),
        ],
    ),
    Row(
        "wall/<str:code>/<str:week>.pdf",
        [({"code": "KY1"}, OWN | NO_REPORTS), ({"code": "LV1"}, FOREIGN | NO_REPORTS)],
    ),
    Row("wall/<str:code>/<str:week>/approve/", [({"code": "KY1"}, POST_ONLY)]),
    Row("wall/<str:code>/<str:week>/hide/<int:verbatim_id>/", [({"code": "KY1", "verbatim_id": "1"}, POST_ONLY)]),
    Row("wall/<str:code>/<str:week>/show/<int:verbatim_id>/", [({"code": "KY1", "verbatim_id": "1"}, POST_ONLY)]),
    Row("wall/<str:code>/<str:week>/hide-done/<str:deed>/", [({"code": "KY1", "deed": "action:1"}, POST_ONLY)]),
    Row("wall/<str:code>/<str:week>/show-done/<str:deed>/", [({"code": "KY1", "deed": "action:1"}, POST_ONLY)]),
    Row("wall/<str:code>/screen/", [({"code": "KY1"}, POST_ONLY)]),
    # Whoever has the link of a store's screen.
    Row("screen/<str:token>/", [({"token": "{no_token}"}, NOWHERE)]),
    # --- long jobs: whoever asked for one sees it, nobody else
    Row(
        "jobs/<uuid:pk>/",
        [({"pk": "{job}"}, JOB), ({"pk": "{no_id}"}, NOWHERE | {"anonymous": LOGIN})],
    ),
    Row("jobs/<uuid:pk>/file", [({"pk": "{job}"}, JOB)]),
    Row("jobs/<uuid:pk>/cancel", [({"pk": "{job}"}, POST_ONLY)]),
    # --- accounts: who is signed in needs no sign-in page
    row("accounts/login/", everybody(302) | {"anonymous": 200}),
    row("accounts/logout/", everybody(200) | {"anonymous": 302}),
    row("accounts/inactive/", everybody(200)),
    row("accounts/language/", POST_ONLY),
    row("accounts/password/change/", SIGNED_IN_PAGE),
    row("accounts/password/reset/", everybody(200)),
    row("accounts/password/reset/done/", everybody(200)),
    Row(r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$", []),
    row("accounts/password/reset/key/done/", everybody(200)),
    # Asked again only when the sign-in was a while ago, as it was for these readers.
    row("accounts/reauthenticate/", SIGNED_IN_PAGE),
    row("accounts/security/", SIGNED_IN_PAGE),
    row("accounts/security/begin/", SIGNED_IN_PAGE),
    # Half-way through a sign-in only.
    row("accounts/security/code/", everybody(302)),
    # Who has no second factor cannot confirm with it, and is led to what they have.
    row("accounts/security/confirm/", everybody(302)),
    row("accounts/security/app/add/", everybody(302)),
    row("accounts/security/app/remove/", everybody(404) | {"anonymous": LOGIN}),
    row("accounts/security/recovery-codes/", everybody(302)),
    row("accounts/security/recovery-codes/file/", everybody(404) | {"anonymous": LOGIN}),
    row("accounts/security/recovery-codes/new/", everybody(302)),
    row("accounts/security/passkeys/add/", everybody(302)),
    Row("accounts/security/passkeys/<int:pk>/name/", [({"pk": "999999"}, everybody(302))]),
    Row("accounts/security/passkeys/<int:pk>/remove/", [({"pk": "999999"}, everybody(302))]),
    row("accounts/security/passkeys/confirm/", everybody(302)),
    row("accounts/security/passkeys/login/", everybody(302)),
    row("accounts/security/sessions/end/", POST_ONLY),
    row("accounts/events/", everybody(403) | {"anonymous": LOGIN, "head_office": 200, "operator": 200}),
    # Not there until an identity provider is named.
    row("accounts/oidc/", NOWHERE),
    row("accounts/oidc/callback/", NOWHERE),
    # --- the API
    row("api/v1/openapi.json", everybody(200)),
    row("api/docs/", everybody(200)),
    row("api/v1/receipts/", KEY_ONLY, write=Scope.RECEIPTS_WRITE),
    row("api/v1/calls/", KEY_ONLY, write=Scope.CALLS_WRITE),
    row("api/v1/responses/", KEY_ONLY, read=Scope.RESPONSES_READ),
    row("api/v1/stores/", KEY_ONLY, read=Scope.STORES_READ),
    row("api/v1/traffic/", KEY_ONLY, write=Scope.TRAFFIC_WRITE),
    Row("api/v1/<path:rest>", [({"rest": "nothing/"}, NOWHERE)]),
    # --- setting up from a file
    row("setup/import/", CHAIN_WIDE),
    row("setup/traffic/", CHAIN_WIDE),
    row("setup/walls/", HEAD_OFFICE_PAGE),
    Row("setup/import/<uuid:pk>/", [({"pk": "{no_id}"}, CHAIN_WIDE | {"head_office": 404, "operator": 404})]),
    Row("setup/import/<uuid:pk>/confirm/", [({"pk": "{no_id}"}, CHAIN_WIDE | {"head_office": 405, "operator": 405})]),
    row("setup/import/template.xlsx", CHAIN_WIDE),
    # By a form; as an address it leads to the page that has it.
    row("setup/export/", CHAIN_WIDE | {"head_office": 302, "operator": 302}),
    Row(
        "setup/export/<str:sheet>.csv",
        [({"sheet": "stores"}, CHAIN_WIDE), ({"sheet": "no"}, CHAIN_WIDE | {"head_office": 404, "operator": 404})],
    ),
    # --- being told
    row("me/alerts/", STAFF_PAGE),
    row("me/alerts/channels/", STAFF_POST),
    row("me/alerts/devices/", STAFF_POST),
    Row("me/alerts/devices/<int:pk>/remove/", [({"pk": "999999"}, STAFF_POST)]),
    row("me/alerts/test/", STAFF_POST),
    row("messages/", CHAIN_WIDE),
    Row("messages/status/<uuid:pk>/", [({"pk": "{no_id}"}, everybody(405))]),
    row("messages/texts/", everybody(405)),
    Row("messages/<uuid:pk>/", [({"pk": "{no_id}"}, CHAIN_WIDE | {"head_office": 405, "operator": 405})]),
    row("messages/chats/", CHAIN_WIDE | {"operator": 403}),
    Row("messages/chats/<int:pk>/", [({"pk": "999999"}, CHAIN_WIDE | {"head_office": 405, "operator": 403})]),
    row("manifest.webmanifest", everybody(200)),
    row("sw.js", everybody(200)),
    # --- the demo's mailbox, see test_the_mailbox_exists_in_the_demo_only
    row("demo/mailbox/", everybody(200)),
    Row("demo/mailbox/<int:pk>/", [({"pk": "{caught}"}, everybody(200)), ({"pk": "999999"}, NOWHERE)]),
    Row("demo/mailbox/<int:pk>/html/", [({"pk": "{caught}"}, everybody(200)), ({"pk": "999999"}, NOWHERE)]),
]


def routes() -> Iterator[str]:
    """Every address of the URL configuration."""

    def walk(patterns: list[Any], before: str) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield before + str(pattern.pattern)
            else:
                yield from walk(pattern.url_patterns, before + str(pattern.pattern))

    yield from walk(get_resolver().url_patterns, "")


def test_every_address_is_in_the_table() -> None:
    listed = [line.route for line in TABLE]
    assert sorted(routes()) == sorted(listed), "add new addresses to TABLE, with who may open them"


def make_case(touchpoint: Touchpoint) -> Case:
    response = make_response(touchpoint=touchpoint, score=1, words="Terrible")
    with transaction.atomic():
        response_saved.send(sender=Response, response=response, corrected=False)
    case = case_for_response(response.pk)
    assert case is not None
    return case


@pytest.fixture
def objects(chain: Chain) -> dict[str, str]:
    """What fills the placeholders of the table."""
    ensure_defaults()
    own, foreign = make_case(chain.touchpoint), make_case(chain.foreign_touchpoint)
    invitation = Invitation(
        channel=ResponseChannel.RECEIPT, store=chain.store, expires_at=timezone.now() + timedelta(days=1)
    )
    invitation.save()
    caught = CaughtMessage.objects.create(
        channel="email", sender="us@example.org", recipient="a@example.org", text="Hello", caught_at=timezone.now()
    )
    job = Job.objects.create(kind="export", owner=chain.manager.pk, title="Export", state=JobState.DONE)
    job.add_file("export.csv", "text/csv")
    job.save()
    return {
        "job": str(job.pk),
        "own_code": chain.touchpoint.code,
        "foreign_code": chain.foreign_touchpoint.code,
        "own_spot": str(chain.touchpoint.pk),
        "foreign_spot": str(chain.foreign_touchpoint.pk),
        "own_case": str(own.pk),
        "own_verbatim": str(own.response.verbatims.get().pk),
        "foreign_verbatim": str(foreign.response.verbatims.get().pk),
        "own_action": str(begin(chain.store, by=chain.manager, topic="waiting").action.pk),
        "foreign_action": str(begin(chain.foreign, by=chain.foreign_manager, topic="waiting").action.pk),
        "foreign_case": str(foreign.pk),
        "no_id": str(uuid4()),
        "invitation": invitation.token,
        "leaving": leave_url(Contact.create("email", "ann@example.com")).rstrip("/").rpartition("/")[2],
        "response": own.response.token,
        "no_token": link_token("response", uuid4()),
        "caught": str(caught.pk),
        "joining": invite_person(Invitee("joining@chain.example", "Joining", []), actor=None).invitations.get().token,
        "deputy": str(chain.deputy.pk),
        "manager": str(chain.manager.pk),
        "foreign_manager": str(chain.foreign_manager.pk),
        "head_office": str(chain.head_office.pk),
    }


def fill(route: str, filling: dict[str, str], objects: dict[str, str]) -> str:
    """The route as an address."""
    week = "{}-W{:02d}".format(*timezone.now().isocalendar())
    address = "/" + route
    for name, value in ({"week": week} | filling).items():
        for converter in ("str", "uuid", "int", "path", "slug"):
            address = address.replace(f"<{converter}:{name}>", value.format(**objects))
    assert "<" not in address, f"the table leaves a placeholder open: {address}"
    return address


def browser(chain: Chain, reader: str) -> Client:
    client = Client()
    if reader != "anonymous":
        client.force_login(getattr(chain, reader))
    return client


@pytest.mark.parametrize("reader", READERS)
def test_every_address_opens_for_whom_it_should(chain: Chain, objects: dict[str, str], reader: str) -> None:
    client = browser(chain, reader)
    wrong = []
    for line in TABLE:
        for filling, statuses in line.fillings:
            address = fill(line.route, filling, objects)
            answer = client.get(address)
            if answer.status_code != statuses[reader]:
                wrong.append(f"{address}: {answer.status_code}, not {statuses[reader]}")
            elif reader == "anonymous" and answer.status_code == LOGIN and "accounts/login" not in answer["Location"]:
                wrong.append(f"{address}: leads to {answer['Location']}")
    assert not wrong, f"{reader}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("reader", READERS)
def test_who_may_not_read_may_not_write(chain: Chain, objects: dict[str, str], reader: str) -> None:
    client = browser(chain, reader)
    for line in TABLE:
        for filling, statuses in line.fillings:
            if statuses[reader] in {403, 404} or (reader == "anonymous" and statuses[reader] == LOGIN):
                address = fill(line.route, filling, objects)
                answer = client.post(address, {"action": "acknowledge", "form_id": str(uuid4())})
                refused = {403, 404, 405} | ({LOGIN} if reader == "anonymous" else set())
                assert answer.status_code in refused, address
    assert not Case.objects.exclude(state="open").exists()


def test_a_refused_page_shows_nothing_of_its_object(chain: Chain, objects: dict[str, str]) -> None:
    for reader in ("foreign_manager", "operator", "nobody", "anonymous"):
        page = browser(chain, reader).get(f"/cases/{objects['own_case']}/").content.decode()
        assert "Terrible" not in page and "Kyiv One" not in page


def test_a_key_opens_only_what_its_scopes_name(chain: Chain, objects: dict[str, str]) -> None:
    for line in (line for line in TABLE if line.key_scopes):
        others = [scope for scope in Scope.values if scope not in line.key_scopes]
        for scopes in ([], others):
            _key, secret = ApiKey.create("test", scopes)
            for method in ("get", "post"):
                send = getattr(Client(), method)
                answer = send("/" + line.route, headers={"Authorization": f"Bearer {secret}"})
                assert answer.status_code == 403, (line.route, method, scopes)


def test_the_mailbox_exists_in_the_demo_only(objects: dict[str, str], settings: LazySettings) -> None:
    settings.TESTING = settings.DEMO = False
    for address in (
        "/demo/mailbox/",
        f"/demo/mailbox/{objects['caught']}/",
        f"/demo/mailbox/{objects['caught']}/html/",
    ):
        assert Client().get(address).status_code == 404
