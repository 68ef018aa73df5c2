"""Real comments through the public page, as shoppers' browsers send them, and what became of them."""

import gzip
import http.client
import json
import random
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

LABELS = ("negative", "neutral", "positive")
_LABEL_OF_STARS = {1: "negative", 2: "negative", 3: "neutral", 4: "positive", 5: "positive"}
_TIMEOUT_SECS = 30
_TRIES = 5
# The share of the unhappy, and of the others, who leave an address.
_WISHES = {"negative": 0.5, "neutral": 0.1, "positive": 0.05}
_REDIRECTS = {301, 302, 303, 307, 308}


class ReplayError(RuntimeError):
    """The pages are not what a shopper's browser could use; the message says which and why."""


@dataclass(frozen=True)
class Comment:
    """One real comment with what its source says it is: a label, or stars that stand for one."""

    text: str
    language: str
    label: str
    stars: int | None = None


@dataclass(frozen=True)
class Sent:
    """A comment whose thank-you page came: `token` is in that page's address."""

    comment: Comment
    token: str
    secs: float


@dataclass
class Outcome:
    """All that was accepted, and what was not, with the reason."""

    sent: list[Sent] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    secs: float = 0


def read_comments(path: Path, *, limit: int | None = None) -> list[Comment]:
    """The comments of a file of JSON lines, gzipped or not; those without words or without a label are left out.

    Raises ValueError with the number of a line that cannot be read.
    """
    found: list[Comment] = []
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if limit is not None and len(found) >= limit:
                break
            try:
                row = json.loads(line)
                stars = int(row["stars"]) if row.get("stars") else None
                label = row.get("label") or (_LABEL_OF_STARS[stars] if stars else "")
                text, language = str(row["text"]).strip(), str(row.get("language", ""))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}, line {number}: {error!r}") from None
            if text and label in LABELS:
                found.append(Comment(text, language, label, stars))
    return found


def send_all(
    comments: Sequence[Comment], *, url: str, codes: Sequence[str], rate: float, workers: int, seed: int = 1
) -> Outcome:
    """Send every comment to some touchpoint, `rate` a second at most, `workers` at the same moment."""
    outcome, lock = Outcome(), threading.Lock()
    local = threading.local()
    run = secrets.token_hex(3)  # so that a second run's shoppers are not taken for the first one's
    began = time.monotonic()

    def send(numbered: tuple[int, Comment]) -> None:
        number, comment = numbered
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        if not hasattr(local, "browser"):
            local.browser = Browser(url)
        rng = random.Random(f"{seed} {number}")
        try:
            sent = _send(
                local.browser, comment, code=rng.choice(codes), rng=rng, mail=f"replay-{run}-{number}@shoppers.example"
            )
        except (ReplayError, OSError, http.client.HTTPException) as error:
            with lock:
                outcome.failures.append(f"{type(error).__name__}: {error}")
        else:
            with lock:
                outcome.sent.append(sent)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(send, enumerate(comments)))
    outcome.secs = time.monotonic() - began
    return outcome


def _send(browser: "Browser", comment: Comment, *, code: str, rng: random.Random, mail: str) -> Sent:
    began = time.monotonic()
    address, page = browser.open(f"/q/{code}/", language=comment.language)
    form = Form.on(page)
    if not form.scores or not form.open_questions:
        raise ReplayError(f"{address} has no form with a score and a question")
    fields = form.hidden | {"score": str(score_for(comment, form.scores, rng)), form.open_questions[0]: comment.text}
    if rng.random() < _WISHES[comment.label]:
        fields |= {"contact": "email", "email": mail}
    landed, _thanks = browser.post(address, fields, language=comment.language)
    token = urlsplit(landed).path.removeprefix("/t/").strip("/")
    if not urlsplit(landed).path.startswith("/t/") or not token:
        raise ReplayError(f"{address} answered with {landed} instead of a thank-you page")
    return Sent(comment, token, time.monotonic() - began)


def score_for(comment: Comment, scores: Sequence[int], rng: random.Random) -> int:
    """A score as somebody would give who wrote this: the happy part of the scale for praise, and so on."""
    if len(scores) > 5:  # 0 to 10
        low, high = {"negative": (0, 6), "neutral": (7, 8), "positive": (9, 10)}[comment.label]
        if comment.stars in (1, 2):
            low, high = ((0, 3), (3, 6))[comment.stars - 1]
    else:
        low, high = {"negative": (1, 2), "neutral": (3, 3), "positive": (4, 5)}[comment.label]
        low, high = (comment.stars, comment.stars) if comment.stars else (low, high)
    return rng.choice([score for score in scores if low <= score <= high])


class Browser:
    """As much of a browser as the pages need: it keeps its connection, follows redirects and repeats what broke.

    Repeating a POST is safe because its form names the submission.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._connection = kind(parts.netloc, timeout=_TIMEOUT_SECS)

    def open(self, path: str, *, language: str) -> tuple[str, str]:
        """The address where a GET ends up, and its page. Raises ReplayError unless that is a success."""
        return self._follow("GET", path, None, language)

    def post(self, address: str, fields: dict[str, str], *, language: str) -> tuple[str, str]:
        """The same for a form."""
        return self._follow("POST", urlsplit(address).path, urlencode(fields).encode(), language)

    def _follow(self, method: str, path: str, body: bytes | None, language: str) -> tuple[str, str]:
        for _hop in range(5):
            status, location, page = self._request(method, path, body, language)
            if status in _REDIRECTS:
                parts = urlsplit(urljoin(self._origin + path, location))
                method, body, path = "GET", None, parts.path + (f"?{parts.query}" if parts.query else "")
                continue
            if status != 200:
                raise ReplayError(f"{method} {path} was answered with {status}")
            return self._origin + path, page
        raise ReplayError(f"{path} redirects for ever")

    def _request(self, method: str, path: str, body: bytes | None, language: str) -> tuple[int, str, str]:
        headers = {"Accept": "text/html", "Accept-Language": language or "en", "User-Agent": "replay"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        for attempt in range(_TRIES):
            try:
                self._connection.request(method, path, body, headers)
                response = self._connection.getresponse()
                page = response.read().decode()
            except (OSError, http.client.HTTPException):
                self._connection.close()  # the next request opens it again
                if attempt == _TRIES - 1:
                    raise
            else:
                if response.status != 503 or attempt == _TRIES - 1:
                    return response.status, response.getheader("Location") or "", page
            time.sleep(0.1 * 2**attempt)
        raise AssertionError("unreachable")


class Form(HTMLParser):
    """The fields of the page's form: hidden ones with their values, the scores to choose from, the open questions."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.scores: list[int] = []
        self.open_questions: list[str] = []

    @classmethod
    def on(cls, page: str) -> "Form":
        form = cls()
        form.feed(page)
        return form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name = found.get("name", "")
        if tag == "textarea":
            self.open_questions.append(name)
        elif tag == "input" and found.get("type") == "hidden":
            self.hidden[name] = found.get("value", "")
        elif tag == "input" and found.get("type") == "radio" and name == "score":
            self.scores.append(int(found["value"]))


def codes_of(path: Path) -> list[str]:
    """The touchpoints' codes in what `demo_data` wrote. Raises ReplayError when there is no such file."""
    try:
        facts: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise ReplayError(f"{path} is not there: start the demo first (make demo), or name --codes.") from None
    return [spot["code"] for spot in facts["touchpoints"]]


def parts_of(items: Sequence[str], size: int) -> Iterator[list[str]]:
    """Pieces of a long list for one statement each."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
