"""The demo's chain: its tree, stores with their hours and touchpoints, and the people who answer for them."""

import random
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password

from core.tokens import TYPED_CODE_LENGTH
from stores.choices import NodeKind, Role, StoreKind, TouchpointKind
from stores.models import HoursException, Node, OpeningInterval, RoleAssignment, Store, Touchpoint, User
from stores.sorting import sort_key

PASSWORD = "thirty open minutes"  # noqa: S105  (of the demo's logins, printed on every start)
MAIL_DOMAIN = "staff.example"
# Without the letters that are mistyped, as in core.tokens.
_CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Week = dict[int, tuple[time, time]]


def _week(opens: int, closes: int, *, saturday: tuple[int, int] | None, sunday: tuple[int, int] | None) -> Week:
    """Hours from Monday to Friday, and at the weekend; None is closed, an hour past 24 lies in the next day."""
    days = [*[(opens, closes)] * 5, saturday, sunday]
    return {day: (time(span[0]), time(span[1] % 24)) for day, span in enumerate(days) if span}


_ROUND_THE_CLOCK = _week(0, 24, saturday=(0, 24), sunday=(0, 24))
_UKRAINE = _week(9, 21, saturday=(10, 21), sunday=(10, 20))
_GERMANY = _week(10, 20, saturday=(10, 19), sunday=None)
_BRITAIN = _week(9, 19, saturday=(9, 19), sunday=(11, 17))
_LATE = _week(10, 21, saturday=(10, 25), sunday=(11, 17)) | {4: (time(10), time(1))}

# country, region, area, time zone, languages, then code, store, city and hours (None: nobody has entered any).
_AREAS: tuple[tuple[str, str, str, str, str, tuple[tuple[str, str, str, Week | None], ...]], ...] = (
    ("UA", "Centre", "Kyiv", "Europe/Kyiv", "uk en", (
        ("KY1", "Podil", "Київ", _ROUND_THE_CLOCK),
        ("KY2", "Khreshchatyk", "Київ", _UKRAINE),
        ("KY3", "Obolon", "Київ", _UKRAINE),
        ("KY4", "Pechersk", "Київ", _UKRAINE),
        ("KY5", "Poznyaky", "Київ", _UKRAINE),
    )),
    ("UA", "West", "Lviv", "Europe/Kyiv", "uk en", (
        ("LV1", "Rynok", "Львів", _UKRAINE),
        ("LV2", "Sykhiv", "Львів", _UKRAINE),
        ("IF1", "Frankivsk", "Івано-Франківськ", _UKRAINE),
        ("TE1", "Ternopil", "Тернопіль", None),
        ("UZ1", "Uzhhorod", "Ужгород", _UKRAINE),
    )),
    ("DE", "Nord", "Hamburg & Berlin", "Europe/Berlin", "de en", (
        ("HH1", "Altona", "Hamburg", _GERMANY),
        ("HH2", "Hauptbahnhof", "Hamburg", _ROUND_THE_CLOCK),
        ("BE1", "Mitte", "Berlin", _GERMANY),
        ("BE2", "Neukölln", "Berlin", _GERMANY),
        ("HB1", "Bremen", "Bremen", _GERMANY),
    )),
    ("DE", "Süd", "Bayern & Schwaben", "Europe/Berlin", "de en", (
        ("MU1", "Sendling", "München", _GERMANY),
        ("MU2", "Schwabing", "München", _GERMANY),
        ("NU1", "Nürnberg", "Nürnberg", _GERMANY),
        ("ST1", "Stuttgart", "Stuttgart", _GERMANY),
        ("UL1", "Ulm", "Ulm", _GERMANY),
    )),
    ("GB", "South", "London & coast", "Europe/London", "en", (
        ("LO1", "Camden", "London", _LATE),
        ("LO2", "Brixton", "London", _BRITAIN),
        ("BN1", "Brighton", "Brighton", _BRITAIN),
        ("CT1", "Canterbury", "Canterbury", _BRITAIN),
    )),
)  # fmt: skip
_COUNTRIES = {"UA": "Ukraine", "DE": "Germany", "GB": "United Kingdom"}
_CALL_CENTRE_HOURS = _week(8, 22, saturday=(9, 20), sunday=(10, 18))
_TOUCHPOINTS = (TouchpointKind.TILL, TouchpointKind.FITTING_ROOM, TouchpointKind.EXIT)
# Every third store has a deputy.
_DEPUTY_EVERY = 3


@dataclass
class Places:
    """What was made, in the order of the list above."""

    root: Node
    shops: list[Store] = field(default_factory=list)
    call_centre: Store | None = None
    touchpoints: dict[int, list[Touchpoint]] = field(default_factory=dict)


