"""What the demo's shoppers answered: thirteen weeks of responses, as rows to insert."""

import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import override

from alerts.clock import StoreHours, hours_of
from core.tokens import keyed_hash, link_token, token_hash
from customers.models import Contact, ContactKind, Permission, Receipt
from demo.comments import COMMENTS
from demo.places import Places
from reports.periods import Week
from stores.models import Store, Touchpoint
from surveys.choices import ContactWish, QuestionKind, ResponseChannel, SampleKind
from surveys.models import Call, Invitation, Response, SurveyVersion, Verbatim
from surveys.wording import permission_wording

DAYS = 91
_RESPONSES_A_WEEK = 10
_CALLS_A_WEEK = 36
# Who answers calls of which queues, as telephony names them. After one of them more callers are unhappy.
_AGENTS = {
    "A1": ("orders",),
    "A2": ("orders",),
    "A3": ("orders", "gifts"),
    "A4": ("orders", "returns"),
    "A5": ("returns",),
    "A6": ("returns",),
    "A7": ("gifts",),
    "A8": ("gifts", "returns"),
}
_HAPLESS = "A6"
# Where shoppers praised in Latin, Cyrillic and Arabic letters within the last full week.
MANY_SCRIPTS_AT = "BE1"
_MANY_SCRIPTS = ("de", "uk", "ar")
_INVITATION_LIFETIME = timedelta(days=30)
# Who writes in which language, by the store's country, in percent.
_LANGUAGES = {
    "UA": {"uk": 86, "en": 8, "pl": 4, "ar": 2},
    "DE": {"de": 78, "en": 10, "uk": 6, "ar": 3, "pl": 3},
    "GB": {"en": 84, "fr": 6, "pl": 5, "ar": 3, "uk": 2},
}
# Numbers that regulators keep free for fiction: no real person has them.
_PHONES = {"GB": "+447700900{:03d}", "DE": "+4917139200{:02d}"}
_PAGE_LANGUAGES = {"en", "de", "uk"}
_SCORES = {
    QuestionKind.NPS: {"bad": range(0, 7), "mixed": range(7, 9), "good": range(9, 11)},
    QuestionKind.SMILEY5: {"bad": range(1, 3), "mixed": range(3, 5), "good": range(5, 6)},
}
_DAY_BEGINS, _DAY_ENDS = time(8), time(22)


@dataclass
class Voices:
    """Rows by kind, each list in the order in which it is to be inserted; responses oldest first."""

    contacts: list[Contact] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    verbatims: list[Verbatim] = field(default_factory=list)

    def save(self) -> None:
        Contact.objects.bulk_create(self.contacts)
        Permission.objects.bulk_create(self.permissions)
        Receipt.objects.bulk_create(self.receipts)
        Call.objects.bulk_create(self.calls)
        Invitation.objects.bulk_create(self.invitations)
        Response.objects.bulk_create(self.responses, batch_size=1000)
        Verbatim.objects.bulk_create(self.verbatims, batch_size=1000)


@dataclass(frozen=True)
class Mood:
    """How good a store is, in shares of happy and unhappy shoppers, and what the last three weeks did to it."""

    good: float
    bad: float
    late_shift: float = 0

    def draw(self, rng: random.Random, *, recent: bool) -> str:
        bad = self.bad + (self.late_shift if recent else 0)
        good = self.good - (self.late_shift if recent else 0)
        chance = rng.random()
        return "bad" if chance < bad else "good" if chance < bad + good else "mixed"


