"""The embedded database lives exactly as long as somebody uses it, whatever is killed."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from feedback.embedded import Account, Cluster, EmbeddedError, may_enter
from tests.setup.conftest import ROOT, start_python, until

USE = """
import sys, pathlib, time
from feedback.embedded import Cluster
with Cluster.at(pathlib.Path(sys.argv[1]), fast=True).running() as url:
    print(url, flush=True)
    time.sleep(float(sys.argv[2]))
"""
AS_ROOT = os.geteuid() == 0


def processes(cluster: Cluster) -> list[psutil.Process]:
    """The keeper and the server processes of the cluster."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name().startswith("postgres"):
                ours = process.cwd() == str(cluster.data)
            else:
                ours = {"feedback.keeper", str(cluster.root)} <= set(process.cmdline())
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def postmaster(cluster: Cluster) -> psutil.Process:
    return psutil.Process(int((cluster.data / "postmaster.pid").read_text().splitlines()[0]))


def kill_all(cluster: Cluster) -> None:
    for process in processes(cluster):
        with contextlib.suppress(psutil.Error):
            process.kill()


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    made = Cluster.at(folder / "db", fast=True)
    yield made
    kill_all(made)
    until(lambda: not processes(made))


def test_it_runs_within_the_block_and_folds_cyrillic(cluster: Cluster) -> None:
    with cluster.running() as url:
        assert ask(url, "SELECT 'ЇЖАК' ILIKE 'їжак'") is True
        assert ask(url, "SHOW fsync") == "off"
        with cluster.running() as again:
            assert again == url
        assert ask(url, "SELECT 1") == 1
    until(lambda: not processes(cluster))


def test_it_outlives_kills_of_server_keeper_and_everything(cluster: Cluster) -> None:
    cluster = Cluster(cluster.root)  # durable
    with cluster.running() as url:
        assert ask(url, "SHOW fsync") == "on"
        ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
        postmaster(cluster).kill()
        until(lambda: not cluster.answers())
        until(cluster.answers)  # brought back by the keeper
        assert ask(url, "SELECT n FROM kept") == 7
        kill_all(cluster)
        cluster.start()
        assert ask(url, "SELECT n FROM kept") == 7
        next(process for process in processes(cluster) if "feedback.keeper" in process.cmdline()).kill()
        until(lambda: not processes(cluster))  # no server without a keeper
    with cluster.running() as url:
        assert ask(url, "SELECT n FROM kept") == 7
    until(lambda: not processes(cluster))


def test_a_pid_file_that_names_a_living_stranger_is_no_hindrance(cluster: Cluster) -> None:
    with cluster.running():
        text = (cluster.data / "postmaster.pid").read_text()
    (cluster.data / "postmaster.pid").write_text(text.replace(text.splitlines()[0], str(os.getpid()), 1))
    (cluster.socket / ".s.PGSQL.5432").touch()
    (cluster.socket / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    with cluster.running() as url:
        assert ask(url, "SELECT 1") == 1


def test_racing_starts_share_one_server_until_the_last_user_is_killed(cluster: Cluster) -> None:
    racers = [start_python(USE, cluster.root, 60) for _ in range(3)]
    try:
        urls = {racer.stdout.readline() for racer in racers if racer.stdout}
        assert urls == {cluster.url + "\n"}
        assert len([one for one in processes(cluster) if "-D" in one.cmdline()]) == 1
        for racer in racers[1:]:
            racer.kill()
            racer.wait()
        assert ask(cluster.url, "SELECT 1") == 1
        racers[0].kill()
        until(lambda: not processes(cluster))
    finally:
        for racer in racers:
            racer.kill()
            racer.communicate()


@pytest.mark.parametrize("name", ["d" * 120, "a, b"])
def test_a_folder_whose_socket_would_not_do(folder: Path, name: str) -> None:
    cluster = Cluster.at(folder / name, fast=True)
    assert cluster.socket.parent == Path("/tmp")
    try:
        with cluster.running() as url:
            assert ask(url, "SELECT 1") == 1
    finally:
        shutil.rmtree(cluster.socket, ignore_errors=True)


def test_a_folder_deleted_under_the_server_ends_it(cluster: Cluster) -> None:
    with cluster.running():
        shutil.rmtree(cluster.root)
        until(lambda: not processes(cluster))
        cluster.root.mkdir()


def test_data_of_another_version_is_refused_with_the_reason(cluster: Cluster) -> None:
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match="written by PostgreSQL 12"), cluster.running():
        pass


@pytest.mark.skipif(not AS_ROOT, reason="only root can run it as somebody else")
def test_as_an_ordinary_user(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    account: Account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    pythons = [python for python in (sys.executable, "/usr/bin/python3.11") if may_enter(account, Path(python))]
    if not pythons or not may_enter(account, ROOT):
        pytest.skip("the account nobody cannot come to a Python 3.11 or to this project")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    done = subprocess.run(
        [pythons[0], "-c", USE, folder / "db", "0"],
        cwd=ROOT,
        env={"PYTHONPATH": packages, "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        **account,
    )
    assert done.stdout.startswith("postgresql://"), done.stderr
    assert (folder / "db" / "data").stat().st_uid == nobody.pw_uid
    # Root finds it and leaves it to its owner.
    with Cluster.at(folder / "db").running() as url:
        assert ask(url, "SELECT 1") == 1
    assert (folder / "db" / "data" / "PG_VERSION").stat().st_uid == nobody.pw_uid


@pytest.mark.skipif(not AS_ROOT, reason="only for root the server runs as another account")
def test_below_a_closed_home_the_data_goes_elsewhere(folder: Path) -> None:
    (folder / "home").mkdir(mode=0o700)
    cluster = Cluster.at(folder / "home" / "db", fast=True)
    try:
        assert folder not in cluster.root.parents
        assert cluster.root == Cluster.at(folder / "home" / "db").root
        with cluster.running() as url:
            ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
        with Cluster.at(folder / "home" / "db", fast=True).running() as url:
            assert ask(url, "SELECT n FROM kept") == 7
        shutil.rmtree(folder / "home" / "db")
        with Cluster.at(folder / "home" / "db", fast=True).running() as url:
            assert ask(url, "SELECT to_regclass('kept')") is None
    finally:
        shutil.rmtree(cluster.root)


def test_a_user_who_gets_a_signal_stops_the_server(cluster: Cluster) -> None:
    user = start_python(USE, cluster.root, 60)
    assert user.stdout
    assert user.stdout.readline()
    os.killpg(user.pid, signal.SIGINT)
    user.communicate(timeout=90)
    until(lambda: not processes(cluster))
