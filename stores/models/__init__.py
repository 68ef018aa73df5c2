"""The chain's tree, its stores, their hours and touchpoints, and the people who answer for them."""

from stores.models.changes import ConfigChange
from stores.models.hours import HoursException, OpeningInterval
from stores.models.people import RoleAssignment, User, UserManager
from stores.models.touchpoints import Touchpoint
from stores.models.tree import Node, Store, TreeError, lock_tree

__all__ = [
    "ConfigChange",
    "HoursException",
    "Node",
    "OpeningInterval",
    "RoleAssignment",
    "Store",
    "Touchpoint",
    "TreeError",
    "User",
    "UserManager",
    "lock_tree",
]
