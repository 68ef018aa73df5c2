"""What `./run` knows about this folder before anything is installed: standard library only.

Where things lie, which keys and addresses a demo uses, and whether one is running already.
"""

import base64
import contextlib
import fcntl
import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
# Variables of the caller that would change what our processes import or which server they ask.
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")


class LocalError(RuntimeError):
    """Something outside the project is in the way; the message is one line for a person and says what to do."""


def var() -> Path:
    """The folder of everything that a demo or a test makes; HALFHOUR_VAR moves it."""
    return Path(os.environ.get("HALFHOUR_VAR") or ROOT / "var").absolute()


def address() -> tuple[str, int]:
    """Where the demo listens: HOST (only this machine, unless said otherwise) and PORT."""
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise LocalError(f"PORT={text} is not a port: give a number from 1 to 65535.")
    return os.environ.get("HOST") or "127.0.0.1", int(text)


@contextlib.contextmanager
def the_only_demo() -> Iterator[None]:
    """Holds this folder's place for one demo. Raises LocalError when it or the port is taken."""
    host, port = address()
    with _writable(var() / "demo.lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(f"The demo of {ROOT} is running already: stop it first (Ctrl-C where it runs).") from None
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise LocalError(
                    f"Cannot listen on {host}:{port} ({error.strerror}): choose another, as in PORT=8001 make demo."
                ) from error
        yield


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def own_secrets() -> Path:
    """The file of this folder's keys, made once: other keys could not read what the database holds."""
    path = var() / "secrets.json"
    if not path.exists():
        keys = {name: base64.urlsafe_b64encode(os.urandom(32)).decode() for name in ("field_key", "link_key")}
        keys |= {"secret_key": secrets.token_urlsafe(50), "twilio_auth_token": secrets.token_hex(16)}
        write_json(path, keys, mode=0o600)
    return path


def write_json(path: Path, content: object, *, mode: int = 0o644) -> None:
    """Whole or not at all, however the process ends."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    with _writable(unfinished) as file:
        os.fchmod(file.fileno(), mode)
        file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    unfinished.replace(path)


def environment(**more: str) -> dict[str, str]:
    """The environment of our processes: the caller's, without what would lead them astray."""
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    if not kept.get("DATABASE_URL"):  # libpq reads these, and they mean another server
        kept = {name: value for name, value in kept.items() if not name.startswith("PG")}
    kept["PATH"] = f"{VENV / 'bin'}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return kept | {"PYTHONUTF8": "1", "DJANGO_SETTINGS_MODULE": "feedback.settings", "HALFHOUR_VAR": str(var())} | more


def demo_settings() -> dict[str, str]:
    """The settings of this folder's demo that `prepare_demo_settings` wrote; of a first one where none ran yet."""
    try:
        found: dict[str, str] = json.loads(_settings_file().read_text())
    except FileNotFoundError:
        return prepare_demo_settings()
    return found


def prepare_demo_settings() -> dict[str, str]:
    """Settles addresses and delays of a demo about to start, and writes them down for `./run manage`."""
    host, port = address()
    url = (os.environ.get("PUBLIC_URL") or f"http://{_reachable(host)}:{port}").rstrip("/")
    smtp, sms = free_port(), free_port()
    token = json.loads(own_secrets().read_text())["twilio_auth_token"]
    settings = {
        "DEMO": "1",
        "CHAIN_NAME": os.environ.get("CHAIN_NAME") or "Finch & Kalyna",
        "HALFHOUR_SECRETS": str(own_secrets()),
        "PORT": str(port),
        "PUBLIC_URL": url,
        "HALFHOUR_SMTP_PORT": str(smtp),
        "HALFHOUR_SMS_PORT": str(sms),
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp}",
        "TWILIO_BASE_URL": f"http://127.0.0.1:{sms}",
        "TWILIO_ACCOUNT_SID": "AC" + token[::-1],
        "TWILIO_AUTH_TOKEN": token,
        "MAILBOX_URL": os.environ.get("MAILBOX_URL") or f"{url}/demo/mailbox/",
        # A person walking the loop would not wait for the next day.
        "VERIFICATION_DELAY_SECS": os.environ.get("VERIFICATION_DELAY_SECS") or "60",
        "CALL_SURVEY_DELAY_SECS": os.environ.get("CALL_SURVEY_DELAY_SECS") or "5",
    }
    write_json(_settings_file(), settings, mode=0o600)
    return settings


def manage(*arguments: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def say(text: str) -> None:
    """A line for the person in front; nobody need be there any more."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def _settings_file() -> Path:
    return var() / "demo-settings.json"


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound


def _writable(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "w")
    except OSError as error:
        raise LocalError(
            f"Cannot write {path} ({error.strerror}). Another account made it? Take it over (chown -R) or delete it."
        ) from error