class Narrator:
    """Draws everything from one generator, so that the same seed tells the same story."""

    def __init__(self, rng: random.Random, *, now: datetime, versions: dict[str, SurveyVersion]) -> None:
        self.rng, self.now, self.versions = rng, now, versions
        self.voices = Voices()
        self._decks: dict[tuple[int, str, str], list[str]] = {}
        self._shoppers = 0
        self._wordings: dict[str, str] = {}

    def tell(self, places: Places) -> Voices:
        """Thirteen weeks at every store."""
        for number, store in enumerate(places.shops):
            mood = Mood(good=0.48 + 0.02 * (number * 5 % 9), bad=0.10 + 0.015 * (number * 7 % 8))
            if store.code == "LV2":  # something went wrong here three weeks ago
                mood = Mood(good=0.58, bad=0.12, late_shift=0.28)
            if store.code == "BN1":  # and something was put right here
                mood = Mood(good=0.42, bad=0.34, late_shift=-0.24)
            self._tell_store(store, places.touchpoints[store.pk], mood)
            if store.code == MANY_SCRIPTS_AT:
                self._tell_in_many_scripts(store, places.touchpoints[store.pk])
        assert places.call_centre is not None
        self._tell_store(places.call_centre, [], Mood(good=0.5, bad=0.2))
        self.voices.responses.sort(key=lambda response: response.submitted_at)
        return self.voices

    def _tell_store(self, store: Store, touchpoints: list[Touchpoint], mood: Mood) -> None:
        hours = hours_of(store)
        a_week = _RESPONSES_A_WEEK if touchpoints else _CALLS_A_WEEK
        for number in range(a_week * DAYS // 7):
            # Spread evenly, so that no week of a store is empty.
            days_ago = number * 7 / a_week + self.rng.random() * 7 / a_week
            at = self._open_moment(hours, days_ago)
            recent = self.now - at < timedelta(days=21)
            self._respond(store, touchpoints, mood.draw(self.rng, recent=recent), at)

    def _tell_in_many_scripts(self, store: Store, touchpoints: list[Touchpoint]) -> None:
        zone = ZoneInfo(store.time_zone)
        tuesday = last_full_week(self.now, store.time_zone).monday + timedelta(days=1)
        for later, language in enumerate(_MANY_SCRIPTS):
            at = _between(zone, tuesday + timedelta(days=later), time(11), time(18), self.rng.random())
            self._respond(store, touchpoints, "good", at, said=(language, COMMENTS[language]["good"][0]))

    def _open_moment(self, hours: StoreHours, days_ago: float) -> datetime:
        """A moment about that long ago at which the store is open, by day."""
        day = (self.now - timedelta(days=days_ago)).astimezone(hours.zone).date()
        part = self.rng.random()
        while True:
            spans = hours.on(day)
            if spans:
                opens, closes = spans[0]
                begin = max(opens, _DAY_BEGINS)
                end = min(closes, _DAY_ENDS) if closes > opens else _DAY_ENDS
                moment = _between(hours.zone, day, begin, end, part)
                if moment < self.now - timedelta(hours=1):
                    return moment
            day -= timedelta(days=1)

    def _respond(
        self,
        store: Store,
        touchpoints: list[Touchpoint],
        mood: str,
        at: datetime,
        *,
        said: tuple[str, str] | None = None,
    ) -> None:
        """One response; `said` are its language and words where they are not left to chance."""
        rng = self.rng
        said_in = said[0] if said else _pick(rng, _LANGUAGES[store.country])
        page = said_in if said_in in _PAGE_LANGUAGES else store.languages[0]
        touchpoint, invitation = None, None
        if not touchpoints:
            channel, invitation = ResponseChannel.CALL, self._called(store, page, at, mood)
        elif rng.random() < 0.25:
            channel, invitation = ResponseChannel.RECEIPT, self._bought(store, page, at)
        else:
            channel, touchpoint = ResponseChannel.QR, rng.choice(touchpoints)
        smiley = touchpoint is not None and touchpoint.kind == "fitting_room"
        version = self.versions["moment" if smiley else "recommend"]
        kind = QuestionKind(version.headline_kind)
        scores = _SCORES[kind][mood]
        # Few are wholly unhappy: the middle of the scale's lower part is the most common.
        score = max(rng.choice(scores), rng.choice(scores)) if mood == "bad" else rng.choice(scores)
        if not said and rng.random() < 0.004:
            mood = "alarm"
        words = said[1] if said else self._words(store, said_in, mood, channel)
        wish, contact = self._wish(store, page, mood, invitation, at)
        response = Response(
            pk=self._uuid(),
            version=version,
            store=store,
            touchpoint=touchpoint,
            invitation=invitation,
            channel=channel,
            sample_kind=SampleKind.VOLUNTEER if touchpoint else SampleKind.VERIFIED,
            language=page,
            answers={version.document["headline"]: score}
            | ({"reason": words} if words else {})
            | ({"contact": wish.value} if wish != ContactWish.NONE else {}),
            headline_kind=kind,
            score=score,
            contact_wish=wish,
            contact=contact,
            submitted_at=at,
            local_day=at.astimezone(ZoneInfo(store.time_zone)).date(),
        )
        response.token_hash = token_hash(response.token)
        self.voices.responses.append(response)
        if words:
            self.voices.verbatims.append(Verbatim(response=response, question="reason", text=words))

    def _words(self, store: Store, language: str, mood: str, channel: str) -> str:
        """A comment this store has not had lately; most of the unhappy write one."""
        if mood != "alarm" and self.rng.random() > (0.8 if mood == "bad" else 0.5):
            return ""
        about = mood
        if channel == ResponseChannel.CALL and mood != "alarm":
            about = "call_good" if mood == "good" else "call_bad"
        pool = COMMENTS[language].get(about) or COMMENTS[language][mood]
        deck = self._decks.setdefault((store.pk, language, about), [])
        if not deck:
            deck.extend(self.rng.sample(pool, len(pool)))
        return deck.pop()

    def _wish(
        self, store: Store, page: str, mood: str, invitation: Invitation | None, at: datetime
    ) -> tuple[ContactWish, Contact | None]:
        """How the shopper wants to be contacted: every second unhappy one does, few of the others."""
        if self.rng.random() > {"bad": 0.55, "mixed": 0.12, "good": 0.06, "alarm": 1}[mood]:
            return ContactWish.NONE, None
        contact = invitation.contact if invitation else None
        if contact is None:
            contact = self._contact(store, page, phone=self.rng.random() < 0.5)
        kind = contact.kind
        wish = ContactWish.EMAIL if kind == ContactKind.EMAIL else self.rng.choice([ContactWish.CALL, ContactWish.TEXT])
        if page not in self._wordings:
            with override(page):
                self._wordings[page] = permission_wording()
        self.voices.permissions.append(
            Permission(contact=contact, wording=self._wordings[page], language=page, given_at=at)
        )
        return wish, contact

    def _contact(self, store: Store, language: str, *, phone: bool) -> Contact:
        self._shoppers += 1
        pattern = _PHONES.get(store.country)
        if phone and pattern:
            value = pattern.format(self._shoppers % (1000 if "03d" in pattern else 100))
        else:
            phone, value = False, f"shopper{self._shoppers}@shoppers.example"
        contact = Contact(
            pk=self._uuid(),
            kind=ContactKind.PHONE if phone else ContactKind.EMAIL,
            value=value,
            value_hash=keyed_hash("contact", value),
            language=language,
        )
        self.voices.contacts.append(contact)
        return contact

    def _bought(self, store: Store, language: str, at: datetime) -> Invitation:
        number = f"R{self.rng.randrange(10**8):08d}"
        contact = self._contact(store, language, phone=False) if self.rng.random() < 0.4 else None
        receipt = Receipt(
            store=store,
            number_hash=keyed_hash("receipt", f"{store.code} {number}"),
            purchased_at=at - timedelta(minutes=self.rng.randrange(5, 600)),
            contact=contact,
        )
        self.voices.receipts.append(receipt)
        # Its link was printed: nobody was written to.
        return self._invite(ResponseChannel.RECEIPT, store, language, receipt.purchased_at, None, receipt=receipt)

    def _called(self, store: Store, language: str, at: datetime, mood: str) -> Invitation:
        contact = self._contact(store, language, phone=True)
        often = {"bad": 4, "good": 1}.get(mood, 2)
        agent = self.rng.choices(list(_AGENTS), weights=[often if one == _HAPLESS else 2 for one in _AGENTS])[0]
        call = Call(
            external_id=f"call-{self.rng.getrandbits(40):010x}",
            store=store,
            queue=self.rng.choice(_AGENTS[agent]),
            agent=agent,
            ended_at=at - timedelta(minutes=self.rng.randrange(3, 90)),
            contact=contact,
        )
        self.voices.calls.append(call)
        for _silent in range(self.rng.randrange(1, 5)):
            self._leave_unanswered(call)
        return self._invite(ResponseChannel.CALL, store, language, call.ended_at, contact, call=call)

    def _leave_unanswered(self, other: Call) -> None:
        """Somebody called shortly before, and did not answer the question afterwards."""
        agent = self.rng.choice([one for one, queues in _AGENTS.items() if other.queue in queues])
        call = Call(
            external_id=f"call-{self.rng.getrandbits(40):010x}",
            store=other.store,
            queue=other.queue,
            agent=agent,
            ended_at=other.ended_at - timedelta(minutes=self.rng.randrange(10, 60)),
        )
        self.voices.calls.append(call)
        self._invite(ResponseChannel.CALL, call.store, call.store.languages[0], call.ended_at, None, call=call)

    def _invite(
        self,
        channel: ResponseChannel,
        store: Store,
        language: str,
        at: datetime,
        contact: Contact | None,
        *,
        receipt: Receipt | None = None,
        call: Call | None = None,
    ) -> Invitation:
        invitation = Invitation(
            pk=self._uuid(),
            channel=channel,
            store=store,
            receipt=receipt,
            call=call,
            contact=contact,
            language=language,
            expires_at=at + _INVITATION_LIFETIME,
        )
        invitation.token_hash = token_hash(link_token("invitation", invitation.pk))
        self.voices.invitations.append(invitation)
        return invitation

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.rng.getrandbits(128), version=4)


def last_full_week(now: datetime, zone: str) -> Week:
    """The week before the one that runs, by the calendar of that time zone."""
    return Week.of(now.astimezone(ZoneInfo(zone)).date()) + -1


def _between(zone: ZoneInfo, day: date, begin: time, end: time, part: float) -> datetime:
    first, last = datetime.combine(day, begin, zone), datetime.combine(day, end, zone)
    return (first.astimezone(UTC) + part * (last.astimezone(UTC) - first.astimezone(UTC))).replace(microsecond=0)


def _pick(rng: random.Random, shares: dict[str, int]) -> str:
    return rng.choices(list(shares), weights=list(shares.values()))[0]
