"""The WSGI entry that gunicorn serves: `feedback.wsgi:application`."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")
application = get_wsgi_application()
# What is loaded stays: a page that makes tens of thousands of rows must not have all of Django looked through for
# garbage each time, which took a third of a ranking. https://docs.python.org/3/library/gc.html#gc.freeze
list(get_resolver().url_patterns)  # loads every page
gc.collect()
gc.freeze()
