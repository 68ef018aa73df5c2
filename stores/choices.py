"""The words of the store tree."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class NodeKind(models.TextChoices):
    CHAIN = "chain", _("Chain")
    BRAND = "brand", _("Brand")
    COUNTRY = "country", _("Country")
    REGION = "region", _("Region")
    AREA = "area", _("Area")


class StoreKind(models.TextChoices):
    SHOP = "shop", _("Store")
    CALL_CENTRE = "call_centre", _("Call centre")


class HolidayRule(models.TextChoices):
    """What a store does on the public holidays of its place."""

    OPEN = "open", _("Open as usual")
    CLOSED = "closed", pgettext_lazy("on public holidays", "Closed")


class ChangeKind(models.TextChoices):
    """What was done to something of the configuration."""

    CREATED = "created", _("Created")
    CHANGED = "changed", _("Changed")
    MOVED = "moved", _("Moved")
    RETIRED = "retired", _("Retired")
    RESTORED = "restored", _("Restored")
    ROTATED = "rotated", _("New code")


class TouchpointKind(models.TextChoices):
    TILL = "till", _("Till")
    FITTING_ROOM = "fitting_room", _("Fitting room")
    EXIT = "exit", _("Exit")
    SERVICE_DESK = "service_desk", _("Service desk")
    RECEIPT = "receipt", _("Receipt")
    CALL = "call", _("Call")


class Role(models.TextChoices):
    STORE_MANAGER = "store_manager", _("Store manager")
    DEPUTY = "deputy", _("Deputy manager")
    AREA_MANAGER = "area_manager", _("Area manager")
    HEAD_OFFICE = "head_office", _("Head office")
    CALL_CENTRE_LEAD = "call_centre_lead", _("Call-centre lead")
    OPERATOR = "operator", _("Operator")


# Roles that answer for one store; the others hold for a node and everything under it.
STORE_ROLES = {Role.STORE_MANAGER, Role.DEPUTY, Role.CALL_CENTRE_LEAD}
# Roles that read shoppers' words and act on cases. An operator runs the installation and reads neither.
CASE_ROLES = {Role.STORE_MANAGER, Role.DEPUTY, Role.AREA_MANAGER, Role.HEAD_OFFICE, Role.CALL_CENTRE_LEAD}
REPORT_ROLES = CASE_ROLES
# Roles that decide what is done about a cause of bad visits, and who does it by when; others read it and write notes.
ACTION_ROLES = CASE_ROLES - {Role.DEPUTY}


class SecurityEventKind(models.TextChoices):
    """What is noted about accounts and their doors."""

    SIGNED_IN = "signed_in", _("Signed in")
    SIGNED_OUT = "signed_out", _("Signed out")
    WRONG_PASSWORD = "wrong_password", _("Wrong password")
    WRONG_CODE = "wrong_code", _("Wrong second factor")
    TOO_MANY_TRIES = "too_many_tries", _("Too many tries")
    ACCOUNT_CLOSED = "account_closed", _("Tried to enter a closed account")
    SINGLE_SIGN_ON_REFUSED = "sso_refused", _("Single sign-on refused")
    IDENTITY_BOUND = "identity_bound", _("Bound to single sign-on")
    CONFIRMED = "confirmed", _("Confirmed who they are")
    PASSWORD_CHANGED = "password_changed", _("Password changed")
    PASSWORD_RESET = "password_reset", _("Password chosen anew by e-mail")
    ADDRESS_CHANGED = "address_changed", _("E-mail address changed")
    FACTOR_ADDED = "factor_added", _("Second factor added")
    FACTOR_REMOVED = "factor_removed", _("Second factor removed")
    RECOVERY_CODES_MADE = "recovery_codes_made", _("Recovery codes made")
    RECOVERY_CODE_USED = "recovery_code_used", _("Recovery code used")
    SESSIONS_ENDED = "sessions_ended", _("Sessions ended")
    PERSONAL_FILE = "personal_file", _("File with names and contacts made")
    AGENT_FORGOTTEN = "agent_forgotten", _("Name of an agent taken off calls")


class PersonState(models.TextChoices):
    ACTIVE = "active", _("Active")
    INVITED = "invited", _("Invited")
    LEFT = "left", _("Has left")


class PersonEventKind(models.TextChoices):
    INVITED = "invited", _("Invited")
    LINK_SENT = "link_sent", _("Link sent")
    LINK_REVOKED = "link_revoked", _("Link withdrawn")
    JOINED = "joined", _("Joined")
    DETAILS = "details", _("Details changed")
    ADDRESS_ENTERED = "address_entered", _("New e-mail address entered")
    ADDRESS_WITHDRAWN = "address_withdrawn", _("New e-mail address withdrawn")
    ADDRESS_CHANGED = "address_changed", _("E-mail address changed")
    ROLE_GIVEN = "role_given", _("Role given")
    ROLE_TAKEN = "role_taken", _("Role taken")
    AWAY = "away", _("Absence entered")
    BACK = "back", _("Absence taken back")
    DEVICE_ENROLLED = "device_enrolled", _("Phone enrolled")
    DEVICE_ENDED = "device_ended", _("Phone ended")
    PIN_SET = "pin_set", _("PIN set")
    PIN_REMOVED = "pin_removed", _("PIN removed")
    LEFT = "left", _("Left")
    RETURNED = "returned", _("Came back")


# What of a person can be changed by itself, as the history names it.
DETAILS = {"name": pgettext_lazy("of a person", "Name"), "phone": _("Phone"), "language": _("Language")}


class DeviceEnd(models.TextChoices):
    """Why a device opens nothing any more."""

    OWNER = "owner", _("ended by its owner")
    SUPERIOR = "superior", _("ended by somebody else")
    SIGNED_OUT = "signed_out", _("signed out")
    PASSWORD = "password", _("password changed")
    ADDRESS = "address", _("e-mail address changed")
    ROLES = "roles", _("role taken")
    LEFT = "left", _("left")
    COPIED = "copied", _("used from two browsers")
    REPLACED = "replaced", _("enrolled again")


class ImportState(models.TextChoices):
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked")
    IMPORTING = "importing", _("Being carried out")
    IMPORTED = "imported", _("Carried out")
