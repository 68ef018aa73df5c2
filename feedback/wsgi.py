"""The WSGI entry that gunicorn serves: `feedback.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from core.garbage import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")
application = get_wsgi_application()
list(get_resolver().url_patterns)  # loads every page
settle()
