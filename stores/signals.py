"""What happens to the tree and to people, for the rooms below. Receivers run inside the transaction of the change."""

from django.dispatch import Signal

# Stores lie elsewhere in the tree: `store_ids`, and `nodes`, the ids of those right below which something is missing or
# has been added. Sent within the transaction that moves them.
stores_moved = Signal()
# Somebody is to be written a link to join by: `invitation` (stores.models.StaffInvitation).
invitation_made = Signal()
# Another address was entered for somebody: `change` (stores.models.AddressChange). Both addresses are to be written to.
address_entered = Signal()
# Somebody has left or lost a role: `person` (stores.models.User), `actor` (or None). What they can no longer reach
# needs somebody else.
reach_lost = Signal()
