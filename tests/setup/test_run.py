"""./run says in one line what is in the way, from any folder and in any locale."""

import fcntl
import json
import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from feedback import local
from tests.setup.conftest import ROOT


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "run", *arguments],
        cwd=cwd,
        env=os.environ | {"LC_ALL": "C", "LANG": "C", "HALFHOUR_VAR": str(cwd / "var")} | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


def test_help_and_unknown_commands(folder: Path) -> None:
    assert "./run demo" in run("help", cwd=folder).stdout
    unknown = run("dmeo", cwd=folder)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "./run demo" in unknown.stderr


def test_without_python_it_says_what_to_install(folder: Path) -> None:
    for tool in ("dirname", "readlink"):
        (folder / tool).symlink_to(f"/usr/bin/{tool}")
    done = subprocess.run(["/bin/sh", ROOT / "run", "demo"], env={"PATH": str(folder)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "apt-get install python3.11" in done.stderr


def test_a_taken_port_is_named_before_anything_starts(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("demo", cwd=folder, PORT=str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"halfhour: Cannot listen on 127.0.0.1:{port}")
    assert done.stderr.count("\n") == 1
    assert not (folder / "var" / "db").exists()


def test_a_second_demo_of_the_same_folder_is_named(folder: Path) -> None:
    (folder / "var").mkdir()
    with open(folder / "var" / "demo.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run("demo", cwd=folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "running already" in done.stderr


@pytest.mark.parametrize("port", ["http", "0", "65536"])
def test_a_port_that_is_none(folder: Path, port: str) -> None:
    assert "is not a port" in run("demo", cwd=folder, PORT=port).stderr


def test_keys_are_made_once_and_closed_to_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFHOUR_VAR", str(folder))
    first = local.own_secrets().read_text()
    assert local.own_secrets().read_text() == first
    assert stat.S_IMODE(local.own_secrets().stat().st_mode) == 0o600
    assert all(len(value) >= 32 for value in json.loads(first).values())


def test_the_callers_python_and_server_do_not_leak_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert not {"PGHOST", "PYTHONPATH"} & set(local.environment())
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/halfhour")
    assert local.environment()["PGHOST"] == "elsewhere"


def test_the_full_lock_holds_the_smaller_one() -> None:
    """Having installed `dev`, ./run skips `runtime`."""

    def pins(name: str) -> set[str]:
        lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
        return {line.split(" ")[0] for line in lines if "==" in line and not line.startswith(" ")}

    assert pins("runtime") <= pins("dev")
