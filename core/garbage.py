"""How often a process that serves pages looks for garbage."""

import gc

# A page about thousands of stores makes tens of thousands of rows, none of which is garbage before it is written:
# Python would look through them after every 700.
_ROWS = 20_000


def settle() -> None:
    """Leave out of every search for garbage what is loaded now, and search seldom. A region's page takes a sixth less.

    What is loaded stays for good, and all of Django would be looked through each time:
    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ROWS, *gc.get_threshold()[1:])
