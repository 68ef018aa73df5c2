"""Typed makers of rows for tests: name what matters to the test, leave the rest."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from stores.choices import NodeKind, Role, StoreKind, TouchpointKind
from stores.models import Node, OpeningInterval, RoleAssignment, Store, Touchpoint, User
from surveys.choices import QuestionKind, ResponseChannel, SampleKind
from surveys.models import Response, Survey, SurveyVersion, Verbatim

PASSWORD = "a long enough passphrase"


def make_node(*, kind: NodeKind, name: str, parent: Node | None = None) -> Node:
    node = Node(kind=kind, name=name, parent=parent)
    node.save()
    return node


def make_store(
    *,
    node: Node,
    code: str,
    name: str = "",
    kind: StoreKind = StoreKind.SHOP,
    time_zone: str = "Europe/Kyiv",
    country: str = "UA",
    hours: tuple[time, time] | None = (time(0), time(0)),
    public_review_url: str = "https://reviews.example/store",
) -> Store:
    """A store with the same hours every day; (00:00, 00:00) is round the clock, None is "no hours entered"."""
    store = Store.objects.create(
        node=node,
        kind=kind,
        code=code,
        name=name or f"Store {code}",
        time_zone=time_zone,
        country=country,
        languages=["uk", "en"],
        city="Kyiv",
        address="1 Main Street",
        public_review_url=public_review_url,
    )
    if hours is not None:
        OpeningInterval.objects.bulk_create(
            OpeningInterval(store=store, weekday=day, opens=hours[0], closes=hours[1]) for day in range(7)
        )
    return store


def make_touchpoint(*, store: Store, kind: TouchpointKind = TouchpointKind.TILL, name: str = "") -> Touchpoint:
    return Touchpoint.objects.create(store=store, kind=kind, name=name)


def make_user(
    *, email: str, role: Role | None = None, store: Store | None = None, node: Node | None = None, language: str = "en"
) -> User:
    user = User.objects.create_user(
        email, PASSWORD, name=email.split("@")[0].replace("-", " ").title(), language=language
    )
    if role is not None:
        RoleAssignment.objects.create(user=user, role=role, store=store, node=node)
    return user


def make_version(*, headline_kind: QuestionKind = QuestionKind.NPS) -> SurveyVersion:
    """The newest version of a small survey with one headline question and one open one."""
    survey, _created = Survey.objects.get_or_create(slug=f"test-{headline_kind}", defaults={"name": "Test"})
    version = survey.versions.order_by("-number").first()
    if version is None:
        text = {"en": "How was it?", "de": "Wie war es?", "uk": "Як усе пройшло?"}
        document = {
            "headline": "score",
            "questions": [
                {"key": "score", "kind": headline_kind, "text": text},
                {"key": "reason", "kind": "text", "text": text},
            ],
        }
        version = SurveyVersion.objects.create(survey=survey, number=1, headline_kind=headline_kind, document=document)
    return version


def make_response(
    *,
    touchpoint: Touchpoint,
    score: int | None,
    words: str = "",
    headline_kind: QuestionKind = QuestionKind.NPS,
    language: str = "en",
    submitted_at: datetime | None = None,
    channel: ResponseChannel = ResponseChannel.QR,
    sample_kind: SampleKind = SampleKind.VOLUNTEER,
) -> Response:
    """A stored response, without the signal that opens cases: use `surveys.actions.submit` for the whole way."""
    at = submitted_at or timezone.now()
    response = Response(
        version=make_version(headline_kind=headline_kind),
        store=touchpoint.store,
        touchpoint=touchpoint,
        channel=channel,
        sample_kind=sample_kind,
        language=language,
        answers={"score": score} | ({"reason": words} if words else {}),
        headline_kind=headline_kind,
        score=score,
        submitted_at=at,
        local_day=at.astimezone(ZoneInfo(touchpoint.store.time_zone)).date(),
    )
    response.save()
    if words:
        Verbatim.objects.create(response=response, question="reason", text=words)
    return response


@dataclass
class Chain:
    """The fixed cast of the tests: a country, two areas, three stores, a call centre and somebody of each role.

    `store` has a manager and a deputy, `neighbour` lies in the same area, `foreign` in the other. `foreign_manager`
    and `foreign_area_manager` are the strangers.
    """

    root: Node = field(init=False)
    area: Node = field(init=False)
    other_area: Node = field(init=False)
    store: Store = field(init=False)
    neighbour: Store = field(init=False)
    foreign: Store = field(init=False)
    call_centre: Store = field(init=False)
    touchpoint: Touchpoint = field(init=False)
    foreign_touchpoint: Touchpoint = field(init=False)
    manager: User = field(init=False)
    deputy: User = field(init=False)
    area_manager: User = field(init=False)
    head_office: User = field(init=False)
    call_centre_lead: User = field(init=False)
    operator: User = field(init=False)
    foreign_manager: User = field(init=False)
    foreign_area_manager: User = field(init=False)
    nobody: User = field(init=False)

    def __post_init__(self) -> None:
        self.root = make_node(kind=NodeKind.CHAIN, name="Chain")
        country = make_node(kind=NodeKind.COUNTRY, name="Ukraine", parent=self.root)
        self.area = make_node(kind=NodeKind.AREA, name="Kyiv", parent=country)
        self.other_area = make_node(kind=NodeKind.AREA, name="Lviv", parent=country)
        self.store = make_store(node=self.area, code="KY1", name="Kyiv One")
        self.neighbour = make_store(node=self.area, code="KY2", name="Kyiv Two")
        self.foreign = make_store(node=self.other_area, code="LV1", name="Lviv One")
        self.call_centre = make_store(node=country, code="CALL", name="Call centre", kind=StoreKind.CALL_CENTRE)
        self.touchpoint = make_touchpoint(store=self.store)
        self.foreign_touchpoint = make_touchpoint(store=self.foreign)
        self.manager = make_user(email="manager@chain.example", role=Role.STORE_MANAGER, store=self.store)
        self.deputy = make_user(email="deputy@chain.example", role=Role.DEPUTY, store=self.store)
        self.area_manager = make_user(email="area@chain.example", role=Role.AREA_MANAGER, node=self.area)
        self.head_office = make_user(email="head@chain.example", role=Role.HEAD_OFFICE, node=self.root)
        self.call_centre_lead = make_user(
            email="calls@chain.example", role=Role.CALL_CENTRE_LEAD, store=self.call_centre
        )
        self.operator = make_user(email="operator@chain.example", role=Role.OPERATOR, node=self.root)
        self.foreign_manager = make_user(email="foreign@chain.example", role=Role.STORE_MANAGER, store=self.foreign)
        self.foreign_area_manager = make_user(
            email="foreign-area@chain.example", role=Role.AREA_MANAGER, node=self.other_area
        )
        self.nobody = make_user(email="nobody@chain.example")


def new_form_id() -> uuid.UUID:
    return uuid.uuid4()


def minutes_ago(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)
