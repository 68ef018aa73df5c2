"""Links for many who were let in and have not joined yet, as a long job: to those that nobody has written to, and to
those whose link opens nothing any more."""

from collections.abc import Collection, Iterator

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext, override

from core.jobs import JobFailed, register_job, start_job
from core.models import Job
from stores.models import StaffInvitation, User
from stores.people import PeopleActionRefused, send_invitation
from stores.queries import roles_of
from stores.standing import people_visible_to

KIND = "invitations"
PEOPLE_PER_STEP = 50


def waiting(viewer: User) -> QuerySet[User]:
    """Those that this person knows of who are let in, have not joined and hold no link that opens anything."""
    links = StaffInvitation.objects.filter(user=OuterRef("pk"), accepted_at=None, revoked_at=None)
    return invited(viewer).exclude(Exists(links.filter(expires_at__gt=timezone.now())))


def invited(viewer: User) -> QuerySet[User]:
    """All that this person knows of who are let in and have not joined."""
    return people_visible_to(viewer).filter(~Q(pk=viewer.pk), is_active=False, left_at=None)


def start_inviting(people: Collection[int], *, owner: User, back_url: str) -> Job:
    """Have each of these people sent a link."""
    said = ngettext("Link for %(count)s person", "Links for %(count)s people", len(people))
    return start_job(
        KIND,
        owner=owner.pk,
        title=said % {"count": len(people)},
        params={"people": sorted(people), "language": owner.language or get_language()},
        back_url=back_url,
    )


def invite(job: Job) -> Iterator[None]:
    """Some people a step; begun anew, it goes on after the last. Who has a link by then is passed over."""
    ids: list[int] = job.params["people"]
    job.total, job.cursor = len(ids), job.cursor or {"sent": 0}
    while job.done < len(ids):
        batch = ids[job.done : job.done + PEOPLE_PER_STEP]
        with override(job.params["language"]):
            owner = User.objects.get(pk=job.owner)
            if not owner.is_active:
                raise JobFailed(gettext("Stopped: whoever asked for it has left."))
            roles_of(owner)  # read once for all of them
            sent = job.cursor["sent"] + sum(_sent(person, owner) for person in waiting(owner).filter(pk__in=batch))
            job.note = ngettext("%(n)d link is on its way.", "%(n)d links are on their way.", sent) % {"n": sent}
        job.cursor = {"sent": sent}
        job.done += len(batch)
        yield


def _sent(person: User, owner: User) -> bool:
    """Whether they were the owner's to write to."""
    try:
        send_invitation(person, actor=owner)
    except PeopleActionRefused:
        return False
    return True


register_job(KIND, invite)
