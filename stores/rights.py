"""What somebody may do, told to the long jobs: a file that one's roles have made is closed once one of them is gone."""

from core.jobs import register_rights
from stores.models import RoleAssignment


def rights_of(user_id: int) -> list[str]:
    """A word for each role at each place."""
    held = RoleAssignment.objects.filter(user=user_id).order_by("pk").values_list("role", "store", "node")
    return [f"{role} at store {store}" if store else f"{role} at node {node}" for role, store, node in held]


register_rights(rights_of)
