"""The catcher answers the real clients as the real services do, failures included."""

import json
import signal
import smtplib
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from urllib.request import Request, urlopen

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from core.database import process_environment
from messaging.catcher import Catcher, Caught, Trouble
from messaging.choices import Channel
from tests.threads import PATIENCE_SECS

ACCOUNT = ("AC" + "0" * 32, "token")
TO, FROM = "+491701234567", "+15005550006"


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with Catcher(account=ACCOUNT) as running:
        yield running


def twilio(catcher: Catcher, *, account: tuple[str, str] = ACCOUNT, timeout: float = PATIENCE_SECS) -> Client:
    client = Client(*account, http_client=TwilioHttpClient(timeout=timeout))
    client.api.base_url = catcher.sms_url
    return client


def send_mail(catcher: Catcher, *to: str, html: str = "", timeout: float = PATIENCE_SECS) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Chain <feedback@localhost>", ", ".join(to), "Увага: оцінка 2"
    mail["Message-ID"] = "<one@localhost>"
    mail.set_content("Ціна не та.\n")
    if html:
        mail.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port, timeout=timeout) as server:
        server.send_message(mail)


def patience(trouble: Trouble) -> float:
    """Seconds after which the sender of a message gives up; of what hangs it is known that nothing more will come."""
    return 4 if trouble == Trouble.HANG else PATIENCE_SECS


def test_mail_is_caught_once_for_each_recipient(catcher: Catcher) -> None:
    send_mail(catcher, "one@example.org", "two@example.org", html="<p>Ціна</p>")
    assert [m.recipient for m in catcher.messages] == ["one@example.org", "two@example.org"]
    first = catcher.messages[0]
    assert (first.channel, first.subject, first.text, first.html) == (
        Channel.EMAIL,
        "Увага: оцінка 2",
        "Ціна не та.\n",
        "<p>Ціна</p>\n",
    )
    assert first.message_id == "<one@localhost>"


@pytest.mark.parametrize(("trouble", "code"), [(Trouble.BUSY, 451), (Trouble.ERROR, 554)])
def test_refused_mail_is_not_kept_and_the_next_arrives(catcher: Catcher, trouble: Trouble, code: int) -> None:
    catcher.fail_next(Channel.EMAIL, trouble)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send_mail(catcher, "one@example.org")
    assert refused.value.smtp_code == code
    assert not catcher.messages
    send_mail(catcher, "one@example.org")
    assert len(catcher.messages) == 1


@pytest.mark.parametrize(("trouble", "kept"), [(Trouble.RESET, 0), (Trouble.DROP, 1), (Trouble.HANG, 1)])
def test_mail_whose_outcome_the_sender_cannot_know(catcher: Catcher, trouble: Trouble, kept: int) -> None:
    catcher.fail_next(Channel.EMAIL, trouble)
    with pytest.raises((smtplib.SMTPServerDisconnected, TimeoutError, ConnectionError)):
        send_mail(catcher, "one@example.org", timeout=patience(trouble))
    assert len(catcher.messages) == kept


def test_the_real_client_sends_fetches_and_lists(catcher: Catcher) -> None:
    client = twilio(catcher)
    sent = client.messages.create(to=TO, from_=FROM, body="Wie war es? http://127.0.0.1/r/x/")
    client.messages.create(to="+491709999999", from_=FROM, body="other")
    assert sent.status == "queued"
    assert client.messages(sent.sid).fetch().body == "Wie war es? http://127.0.0.1/r/x/"
    since = datetime.now(UTC) - timedelta(minutes=1)
    assert [m.sid for m in client.messages.list(to=TO, date_sent_after=since)] == [sent.sid]
    assert client.messages.list(to=TO, date_sent_after=since + timedelta(hours=1)) == []
    assert len(client.messages.list(page_size=1)) == 2


