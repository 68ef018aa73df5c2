"""Digests that head office has sent to everybody who holds a role: each gets the figures of their own place."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from reports.digests import issue_from, sent_at
from reports.models import Digest, DigestRule, Rhythm
from reports.periods import Week
from stores.models import Node, RoleAssignment, Store, User
from stores.queries import commonest_zone

# Whom, and of which place: a node or a store.
_Whom = tuple[int, int | None, int | None]


def begin_rule(role: str, node: Node, rhythm: Rhythm, *, by: User) -> DigestRule:
    """Have these people get their figures from the week that is running on; asked for twice it is one rule."""
    made = {"made_by": by}
    rule = DigestRule.objects.get_or_create(role=role, node=node, rhythm=rhythm, defaults=made)[0]
    follow(rule)
    return rule


def follow_all() -> None:
    """Follow people who came, went or moved, rule by rule."""
    for rule in DigestRule.objects.select_related("node").order_by("pk"):
        follow(rule)


@transaction.atomic
def follow(rule: DigestRule) -> None:
    """Give everybody whom the rule is about their digest, and take it from who holds the role there no more.

    Who has asked for the same themselves gets it once. Who has ended what a rule began is left in peace.
    """
    if DigestRule.objects.select_for_update().filter(pk=rule.pk).first() is None:
        return  # Head office has just ended it.
    wanted = _people(rule)
    known = {(one.user_id, one.node_id, one.store_id): one.pk for one in rule.digests.all()}
    rule.digests.filter(pk__in=[pk for whom, pk in known.items() if whom not in wanted]).delete()
    rhythm, now = Rhythm(rule.rhythm), timezone.now()
    Digest.objects.bulk_create(
        [
            _digest(rule, whom, rhythm, zone, now)
            for whom, zone in sorted(wanted.items(), key=lambda one: one[0][0])
            if whom not in known
        ],
        batch_size=1000,
        ignore_conflicts=True,
    )


def _digest(rule: DigestRule, whom: _Whom, rhythm: Rhythm, zone: ZoneInfo, now: datetime) -> Digest:
    user, node, store = whom
    week = issue_from(rhythm, Week.of(now.astimezone(zone).date()))
    return Digest(
        rule=rule,
        user_id=user,
        rhythm=rhythm,
        node_id=node,
        store_id=store,
        monday=week.monday,
        run_at=sent_at(zone, week),
    )


def _people(rule: DigestRule) -> dict[_Whom, ZoneInfo]:
    """Whom the rule is about, and the zone of their place."""
    below = Q(node__path__startswith=rule.node.path) | Q(
        store__node__path__startswith=rule.node.path, store__retired_at=None
    )
    held = RoleAssignment.objects.filter(below, role=rule.role, user__is_active=True).exclude(user__email="")
    found: dict[_Whom, ZoneInfo] = {}
    zones: dict[int, ZoneInfo] = {}
    for one in held.select_related("node", "store"):
        if one.store:
            zone = ZoneInfo(one.store.time_zone)
        else:
            assert one.node
            zone = zones.get(one.node.pk) or _zone_under(one.node)
            zones[one.node.pk] = zone
        found[one.user_id, one.node_id, one.store_id] = zone
    return found


def _zone_under(node: Node) -> ZoneInfo:
    stores = Store.objects.filter(node__path__startswith=node.path, retired_at=None)
    return commonest_zone(stores) or ZoneInfo(settings.TIME_ZONE)