def make_places(rng: random.Random, *, today: date) -> Places:
    """Create tree, stores, touchpoints and staff."""
    root = _node(NodeKind.CHAIN, settings.CHAIN_NAME, None)
    places = Places(root)
    nodes: dict[tuple[str, ...], Node] = {}
    areas = []
    for country, region, area, zone, languages, stores in _AREAS:
        above = nodes.get((country,)) or _node(NodeKind.COUNTRY, _COUNTRIES[country], root)
        nodes[country,] = above
        area_node = _node(NodeKind.AREA, area, _node(NodeKind.REGION, region, above))
        areas.append(area_node)
        for code, name, city, _hours in stores:
            store = _store(area_node, code, name, country=country, city=city, zone=zone, languages=languages)
            places.shops.append(store)
    places.call_centre = _store(
        root, "CALL", "Call centre", country="DE", city="Leipzig", zone="Europe/Berlin", languages="de en uk",
        kind=StoreKind.CALL_CENTRE,
    )  # fmt: skip
    Store.objects.bulk_create([*places.shops, places.call_centre])
    _make_hours(places, today)
    _make_touchpoints(places, rng)
    _make_staff(places, areas)
    return places


def _node(kind: NodeKind, name: str, parent: Node | None) -> Node:
    node = Node(kind=kind, name=name, parent=parent)
    node.save()
    return node


def _store(
    node: Node,
    code: str,
    name: str,
    *,
    country: str,
    city: str,
    zone: str,
    languages: str,
    kind: StoreKind = StoreKind.SHOP,
) -> Store:
    return Store(
        node=node,
        kind=kind,
        code=code,
        name=name,
        sort_key=sort_key(name),
        country=country,
        city=city,
        time_zone=zone,
        languages=languages.split(),
        public_review_url=f"https://reviews.example/{code.lower()}",
    )


def _make_hours(places: Places, today: date) -> None:
    weeks = [hours for area in _AREAS for *_rest, hours in area[5]]
    assert places.call_centre is not None
    OpeningInterval.objects.bulk_create(
        OpeningInterval(store=store, weekday=day, opens=opens, closes=closes)
        for store, week in zip([*places.shops, places.call_centre], [*weeks, _CALL_CENTRE_HOURS], strict=True)
        for day, (opens, closes) in (week or {}).items()
    )
    by_code = {store.code: store for store in places.shops}
    HoursException.objects.bulk_create(
        [
            HoursException(store=by_code["BE1"], date=today + timedelta(days=3), reason="Inventur"),
            HoursException(store=by_code["BE1"], date=today - timedelta(days=45), reason="Feiertag"),
            HoursException(
                store=by_code["CT1"],
                date=today + timedelta(days=9),
                opens=time(10),
                closes=time(14),
                reason="Staff training",
            ),
        ]
    )


def _make_touchpoints(places: Places, rng: random.Random) -> None:
    for store in places.shops:
        places.touchpoints[store.pk] = [
            Touchpoint(store=store, kind=kind, code="".join(rng.choices(_CODE_LETTERS, k=TYPED_CODE_LENGTH)))
            for kind in _TOUCHPOINTS
        ]
    Touchpoint.objects.bulk_create(spot for spots in places.touchpoints.values() for spot in spots)


def _make_staff(places: Places, areas: list[Node]) -> None:
    """Everybody is called by role and place. One word each: parts of staff names are redacted in comments."""
    password = make_password(PASSWORD)  # once, since a good hash is slow
    people: list[User] = []
    roles: list[RoleAssignment] = []

    def hire(
        name: str, mail: str, role: Role, *, language: str, store: Store | None = None, node: Node | None = None
    ) -> None:
        user = User(email=f"{mail}@{MAIL_DOMAIN}", name=name.replace(" ", "-"), language=language, password=password)
        people.append(user)
        roles.append(RoleAssignment(user=user, role=role, store=store, node=node))

    for number, store in enumerate(places.shops):
        code, language = store.code.lower(), store.languages[0]
        hire(f"Manager {store.name}", f"manager.{code}", Role.STORE_MANAGER, language=language, store=store)
        if number % _DEPUTY_EVERY == 0:
            hire(f"Deputy {store.name}", f"deputy.{code}", Role.DEPUTY, language=language, store=store)
    for number, (area, (country, *_rest)) in enumerate(zip(areas, _AREAS, strict=True), start=1):
        language = {"UA": "uk", "DE": "de", "GB": "en"}[country]
        name = f"Area {area.name}".replace(" & ", " ")
        hire(name, f"area.{number}", Role.AREA_MANAGER, language=language, node=area)
    hire("Head office 1", "head.office", Role.HEAD_OFFICE, language="en", node=places.root)
    hire("Head office 2", "head.office.2", Role.HEAD_OFFICE, language="de", node=places.root)
    hire("Call centre lead", "call.centre", Role.CALL_CENTRE_LEAD, language="en", store=places.call_centre)
    hire("Operator", "operator", Role.OPERATOR, language="en", node=places.root)
    User.objects.bulk_create(people)
    RoleAssignment.objects.bulk_create(roles)
