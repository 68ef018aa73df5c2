"""How often a process that serves pages looks for garbage."""

import gc

# A page about thousands of stores makes tens of thousands of rows, none of which is garbage before it is written:
# Python would look through what is new after every 700.
_NEW_OBJECTS = 20_000


def settle() -> None:
    """Leave out of every search for garbage what is loaded now, and search seldom.

    What is loaded stays for good, and all of Django would be looked through each time:
    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
