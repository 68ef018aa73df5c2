"""What alerts tells the rooms below it. Receivers run inside the transaction of the change."""

from django.dispatch import Signal

# Sent with `case` (alerts.models.Case) after any change of it.
case_changed = Signal()
