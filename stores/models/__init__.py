"""The chain's tree, its stores, their hours and touchpoints, and the people who answer for them."""

from stores.models.changes import ConfigChange
from stores.models.devices import Device, Pin
from stores.models.hours import HoursException, OpeningInterval
from stores.models.imports import StoreImport
from stores.models.people import Absence, AddressChange, PersonEvent, RoleAssignment, StaffInvitation, User, UserManager
from stores.models.security import Allowance, Identity, SecurityEvent, StaffSession
from stores.models.touchpoints import FormerCode, Touchpoint
from stores.models.tree import Node, Store, TreeError, lock_tree

__all__ = [
    "Absence",
    "AddressChange",
    "Allowance",
    "ConfigChange",
    "Device",
    "FormerCode",
    "HoursException",
    "Identity",
    "Node",
    "OpeningInterval",
    "PersonEvent",
    "Pin",
    "RoleAssignment",
    "SecurityEvent",
    "StaffInvitation",
    "StaffSession",
    "Store",
    "StoreImport",
    "Touchpoint",
    "TreeError",
    "User",
    "UserManager",
    "lock_tree",
]
