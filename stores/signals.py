"""What happens to the tree, for the rooms below that keep something by it."""

from django.dispatch import Signal

# Stores lie elsewhere now, or under another name: `store_ids`. Sent within the transaction that moves them.
stores_moved = Signal()
