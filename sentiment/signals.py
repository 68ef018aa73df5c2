"""What sentiment tells the rooms below it. Receivers run inside the transaction that stores the reading."""

from django.dispatch import Signal

# Sent with `analysis` (sentiment.models.Analysis): a model has read the words. Rules are judged on it.
verbatim_analysed = Signal()
# Sent with `analysis`, which holds the person's word already, `correction` (sentiment.models.Correction) and `raised`:
# whether the person has just made it negative or urgent, so that somebody may want a case. Rules are not judged.
reading_corrected = Signal()
# Sent with `analyses` (a list, with their responses): another model's readings of old words took the place of what
# was live. Only what is counted follows; nobody is alarmed about last month.
readings_replaced = Signal()
