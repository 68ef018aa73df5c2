"""The commands of `./run` that end by themselves: manage, test, check, bench."""

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

import psycopg

from feedback import local
from feedback.embedded import Cluster, EmbeddedError
from feedback.local import ROOT, LocalError, manage, say
from feedback.processes import die_with_parent

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_MOST_TEST_WORKERS = 4
# The longest one first, since they run side by side.
_CHECKS = {
    "types": ["-m", "mypy", "."],
    "lint": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "templates": ["-m", "djlint", "templates", "--lint", "--quiet"],
    "layers": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    "system checks": ["manage.py", "check", "--fail-level=WARNING"],
    "migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
    "translations": ["manage.py", "translations", "--check"],
}


def run_manage(arguments: list[str]) -> int:
    """A management command: on DATABASE_URL with the caller's settings, else on the demo's database with the demo's."""
    if os.environ.get("DATABASE_URL"):
        return _call(manage(*arguments), local.environment(), cwd=None)
    with Cluster.at(local.var() / "db").running() as url:
        return _call(manage(*arguments), local.environment(DATABASE_URL=url) | local.demo_settings(), cwd=None)


def run_test(arguments: list[str]) -> int:
    """pytest, on TEST_DATABASE_URL or on a cluster of its own that gives up durability for speed."""
    environment = local.environment(HALFHOUR_TESTING="1")
    browser = _browser()
    if browser:
        environment["CHROMIUM"] = browser
    elif environment.get("REQUIRE_BROWSER") == "1":
        raise LocalError("REQUIRE_BROWSER=1, but there is no Chromium: apt-get install chromium, as root.")
    else:
        say("!!! No Chromium: the browser tests will be SKIPPED. As root: apt-get install chromium !!!")
    subprocess.run(manage("compile_translations"), cwd=ROOT, env=environment, check=True)
    # Every worker has a database of its own. One more than there are cores, for tests often wait for other processes.
    # Whoever is done takes over what others have not begun: a stretch of browser tests is long.
    number = str(min((os.cpu_count() or 1) + 1, _MOST_TEST_WORKERS))
    workers = [] if "-n" in arguments else ["-n", number, "--dist", "worksteal"]
    command = [sys.executable, "-m", "pytest", *workers, *arguments]
    if url := environment.get("TEST_DATABASE_URL"):
        return _call(command, environment | {"DATABASE_URL": url})
    cluster = Cluster.at(local.var() / "test-db", fast=True)
    with cluster.running() as url:
        environment |= {"DATABASE_URL": url, "HALFHOUR_TEST_TEMPLATE": _migrated(cluster, environment)}
        return _call(command, environment)


def _migrated(cluster: Cluster, environment: dict[str, str]) -> str:
    """The name of a database with every table and nothing in it, of which each worker's is a copy."""
    # Its own for each suffix, as the databases of the tests are: two runs may share the server.
    name = f"migrated{environment.get('HALFHOUR_TEST_SUFFIX', '')}"
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    there = environment | {"DATABASE_URL": cluster.url_of(name)}
    if subprocess.run(manage("migrate", "--noinput", "--verbosity=0"), cwd=ROOT, env=there, check=False).returncode:
        raise LocalError("The tables could not be made: see above.")
    return name


def run_check(arguments: list[str]) -> int:
    """Every check, or those named; all of them run, whatever the first ones say."""
    if unknown := set(arguments) - set(_CHECKS):
        raise LocalError(f"No such check: {', '.join(sorted(unknown))}. There are: {', '.join(_CHECKS)}.")
    names = list(dict.fromkeys(arguments or _CHECKS))
    with Cluster.at(local.var() / "test-db", fast=True).running() as url, ThreadPoolExecutor(os.cpu_count()) as pool:
        environment = local.environment(HALFHOUR_TESTING="1", DATABASE_URL=url)
        passed = dict(zip(names, pool.map(lambda name: _passes(name, environment), names), strict=True))
    if failed := [name for name in names if not passed[name]]:
        say(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def _passes(check: str, environment: dict[str, str]) -> bool:
    """Run a check; say how it ended, and all that it says where it failed."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *_CHECKS[check]],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    said = [done.stdout.rstrip()] if done.returncode else []
    verdict = "FAILED" if done.returncode else "ok"
    say("\n".join([*said, f"{check:<14} {verdict:<7} {time.monotonic() - began:5.1f} s"]))
    return not done.returncode


def run_bench(arguments: list[str]) -> int:
    """The benchmarks, on a durable cluster of their own, so that a demo's data neither suffers nor disturbs."""
    with Cluster.at(local.var() / "bench-db").running() as url:
        environment = local.environment(DATABASE_URL=url) | local.demo_settings()
        return _call(manage("migrate", "--noinput", "--verbosity=0"), environment) or _call(
            manage("bench", *arguments), environment
        )


COMMANDS = {"manage": run_manage, "test": run_test, "check": run_check, "bench": run_bench}


def _call(command: list[str], environment: dict[str, str], *, cwd: Path | None = ROOT) -> int:
    """Runs it as if it stood in our place: same terminal, same signals, same exit code; None is the caller's folder."""
    child = subprocess.Popen(command, cwd=cwd, env=environment, preexec_fn=die_with_parent(signal.SIGTERM))

    def pass_on(signum: int, frame: FrameType | None) -> None:
        child.send_signal(signum)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGHUP, pass_on)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the child as well
    code = child.wait()
    return code if code >= 0 else 128 - code


def _browser() -> str | None:
    """The path of Chromium; as root on Debian it is installed when it is missing."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    say("Installing Chromium for the browser tests.")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    log_path = local.var() / "log" / "chromium.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with open(log_path, "w") as log:
        for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
            if subprocess.run(["apt-get", *step], env=environment, stdout=log, stderr=log, check=False).returncode:
                say(f"apt-get {step[0]} failed; see {log_path}.")
                return None
    return shutil.which("chromium")


def main(name: str, *arguments: str) -> int:
    try:
        return COMMANDS[name](list(arguments))
    except (LocalError, EmbeddedError, subprocess.CalledProcessError) as error:
        print(f"halfhour: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
