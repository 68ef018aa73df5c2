"""What makes a password one that is guessed. No rules about its characters: any, and as many as one likes."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

from stores.models import User

# zxcvbn looks no further, and nothing this long is guessed for what follows.
_LOOKED_AT = 72
_FEWEST_GUESSES = 1e10


class GuessableValidator:
    """Refuses what a guesser with lists of stolen passwords, words, names and keyboard rows reaches soon.

    The chain's name and the person's own words count as known to the guesser. The lists are zxcvbn's, on this machine
    (Wheeler, "zxcvbn: low-budget password strength estimation", 2016).
    """

    def validate(self, password: str, user: User | None = None) -> None:
        known = [*settings.CHAIN_NAME.split(), "halfhour"]
        if user is not None:
            known += [user.email, *user.email.replace("@", ".").split("."), *user.name.split()]
        if zxcvbn(password[:_LOOKED_AT], user_inputs=known)["guesses"] < _FEWEST_GUESSES:
            raise ValidationError(
                _(
                    "This is guessed quickly: it is on lists of stolen passwords, or made of such words, names, "
                    "repetitions or keyboard rows. A few words that have nothing to do with each other are better."
                ),
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        return _("A few words that have nothing to do with each other are easy to remember and hard to guess.")
