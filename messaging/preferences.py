"""By which channels members of staff are told."""

from collections.abc import Iterable

from core.quick import ask
from messaging.choices import Channel
from messaging.models import AlertPreference
from stores.models import User

# What a person who has chosen nothing is told by, the first that there is.
_USUAL = (Channel.PUSH, Channel.EMAIL, Channel.SMS)


# Asked for every case inside the submission.
_WAYS = """
    SELECT u.id, EXISTS (SELECT FROM messaging_pushdevice d WHERE d.user_id = u.id AND d.gone_at IS NULL), p.channels
    FROM stores_user u LEFT JOIN messaging_alertpreference p ON p.user_id = u.id WHERE u.id = ANY(%s::bigint[])
"""


def channels_of(users: Iterable[User]) -> dict[int, list[Channel]]:
    """For each user's id the channels that reach them now, the first choice first; in one query.

    Empty for an account without any address. Somebody whose chosen channels are all gone is told by what is left.
    """
    wanted = {user.pk: user for user in users}
    if not wanted:
        return {}
    found: dict[int, list[Channel]] = {}
    for pk, takes_push, chosen in ask(_WAYS, [list(wanted)]):
        user = wanted[pk]
        there = {Channel.PUSH: takes_push, Channel.EMAIL: bool(user.email), Channel.SMS: bool(user.phone)}
        order = dict.fromkeys([*(Channel(one) for one in chosen or () if one in there), *_USUAL])
        found[pk] = [channel for channel in order if there[channel]]
    return found


def set_channels(user: User, channels: list[str]) -> None:
    """Keep the order in which somebody wants to be told; unknown words are left out."""
    known = [channel for channel in dict.fromkeys(channels) if channel in _USUAL]
    AlertPreference.objects.update_or_create(user=user, defaults={"channels": known})
