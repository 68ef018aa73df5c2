"""Links for many who were let in and have not joined yet: for those that nobody has written to, and for those whose
link opens nothing any more."""

from collections.abc import Collection, Iterator

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import ngettext

from core.jobs import register_job
from core.models import Job
from stores.many import in_steps, start_many
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
    """Have each of these people sent a link, but for those who have one by then."""
    said = ngettext("Link for %(count)s person", "Links for %(count)s people", len(people))
    return start_many(KIND, sorted(people), owner=owner, title=said % {"count": len(people)}, back_url=back_url)


def invite(job: Job) -> Iterator[None]:
    def do(owner: User, ids: list[int]) -> int:
        roles_of(owner)  # read once for all of them
        # Held before it is asked who waits: who is asked for by two jobs at the same moment is written to once.
        list(User.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
        return sum(_sent(person, owner) for person in waiting(owner).filter(pk__in=ids))

    return in_steps(job, size=PEOPLE_PER_STEP, do=do, say=_sent_in_all)


def _sent(person: User, owner: User) -> bool:
    """Whether they were the owner's to write to."""
    try:
        send_invitation(person, actor=owner)
    except PeopleActionRefused:
        return False
    return True


def _sent_in_all(sent: int, _people: int) -> str:
    return ngettext("%(n)d link is on its way.", "%(n)d links are on their way.", sent) % {"n": sent}


register_job(KIND, invite)
