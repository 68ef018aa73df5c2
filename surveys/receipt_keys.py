"""The keys by which the tills of a store sign survey links: made, used no more, or taken back, each on record."""

from django.db import transaction
from django.utils import timezone

from core.tokens import receipt_key
from stores.choices import ChangeKind
from stores.models import Store, User
from stores.recording import change, record
from surveys.models import ReceiptKey

WHAT = "till_key"


class AlreadyMade(Exception):
    """Somebody else made a key for the store in the meantime."""


@transaction.atomic
def make_key(store: Store, actor: User | None, *, seen: str | None = None) -> tuple[ReceiptKey, str]:
    """A new key and its secret, which is told only now. The keys before it stay in use until somebody ends them: what
    a till signs with one after its end is worth nothing.

    `seen` is the newest key that was there when it was asked for ("" for none), so that nothing is made twice; None
    does not mind. Raises AlreadyMade.
    """
    Store.objects.select_for_update(of=("self",)).get(pk=store.pk)
    if seen is not None and newest_key(store) != seen:
        raise AlreadyMade
    key_id, secret = receipt_key()
    made = ReceiptKey.objects.create(store=store, key_id=key_id, secret=secret)
    record(change(store, actor=actor, what=WHAT, kind=ChangeKind.CREATED, new={"key": key_id}))
    return made, secret


def newest_key(store: Store) -> str:
    """The name of the key that was made last; "" without one."""
    return store.receipt_keys.order_by("-pk").values_list("key_id", flat=True).first() or ""


@transaction.atomic
def end_key(key: ReceiptKey, actor: User | None) -> bool:
    """No till uses it any more; receipts of before stay good. False when it was so already."""
    found = ReceiptKey.objects.filter(pk=key.pk, ended_at=None, revoked_at=None)
    return _done(key, actor, found.update(ended_at=timezone.now()), "ended")


@transaction.atomic
def revoke_key(key: ReceiptKey, actor: User | None) -> bool:
    """Somebody else may know it: all its receipts are worth nothing from now on. False when it was so already."""
    return _done(
        key, actor, ReceiptKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()), "revoked"
    )


def _done(key: ReceiptKey, actor: User | None, changed: int, state: str) -> bool:
    if changed:
        record(
            change(key.store, actor=actor, what=WHAT, old={"key": key.key_id}, new={"key": f"{key.key_id}: {state}"})
        )
    return bool(changed)
