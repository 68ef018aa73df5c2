"""A chain set up from a file: read (`sheets`), compared with what there is (`plan`), carried out (`carry_out`)."""
