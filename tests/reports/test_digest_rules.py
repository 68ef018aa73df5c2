"""Figures that head office has sent to everybody of a role: each their own place, and who wants none gets none."""

import io

from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from messaging.models import Message
from reports.digest_rules import begin_rule, follow, follow_all
from reports.digests import render_digest, subscribe
from reports.models import Digest, DigestRule, Rhythm
from reports.periods import Week
from stores.choices import Role
from stores.models import RoleAssignment
from tests.factories import make_user
from tests.reports.makers import answer
from tests.reports.test_wall import TODAY

PAGE = "/reports/digests/"


def people(rule: DigestRule) -> set[tuple[str, str]]:
    digests = rule.digests.filter(run_at__isnull=False).select_related("user", "node", "store")
    return {(one.user.email, (one.store or one.node).name) for one in digests}  # type: ignore[union-attr]


def test_head_office_schedules_for_a_role_and_each_gets_their_own_place(client: Client, chain) -> None:
    client.force_login(chain.head_office)
    sent = {"rule": Role.STORE_MANAGER, "node": chain.root.pk, "rhythm": Rhythm.WEEKLY}
    assert client.post(PAGE, sent).status_code == 302
    rule = DigestRule.objects.get()
    assert people(rule) == {(chain.manager.email, "Kyiv One"), (chain.foreign_manager.email, "Lviv One")}
    zones = {one.store.code: one.run_at for one in rule.digests.all() if one.store}
    assert zones["KY1"] is not None
    # Who comes later gets it too, who goes no more; who asked for the same themselves gets it once.
    late = make_user(email="late@example.com", role=Role.STORE_MANAGER, store=chain.neighbour)
    subscribe(late, Rhythm.WEEKLY, store=chain.neighbour)
    RoleAssignment.objects.filter(user=chain.foreign_manager).delete()
    follow_all()
    assert people(rule) == {(chain.manager.email, "Kyiv One")}
    assert late.digests.count() == 1
    # Others are told of by who may see them alone.
    page = client.get(PAGE).content.decode()
    assert "Store manager · Chain" in page
    for other in (chain.area_manager, chain.manager):
        client.force_login(other)
        assert "Store manager · Chain" not in client.get(PAGE).content.decode()
        assert client.post(PAGE, sent).status_code == 404
        assert client.post(PAGE, {"end_rule": rule.pk}).status_code == 404
    client.force_login(chain.head_office)
    client.post(PAGE, {"end_rule": rule.pk})
    assert [one.user for one in Digest.objects.all()] == [late]


def test_who_ends_it_is_left_in_peace_until_they_want_it_again(client: Client, chain) -> None:
    rule = begin_rule(Role.AREA_MANAGER, chain.root, Rhythm.MONTHLY, by=chain.head_office)
    (digest,) = rule.digests.filter(user=chain.area_manager)
    client.force_login(chain.area_manager)
    client.post(PAGE, {"end": digest.pk})
    follow_all()
    digest.refresh_from_db()
    assert digest.run_at is None
    assert render_digest(Message(subject_id=f"{digest.pk}:{Week.of(TODAY)}")) is None
    assert "ended by you" in client.get(PAGE).content.decode()
    client.post(PAGE, {"place": f"node:{chain.area.pk}", "rhythm": Rhythm.MONTHLY})
    digest.refresh_from_db()
    assert digest.run_at is not None


def test_ones_own_wish_stands_above_what_a_rule_says(client: Client, chain) -> None:
    own = subscribe(chain.area_manager, Rhythm.WEEKLY, node=chain.area)
    rule = begin_rule(Role.AREA_MANAGER, chain.root, Rhythm.WEEKLY, by=chain.head_office)
    client.force_login(chain.area_manager)
    client.post(PAGE, {"end": own.pk})
    follow_all()
    assert not chain.area_manager.digests.filter(run_at__isnull=False).exists()
    # What they ask for on top of a rule outlives it.
    (sent,) = rule.digests.filter(user=chain.foreign_area_manager)
    assert subscribe(chain.foreign_area_manager, Rhythm.WEEKLY, node=sent.node) == sent
    follow_all()
    DigestRule.objects.all().delete()
    assert Digest.objects.get(run_at__isnull=False) == sent


def test_a_rule_that_is_gone_by_now_gives_nobody_anything(chain) -> None:
    rule = begin_rule(Role.AREA_MANAGER, chain.root, Rhythm.WEEKLY, by=chain.head_office)
    DigestRule.objects.filter(pk=rule.pk).delete()
    follow(rule)
    assert not Digest.objects.exists()


def test_what_it_says_is_for_whoever_runs_the_place(chain) -> None:
    last = Week.of(TODAY) + -1
    answer(chain.touchpoint, 10, day=last.sunday, times=30)

    def issue(role: Role) -> tuple[str, str]:
        (digest,) = begin_rule(role, chain.root, Rhythm.WEEKLY, by=chain.head_office).digests.filter(
            user__in=[chain.manager, chain.area_manager, chain.head_office]
        )
        found = render_digest(Message(subject_id=f"{digest.pk}:{last}"))
        assert found
        pdf = PdfReader(io.BytesIO(found.attachments[0].content))
        return found.text, "".join(page.extract_text() for page in pdf.pages)

    text, paper = issue(Role.STORE_MANAGER)
    assert reverse("store_view", args=["KY1"]) in text and "Week by week" in paper and "Place by place" not in paper
    text, paper = issue(Role.AREA_MANAGER)
    assert reverse("report_stores") in text and "Stores in their order" in paper and "1–1 · Kyiv One" in paper
    text, paper = issue(Role.HEAD_OFFICE)
    assert f"{reverse('reports')}?node=" in text and "Place by place" in paper
