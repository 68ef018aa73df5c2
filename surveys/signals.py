"""What surveys tells the rooms below it. Receivers run inside the submission's transaction."""

from django.dispatch import Signal

# Sent before the transaction that stores an answer begins: what a room wants to know then need not be asked within:
# its receiver returns it.
answer_comes = Signal()

# Sent with `response` (surveys.models.Response), `corrected` (bool: answers of a known response were changed) and, of a
# new one, `verbatims` (its surveys.models.Verbatim, which nobody need ask the database for) and `ahead` (what each
# receiver of `answer_comes` returned for this very answer, by receiver).
# A receiver that fails undoes the submission: what may fail belongs into a savepoint of the receiver's own.
response_saved = Signal()

# Sent with `days`, a set of (store id, local day): what is counted of them has changed, by nothing a shopper sent.
days_changed = Signal()

# Sent with `response` after its words and identities were blanked.
response_erased = Signal()
