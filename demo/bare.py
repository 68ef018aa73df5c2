"""The reference of the CPU figures: the same form by a bare Django view, without middleware, on the same database."""

import os
from typing import Protocol

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import Context, Engine
from django.urls import path

from demo.site import Answer

_PAGE = Engine().from_string(
    "<!doctype html><html lang=en><head><title>{{ store }}</title><style>body{font:16px sans-serif}</style></head>"
    "<body>"
    "<h1>{{ store }}</h1><form method=post><fieldset><legend>How likely is it?</legend>"
    "{% for value in scale %}<label><input type=radio name=score value={{ value }}>{{ value }}</label>{% endfor %}"
    "</fieldset><textarea name=reason></textarea>"
    "{% for way in ways %}<label><input type=radio name=contact value={{ way }}>{{ way }}</label>{% endfor %}"
    "<button>Send</button></form></body></html>"
)
_THANKS = Engine().from_string("<!doctype html><title>Thanks</title><h1>Thank you for {{ score }}</h1>")


def make_table() -> None:
    """The two tables of the reference."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bare_store (code text PRIMARY KEY, name text)")
        cursor.execute("INSERT INTO bare_store VALUES ('B', 'Bench One') ON CONFLICT DO NOTHING")
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS bare_response (id bigserial PRIMARY KEY, store text, score int, reason text,"
            " contact text, at timestamptz DEFAULT now())"
        )


def question(request: HttpRequest, code: str) -> HttpResponse:
    with connection.cursor() as cursor:
        if request.method == "POST":
            cursor.execute(
                "INSERT INTO bare_response (store, score, reason, contact) VALUES (%s, %s, %s, %s) RETURNING id",
                [code, int(request.POST["score"]), request.POST["reason"], request.POST["contact"]],
            )
            return HttpResponseRedirect(f"/thanks/{cursor.fetchone()[0]}/")
        cursor.execute("SELECT name FROM bare_store WHERE code = %s", [code])
        store = cursor.fetchone()[0]
    ways = ["none", "call", "text", "email"]
    return HttpResponse(_PAGE.render(Context({"store": store, "scale": range(11), "ways": ways})))


def thanks(request: HttpRequest, number: int) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT score FROM bare_response WHERE id = %s", [number])
        return HttpResponse(_THANKS.render(Context({"score": cursor.fetchone()[0]})))


urlpatterns = [path("bare/<str:code>/", question), path("thanks/<int:number>/", thanks)]


def application() -> WSGIHandler:
    """The reference as a WSGI application, in a process that serves nothing else."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback.settings")
    django.setup()
    settings.ROOT_URLCONF, settings.MIDDLEWARE = __name__, []
    return WSGIHandler()


class Server(Protocol):
    """What answers a shopper."""

    def get(self, address: str) -> Answer: ...
    def post(self, address: str, fields: dict[str, str]) -> Answer: ...


def ask(site: Server) -> None:
    """One page."""
    if site.get("/bare/B/").status != 200:
        raise RuntimeError("the bare page failed")


def answer(site: Server) -> None:
    """One complete response: page, form, thank-you page."""
    ask(site)
    sent = site.post("/bare/B/", {"score": "9", "reason": "Friendly and quick.", "contact": "none"})
    if site.get(sent.headers["location"]).status != 200:
        raise RuntimeError("the bare form failed")
