"""What surveys tells the rooms below it. Receivers run inside the submission's transaction."""

from django.dispatch import Signal

# Sent with `response` (surveys.models.Response) and `corrected` (bool: answers of a known response were changed).
# A receiver that fails undoes the submission: what may fail belongs into a savepoint of the receiver's own.
response_saved = Signal()

# Sent with `response` after its words and identities were blanked.
response_erased = Signal()
