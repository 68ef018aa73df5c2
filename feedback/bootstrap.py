"""Sets up whatever a command of ./run needs, then runs it. Needs Python 3.11 and nothing else.

  ./run demo              everything on this machine with demo data, on PORT (8000)
  ./run test [ARGUMENTS]  every test; the arguments are pytest's
  ./run check [NAMES]     linters, types, layers, migrations, translations
  ./run bench [ARGUMENTS] the benchmarks, one JSON object a line
  ./run manage COMMAND …  a management command in the same environment

DATABASE_URL names another PostgreSQL (15 or later) than the embedded one; HOST, PORT and HALFHOUR_VAR move the demo.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from feedback.local import ROOT, VENV, LocalError, say, the_only_demo, var

# Which lock file a command needs; the second holds the first, package for package.
LOCKS = {"demo": "runtime", "manage": "runtime", "bench": "runtime", "test": "dev", "check": "dev"}
PYTHON = VENV / "bin" / "python"
# Made before packages are written and removed after: what an interrupted run leaves cannot be told from a whole one.
UNFINISHED = VENV / "unfinished"


def main(arguments: list[str]) -> int:
    command, *rest = arguments or [""]
    if command not in LOCKS:
        asked = command in {"-h", "--help", "help"}
        print(__doc__, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))  # lets subprocess.run kill its child
    try:
        if command == "demo":
            with the_only_demo():  # says so before minutes of installing
                pass
        install(LOCKS[command])
    except LocalError as error:
        print(f"halfhour: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    module = ["feedback.demo"] if command == "demo" else ["feedback.commands", command]
    os.execve(PYTHON, [str(PYTHON), "-P", "-m", *module, *rest], clean() | {"PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)})  # noqa: S606


def install(lock: str) -> None:
    """The virtual environment with exactly the packages of requirements/<lock>.txt; nothing to do most of the time."""
    wanted = stamps(lock)
    if is_installed(wanted):
        return
    try:
        var().mkdir(parents=True, exist_ok=True)
        turn = open(var() / "install.lock", "w")  # noqa: SIM115 - closed below
    except OSError as error:
        raise LocalError(
            f"Cannot write to {var()} ({error.strerror}). Take it over (chown -R) or delete it."
        ) from error
    with turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if is_installed(wanted):  # by somebody else meanwhile
            return
        if UNFINISHED.exists() or not works(PYTHON, "import pip"):
            create_environment()
        UNFINISHED.touch()
        packages = ROOT / "requirements" / f"{lock}.txt"
        say(f"Installing the packages of requirements/{lock}.txt (a few minutes the first time).")
        pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
        pip += ["--root-user-action=ignore", "--progress-bar=off", "--require-hashes", "-r", str(packages)]
        if subprocess.run(pip, cwd=ROOT, env=clean(), check=False).returncode:
            raise LocalError(
                "pip could not install the packages (see above). It needs a package index, by network or by pip.conf."
            )
        for stamp, content in wanted.items():
            stamp.write_text(content)
        UNFINISHED.unlink()


def stamps(lock: str) -> dict[Path, str]:
    """The files that say what is installed, with what they must hold."""
    names = ["runtime", "dev"] if lock == "dev" else ["runtime"]
    files = {name: ROOT / "requirements" / f"{name}.txt" for name in names}
    return {VENV / f"installed-{name}": hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def is_installed(wanted: dict[Path, str]) -> bool:
    with contextlib.suppress(OSError):
        return (
            not UNFINISHED.exists()
            and os.access(PYTHON, os.X_OK)
            and all(stamp.read_text() == content for stamp, content in wanted.items())
        )
    return False


def create_environment() -> None:
    if not works(Path(sys.executable), "import ensurepip, venv"):
        get_venv_module()
    say(f"Making the virtual environment {VENV}.")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], env=clean(), check=False)
    if made.returncode:
        raise LocalError(f"{sys.executable} could not make {VENV} (see above).")


def get_venv_module() -> None:
    """Debian packs it apart."""
    package = f"python3.{sys.version_info.minor}-venv"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Installing {package}.")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update", "-qq"], ["install", "-y", "-qq", package]):
            subprocess.run(["apt-get", *step], env=environment, stdout=subprocess.DEVNULL, check=False)
    if not works(Path(sys.executable), "import ensurepip, venv"):
        raise LocalError(f"Python's venv module is missing. Run: sudo apt-get install {package}")


def works(python: Path, code: str) -> bool:
    try:
        return subprocess.run([python, "-c", code], env=clean(), stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
