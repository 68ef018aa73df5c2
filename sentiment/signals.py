"""What sentiment tells the rooms below it. Receivers run inside the transaction that stores the reading."""

from django.dispatch import Signal

# Sent with `analysis` (sentiment.models.Analysis).
verbatim_analysed = Signal()
