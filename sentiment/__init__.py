import os

# Before numpy is imported. Its small products gain nothing from more threads, and on a busy machine threads that spin
# for one another made fitting seventy times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
