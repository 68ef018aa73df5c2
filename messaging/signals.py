"""What happens in this room that rooms below it want to know."""

from django.dispatch import Signal

# `message` goes out by another channel, `instead_of` one that failed. Sent inside the transaction that adds it.
stood_in = Signal()
