"""Clock and ladder of a case as plain values: what a case carries with it, and what head office's pages edit.

A target names whom a step tells: whoever answers for the case, one or two levels above, a role, a person, a group.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alerts.choices import Counted, StopsOn
from messaging.choices import Channel

ANSWERING, UP, UP_TWO = "answering", "up", "up2"
STORE, DEPUTY, AREA, HEAD_OFFICE = "store", "deputy", "area", "head_office"
PERSON, GROUP = "person", "group"
# Whom to tell by their place beside the case, and by a level of their own.
RISES = {ANSWERING: 0, UP: 1, UP_TWO: 2}
LEVELS = {STORE: 0, AREA: 1, HEAD_OFFICE: 2}
ROLE_TARGETS = (ANSWERING, UP, UP_TWO, STORE, DEPUTY, AREA, HEAD_OFFICE)
STEP_CHANNELS = ("", Channel.PUSH.value, Channel.SMS.value, Channel.EMAIL.value, Channel.CHAT.value)
MOST_STEPS = 12
# Thirty days: longer is no clock.
LONGEST_MINUTES = 30 * 24 * 60
# A phone that buzzes more often is switched off.
SHORTEST_PAUSE = 5


@dataclass(frozen=True)
class Rung:
    """After so many minutes tell the people of `to`, by `channel` ("": as each of them prefers).

    `counted` says which minutes: open ones, or those of the wall clock. `stops_on` names what makes it unnecessary.
    Told again every so many of these minutes until then; 0 is once.
    """

    after: int
    to: tuple[str, ...]
    stops_on: str
    counted: str = Counted.OPEN.value
    channel: str = ""
    every: int = 0

    def level(self, case_level: int) -> int:
        """The highest level of the chain that it tells."""
        by_place = [case_level + RISES[target] for target in self.to if target in RISES]
        return max([case_level, *by_place, *(LEVELS[target] for target in self.to if target in LEVELS)])


@dataclass(frozen=True)
class Policy:
    """The steps of a case, first to last, and its targets in minutes of `counted`.

    `target` is by when the shopper should be reached; `acknowledge` by when somebody has taken notice, `resolve` by
    when it is done, `warning` how long before `target` whoever answers is reminded; None is not asked for. `rules` are
    the ids of the rules that have had their say in the case.
    """

    target: int
    rungs: tuple[Rung, ...]
    counted: str = Counted.OPEN.value
    acknowledge: int | None = None
    resolve: int | None = None
    warning: int | None = None
    rules: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Policy":
        """The policy that a case was opened with."""
        values = {name: stored[name] for name in ("counted", "acknowledge", "resolve", "warning") if name in stored}
        rungs = tuple(_rung(rung) for rung in stored["rungs"])
        return cls(stored["target"], rungs, rules=tuple(stored.get("rules", ())), **values)

    def is_stricter(self, other: "Policy") -> bool:
        """Whether it gives less time than the other, or the same by night too."""
        return _leniency(self) < _leniency(other)

    def with_warning(self) -> "Policy":
        """With the reminder as a step among the others, which is how a case carries it."""
        if self.warning is None:
            return self
        after = self.target - self.warning
        reminder = Rung(after, (ANSWERING,), StopsOn.CONTACT.value, counted=self.counted)
        return replace(self, rungs=(*self.rungs, reminder))

    def and_tell(self, targets: Iterable[str]) -> "Policy":
        """With one more step that tells these at once."""
        to = tuple(dict.fromkeys(targets))
        return replace(self, rungs=(*self.rungs, Rung(0, to, StopsOn.NEVER.value))) if to else self


def _rung(stored: Mapping[str, Any]) -> Rung:
    if "rise" in stored:  # as cases carry it that were opened before steps named their people
        rise = (ANSWERING, UP, UP_TWO)[stored["rise"]]
        to = (rise, DEPUTY) if stored.get("deputies") else (rise,)
        return Rung(stored["after"], to, stored["stops_on"])
    return Rung(**{**stored, "to": tuple(stored["to"])})


def _leniency(policy: Policy) -> tuple[int, bool]:
    return policy.target, policy.counted != Counted.WALL


def strictest(policies: Iterable[Policy]) -> Policy | None:
    """The one that gives the least time; of equals the one whose clock runs at night too."""
    return min(policies, key=_leniency, default=None)


def parse_policy(stored: object) -> Policy:
    """A policy as it is stored. Raises ValidationError for one that would leave a case without anybody, or that
    cannot be."""
    try:
        if not isinstance(stored, Mapping):
            raise TypeError
        policy = Policy.of(stored)
        _check_shape(policy)
    except (TypeError, KeyError, ValueError, IndexError):
        raise ValidationError(_("This clock cannot be read.")) from None
    _check_sense(policy)
    return policy


def _check_shape(policy: Policy) -> None:
    minutes = [policy.target, policy.acknowledge, policy.resolve, policy.warning]
    minutes += [number for rung in policy.rungs for number in (rung.after, rung.every)]
    if any(isinstance(number, bool) or not isinstance(number, int) for number in minutes if number is not None):
        raise TypeError
    Counted(policy.counted)
    for rung in policy.rungs:
        Counted(rung.counted)
        StopsOn(rung.stops_on)
        if rung.channel not in STEP_CHANNELS or not rung.to or not all(is_target(target) for target in rung.to):
            raise ValueError
    if not 0 < len(policy.rungs) <= MOST_STEPS or any(not 0 <= rung.after <= LONGEST_MINUTES for rung in policy.rungs):
        raise ValueError


def _check_sense(policy: Policy) -> None:
    if not 0 < policy.target <= LONGEST_MINUTES:
        raise ValidationError(_("The shopper should be reached within 1 minute to 30 days."))
    if policy.acknowledge is not None and not 0 < policy.acknowledge <= policy.target:
        raise ValidationError(_("Somebody takes notice before the shopper is reached, not later."))
    if policy.resolve is not None and not policy.target <= policy.resolve <= LONGEST_MINUTES:
        raise ValidationError(_("A case is done after the shopper was reached, not before."))
    if policy.warning is not None and not 0 < policy.warning < policy.target:
        raise ValidationError(_("The reminder comes within the time in which the shopper should be reached."))
    if not any(rung.after == 0 for rung in policy.rungs):
        raise ValidationError(_("One step must tell somebody at once."))
    for rung in policy.rungs:
        if rung.every and (rung.every < SHORTEST_PAUSE or rung.stops_on == StopsOn.NEVER):
            raise ValidationError(_("What is told again pauses for 5 minutes at least, and something must stop it."))


def is_target(target: object) -> bool:
    """Whether this names somebody who can be told."""
    if not isinstance(target, str):
        return False
    kind, colon, key = target.partition(":")
    return target in ROLE_TARGETS if not colon else kind in {PERSON, GROUP} and key.isdecimal() and len(key) < 19


def parse_targets(stored: object) -> tuple[str, ...]:
    """Whom to tell, as it is stored. Raises ValidationError."""
    if not isinstance(stored, list | tuple) or not all(is_target(target) for target in stored):
        raise ValidationError(_("It is not clear whom to tell."))
    return tuple(dict.fromkeys(stored))


def ids_of(targets: Iterable[str], kind: str) -> list[int]:
    """The ids of the persons, or of the groups, among targets."""
    parts = [target.partition(":") for target in targets]
    return [int(key) for of, colon, key in parts if colon and of == kind]