def test_the_text_is_encoded_as_the_client_sends_it(catcher: Catcher) -> None:
    twilio(catcher).messages.create(to=TO, from_=FROM, body="Як усе пройшло? & 100 % + ще")
    assert catcher.messages[0].text == "Як усе пройшло? & 100 % + ще"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "", "from_": FROM, "body": "x"}, 21604),
        ({"to": TO, "from_": FROM, "body": ""}, 21602),
        ({"to": TO, "body": "x"}, 21603),
        ({"to": "0170", "from_": FROM, "body": "x"}, 21211),
        ({"to": TO, "from_": FROM, "body": "x" * 1601}, 21617),
    ],
)
def test_fields_are_checked(catcher: Catcher, fields: dict[str, str], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio(catcher).messages.create(**fields)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert not catcher.messages


def test_wrong_credentials_are_refused(catcher: Catcher) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio(catcher, account=(ACCOUNT[0], "wrong")).messages.create(to=TO, from_=FROM, body="x")
    assert refused.value.status == 401
    with pytest.raises(TwilioRestException) as unknown:
        twilio(catcher).messages("SM" + "0" * 32).fetch()
    assert unknown.value.status == 404


@pytest.mark.parametrize(("trouble", "status"), [(Trouble.BUSY, 429), (Trouble.ERROR, 500)])
def test_refused_texts_are_not_kept(catcher: Catcher, trouble: Trouble, status: int) -> None:
    catcher.fail_next(Channel.SMS, trouble)
    with pytest.raises(TwilioRestException) as refused:
        twilio(catcher).messages.create(to=TO, from_=FROM, body="x")
    assert refused.value.status == status
    assert not catcher.messages


@pytest.mark.parametrize(("trouble", "kept"), [(Trouble.RESET, 0), (Trouble.DROP, 1), (Trouble.HANG, 1)])
def test_texts_whose_outcome_the_sender_cannot_know(catcher: Catcher, trouble: Trouble, kept: int) -> None:
    catcher.fail_next(Channel.SMS, trouble)
    with pytest.raises(requests.exceptions.RequestException):
        twilio(catcher, timeout=patience(trouble)).messages.create(to=TO, from_=FROM, body="x")
    assert len(catcher.messages) == kept
    assert len(twilio(catcher).messages.list(to=TO)) == kept


def test_busy_says_when_to_come_back(catcher: Catcher) -> None:
    catcher.fail_next(Channel.SMS, Trouble.BUSY)
    answer = requests.post(
        f"{catcher.sms_url}/2010-04-01/Accounts/{ACCOUNT[0]}/Messages.json",
        data={"To": TO, "From": FROM, "Body": "x"},
        auth=ACCOUNT,
        timeout=PATIENCE_SECS,
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_another_process_may_order_troubles(catcher: Catcher) -> None:
    body = json.dumps({"channel": "sms", "troubles": ["error"]}).encode()
    urlopen(Request(f"{catcher.sms_url}/control/trouble", body, method="POST"), timeout=PATIENCE_SECS)
    assert catcher.trouble_for(Channel.SMS) == Trouble.ERROR


def test_what_cannot_be_kept_is_not_acknowledged() -> None:
    def refuse(caught: Caught) -> None:
        raise RuntimeError("database away")

    with Catcher(keep=refuse) as catcher:
        with pytest.raises(smtplib.SMTPDataError):
            send_mail(catcher, "one@example.org")
        assert not catcher.messages


def test_many_at_once(catcher: Catcher) -> None:
    client = twilio(catcher)
    threads = [threading.Thread(target=lambda: client.messages.create(to=TO, from_=FROM, body="x")) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({m.message_id for m in catcher.messages}) == 20


@pytest.mark.django_db(transaction=True)
def test_the_command_serves_until_it_is_told_to_stop(django_db_setup: None) -> None:
    from messaging.models import CaughtMessage

    process = subprocess.Popen(
        [sys.executable, "manage.py", "catcher"],
        env=process_environment(HALFHOUR_SMTP_PORT="0", HALFHOUR_SMS_PORT="0"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())
        caught = Catcher()
        caught.smtp_port, caught.sms_port = ports["smtp_port"], ports["sms_port"]
        send_mail(caught, "one@example.org", html="<p>x</p>")
        twilio(caught).messages.create(to=TO, from_=FROM, body="x")
        assert sorted(CaughtMessage.objects.values_list("channel", "recipient")) == [
            ("email", "one@example.org"),
            ("sms", TO),
        ]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_SECS) == 0
    finally:
        process.kill()
        process.wait()
