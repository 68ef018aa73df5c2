"""What happens to the tree and to people, for the rooms below. Receivers run inside the transaction of the change."""

from django.dispatch import Signal

# Stores lie elsewhere in the tree: `store_ids`. Sent within the transaction that moves them. Reports need nothing of it
# as long as they sum the stores' own cells by the tree of today; whoever keeps sums by place has to listen.
stores_moved = Signal()
# Somebody is to be written a link to join by: `invitation` (stores.models.StaffInvitation).
invitation_made = Signal()
# Somebody has left or lost a role: `person` (stores.models.User), `actor` (or None). What they can no longer reach
# needs somebody else.
reach_lost = Signal()
