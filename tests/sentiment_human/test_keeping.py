"""A release or an operator lays other files there: what is live goes on reading until somebody has decided."""

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from core.database import process_environment
from core.jobs import run_due
from core.models import JobState
from core.work import drain
from sentiment import keeping, work
from sentiment.classifier import _load
from sentiment.files import FILES, ModelMissing, exchanged, sum_of
from sentiment.keeping import OWN, drop_unused, keep, name_of, note, place_of, version_of
from sentiment.models import Analysis, ModelPart, Rereading, RereadingState, ServedModel
from sentiment.reading import hold_reader, live_reader, settled_reader, waiting_model
from sentiment.rereading import go_live, open_rereading, start_rereading
from sentiment.training.sums import note_checksums
from tests.factories import Chain
from tests.sentiment.tiny import make_tiny
from tests.sentiment_human.conftest import submit
from tests.threads import PATIENCE_SECS, Beside, waiting_for_advice

WORDS = "The staff showed us many rings."


class Node:
    """A machine with a disk of its own; a release lays its files there, and its processes start anew."""

    def __init__(self, folder: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._settings, self._patch = folder, settings, monkeypatch

    def install(self, name: str, says: str) -> str:
        """Another version; returns the name by which it is kept."""
        place = self.folder / name
        if not place.exists():
            make_tiny(place, name, says)
        self._patch.setattr(keeping, "SHIPPED", place)
        self._patch.setattr("sentiment.classifier.FOLDER", place)
        self._patch.setattr("sentiment.engine.FOLDER", place)
        self.restart()
        return name_of(None)

    def restart(self) -> None:
        _load.cache_clear()
        keeping._checked.clear()
        exchanged.clear()
        sum_of.cache_clear()
        work._missed.clear()

    def loses_its_disk(self, to: Path) -> None:
        self._settings.VAR_DIR = to
        self.restart()


@pytest.fixture
def node(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    settings.VAR_DIR = tmp_path / "var"
    made = Node(tmp_path / "releases", settings, monkeypatch)
    yield made
    monkeypatch.undo()
    made.restart()


def say(chain: Chain, words: str = WORDS) -> Analysis:
    """A shopper's words, read."""
    response = submit(chain, words)
    drain(["analysis"])
    return Analysis.objects.get(verbatim__response=response)


def work_off(limit: int = 50) -> None:
    while limit and run_due():
        limit -= 1


def test_a_release_reads_nothing_new_before_a_person_lets_its_model_go_live(
    chain: Chain, node: Node, client: Client
) -> None:
    old = node.install("old", "positive")
    first = say(chain)
    assert (first.sentiment, live_reader().model) == ("positive", old)
    assert Rereading.objects.get().decided_by is None
    keep(None)

    new = node.install("new", "negative")
    keep(None)
    second = say(chain)
    assert (second.sentiment, second.model_version, second.alarming) == ("positive", first.model_version, False)
    waiting = waiting_model()
    assert waiting is not None and waiting.name == new

    client.force_login(chain.head_office)
    page = client.get("/words/models/").content.decode()
    assert "Another version is installed" in page and waiting.version in page
    client.post("/words/models/", {"do": "start", "by": "installed"})
    work_off()
    found = open_rereading()
    assert found is not None and (found.state, found.model) == (RereadingState.READY, new)
    assert found.summary["en"] == {"n": 2, "sentiment": 2}
    third = say(chain)
    assert third.sentiment == "positive"
    client.post("/words/models/", {"do": "live", "of": str(found.pk)})
    work_off()
    fourth = say(chain)
    assert set(Analysis.objects.values_list("sentiment", "model_version")) == {("negative", fourth.model_version)}
    assert fourth.model_version == version_of(None) == waiting.version
    page = client.get("/words/models/").content.decode()
    assert "Another version is installed" not in page
    # And back, from the page.
    adopted = Rereading.objects.get(model=old)
    assert f"again-{adopted.pk}" in page and f"again-{found.pk}" not in page
    gone = client.post("/words/models/", {"do": "start", "by": f"again-{found.pk}"}, follow=True).content.decode()
    assert "no longer there" in gone and open_rereading() is None
    client.post("/words/models/", {"do": "start", "by": f"again-{adopted.pk}"})
    work_off()
    go_live(Rereading.objects.latest("pk"), chain.head_office)
    work_off()
    assert say(chain).model_version == first.model_version
    assert set(Analysis.objects.values_list("sentiment", flat=True)) == {"positive"}


def test_a_node_that_never_had_the_live_files_reads_with_them(chain: Chain, node: Node, tmp_path: Path) -> None:
    old = node.install("old", "positive")
    version = say(chain).model_version
    keep(None)
    node.install("new", "negative")
    for disk in ("a", "b"):
        node.loses_its_disk(tmp_path / disk)
        assert say(chain).model_version == version
        assert [one.name for one in (tmp_path / disk / "kept-models").glob("[!.]*")] == [old.removeprefix(OWN)]
    # Damaged on the disk, it is fetched anew.
    folder = tmp_path / "b" / "kept-models" / old.removeprefix(OWN)
    (folder / "config.json").write_text("{}")
    node.restart()
    assert say(chain).model_version == version
    # Damaged while the process was idle, it is missed once, and then fetched anew.
    (folder / "config.json").write_bytes((node.folder / "new" / "config.json").read_bytes())
    _load.cache_clear()
    assert say(chain).model_version == version_of(None)
    work._missed.clear()
    assert say(chain).model_version == version


def test_the_operators_own_choice_waits_too(chain: Chain, node: Node, settings: LazySettings, tmp_path: Path) -> None:
    node.install("old", "positive")
    say(chain)
    for choice in (str(make_tiny(tmp_path / "chosen", "chosen", "negative")), "somebody/elses"):
        settings.SENTIMENT_MODEL = choice
        node.restart()
        assert say(chain).sentiment == "positive"
        keep(choice)
        waiting = waiting_model()
        assert waiting is not None and waiting.name == name_of(choice)


@pytest.mark.parametrize("lost", ["never kept", "damaged"])
def test_no_comment_waits_for_a_live_model_that_is_lost(
    chain: Chain, node: Node, client: Client, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    node.install("old", "positive")
    before = say(chain)
    if lost == "damaged":
        keep(None)
        ModelPart.objects.filter(file="model.onnx").update(content=b"other")
    node.install("new", "negative")
    keep(None)
    monkeypatch.setattr(work, "_MISSED_SECS", 3600)
    after = say(chain)
    assert (after.sentiment, after.model_version) == ("negative", version_of(None))
    missed = ServedModel.objects.get(missed_at__isnull=False)
    say(chain)
    assert ServedModel.objects.get(missed_at__isnull=False).missed_at == missed.missed_at, "once a while"
    client.force_login(chain.head_office)
    page = client.get("/words/models/").content.decode()
    assert "a worker could not load this version" in page
    assert before.model_version in page and after.model_version in page
    # Read again by what is lost, it says so; by what is installed, all is well.
    found = start_rereading(None, live_reader())
    work_off()
    found.refresh_from_db()
    assert found.job is not None and found.job.state == JobState.FAILED
    client.post("/words/models/", {"do": "discard", "of": str(found.pk)})
    work_off()
    client.post("/words/models/", {"do": "start", "by": "installed"})
    work_off()
    go_live(Rereading.objects.latest("pk"), chain.head_office)
    work_off()
    assert set(Analysis.objects.values_list("sentiment", flat=True)) == {"negative"}
    assert "a worker could not load" not in client.get("/words/models/").content.decode()


def test_where_words_were_read_before_models_were_kept_the_installed_one_reads_and_waits(
    chain: Chain, node: Node
) -> None:
    node.install("new", "negative")
    say(chain)
    Rereading.objects.all().delete()
    Analysis.objects.update(model_version="older+i0a1b")
    assert say(chain).model_version == version_of(None)
    assert Rereading.objects.get().model_version == "older+i0a1b"
    assert ServedModel.objects.get(missed_at__isnull=False).name == live_reader().model
    assert waiting_model() == ServedModel.objects.get(name=name_of(None))


def test_files_are_kept_once_and_whole_or_not_at_all(
    chain: Chain, node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.install("one", "neutral")
    monkeypatch.setattr(keeping, "_PART", 500)
    real, stored = keeping._store_files, 0

    def killed(model: ServedModel, folder: Path) -> None:
        real(model, folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(keeping, "_store_files", killed)
        with pytest.raises(KeyboardInterrupt):
            keep(None)
    assert not ModelPart.objects.exists()
    # Whoever is keeping it already is not waited for.
    with closing(connection.copy()) as other:
        held = [keeping._KEEPING, ServedModel.objects.get().pk]
        other.cursor().execute("SELECT pg_advisory_lock(%s, %s)", held)
        assert not keep(None).kept
        # A server gives up the lock of who leaves a moment after they left.
        other.cursor().execute("SELECT pg_advisory_unlock(%s, %s)", held)
    assert not ModelPart.objects.exists()
    for _again in range(2):
        assert keep(None).kept
        stored = stored or ModelPart.objects.count()
        assert ModelPart.objects.count() == stored > 3
    node.folder = tmp_path / "next"
    kept = ServedModel.objects.get()
    node.install("two", "neutral")
    fetched = Path(place_of(kept.name) or "")
    for file in FILES:
        assert (fetched / file).exists() == (tmp_path / "releases" / "one" / file).exists()
    (tmp_path / "next" / "two" / "config.json").write_text("{}")
    with pytest.raises(OSError, match="exchanged"), transaction.atomic():
        keeping._store_files(ServedModel.objects.create(name=name_of(None)), tmp_path / "next" / "two")


def test_the_files_of_what_nobody_reads_with_are_dropped(chain: Chain, node: Node) -> None:
    names = []
    for version in ("one", "two", "three"):
        names.append(node.install(version, "neutral"))
        keep(None)
    ServedModel.objects.update(seen_at=None)
    keep(None)
    drop_unused({names[1]})
    assert set(ServedModel.objects.filter(kept=True).values_list("name", flat=True)) == set(names[1:])
    assert ModelPart.objects.filter(model__name=names[1]).exists()
    assert not ModelPart.objects.filter(model__name=names[0]).exists()
    with pytest.raises(ModelMissing, match="not kept"):
        place_of(names[0])


def test_heads_that_this_release_cannot_read_are_no_reading_by_the_live_model(chain: Chain, node: Node) -> None:
    node.install("old", "positive")
    (node.folder / "old" / "heads.npz").write_bytes(b"of other concepts")
    sum_of.cache_clear()
    old = name_of(None)
    keep(None)
    node.install("new", "negative")
    with pytest.raises(ModelMissing, match="not for this release"):
        place_of(old)


@pytest.mark.parametrize("broken", ["graph", "configuration"])
def test_no_word_is_given_up_for_a_live_model_that_fails_to_load(chain: Chain, node: Node, broken: str) -> None:
    """Its sum is right: it was kept so, or this release asks for more."""
    place = make_tiny(node.folder / "old", "old", "positive")
    if broken == "graph":
        (place / "model.onnx").write_bytes(b"no graph at all")
    else:
        (place / "config.json").write_text(
            '{"model_version": "old", "max_tokens": 64, "alert_threshold": 1, "proven": []}'
        )
    old = node.install("old", "positive")
    keep(None)
    Rereading.objects.create(model=old, state=RereadingState.LIVE, decided_at=timezone.now())
    node.install("new", "negative")
    assert say(chain).model_version == version_of(None)
    assert ServedModel.objects.get(missed_at__isnull=False).name == old


def test_files_laid_in_place_before_the_restart_read_nothing_under_the_old_name(
    chain: Chain, node: Node, tmp_path: Path
) -> None:
    node.install("here", "positive")
    before = say(chain)
    keep(None)
    _load.cache_clear()
    other = make_tiny(tmp_path / "other", "here", "negative")
    for file in other.iterdir():
        file.rename(node.folder / "here" / file.name)
    waits = say(chain)
    assert waits.run_at is not None
    Analysis.objects.update(lease_until=None)
    drain(["analysis"])
    after = Analysis.objects.get(pk=waits.pk)
    assert (after.sentiment, after.model_version) == ("positive", before.model_version)


def test_only_own_folders_are_read_written_to_and_cleared(
    chain: Chain, node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = node.install("old", "positive")
    keep(None)
    node.install("new", "negative")
    home = tmp_path / "a" / "kept-models"
    operators, unused = home / "chosen", home / ("0" * 64)
    for folder in (operators, unused):
        folder.mkdir(parents=True)
        os.utime(folder, (0, 0))
    node.loses_its_disk(tmp_path / "a")
    fetched = home / old.removeprefix(OWN)
    assert place_of(old) == str(fetched)
    assert (operators.exists(), unused.exists()) == (True, False)
    # What is whole is read, also where nothing can be written.
    node.restart()
    with monkeypatch.context() as read_only:
        read_only.setattr(os, "access", lambda *_: False)
        assert place_of(old) == str(fetched)
    # Anybody may have laid a link into the temporary folder.
    (tmp_path / "no folder").touch()
    node.loses_its_disk(tmp_path / "no folder")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    ours = tmp_path / "temporary" / f"halfhour-models-{os.getuid()}"
    ours.symlink_to(home)
    with pytest.raises(ModelMissing, match="no folder"):
        place_of(old)
    ours.unlink()
    assert place_of(old) == str(ours / fetched.name)
    for name in (f"{OWN}../{fetched.name}", f"{OWN}{fetched}", OWN):
        with pytest.raises(ModelMissing, match="name of no model"):
            place_of(name)


@pytest.mark.parametrize("lacking", ["no graph", "no version"])
def test_what_is_still_being_laid_there_goes_live_nowhere_and_words_wait(
    chain: Chain, node: Node, lacking: str
) -> None:
    node.install("first", "positive")
    file = node.folder / "first" / ("model.onnx" if lacking == "no graph" else "config.json")
    whole = file.read_bytes()
    file.write_bytes(b"" if lacking == "no graph" else b"{}")
    node.restart()
    waits = say(chain)
    assert waits.run_at is not None and waits.last_error == "ModelMissing"
    work._keep()
    assert not Rereading.objects.exists() and not ServedModel.objects.exists()
    file.write_bytes(whole)
    node.restart()
    Analysis.objects.update(lease_until=None)
    drain(["analysis"])
    assert Analysis.objects.get(pk=waits.pk).model_version == version_of(None)
    assert live_reader().model == name_of(None)


def test_damaged_files_of_a_release_are_kept_nowhere_and_words_wait(chain: Chain, node: Node) -> None:
    """They load, and would read otherwise."""
    place = make_tiny(node.folder / "release", "release", "positive")
    note_checksums(place)
    file = place / "config.json"
    whole = file.read_text()
    file.write_text(whole.replace("0.6", "0.5"))
    node.install("release", "positive")
    waits = say(chain)
    assert waits.run_at is not None and waits.last_error == "ModelMissing"
    with pytest.raises(ModelMissing, match=r"config\.json in .*SHA256SUMS.* again"):
        keep(None)
    assert not Rereading.objects.exists() and not ServedModel.objects.exists()
    file.write_text(whole)
    node.restart()
    Analysis.objects.update(lease_until=None)
    drain(["analysis"])
    assert Analysis.objects.get(pk=waits.pk).model_version == version_of(None)


def test_without_any_model_nothing_goes_live(chain: Chain, node: Node, tmp_path: Path) -> None:
    node.install("old", "positive")
    for file in (node.folder / "old").iterdir():
        file.unlink()
    node.restart()
    assert say(chain).analysed_at is None
    assert live_reader().model == ""
    assert not ServedModel.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_begin_at_once_adopt_one_model(node: Node) -> None:
    name = node.install("old", "positive")
    workers = [Beside(work._keep), Beside(settled_reader)]
    until = time.monotonic() + PATIENCE_SECS
    with transaction.atomic():
        # Both have found that nothing is live, and wait to say so.
        hold_reader(exchange=True)
        for worker in workers:
            worker.start()
        while waiting_for_advice() < len(workers):
            assert time.monotonic() < until, [worker.failed for worker in workers]
            time.sleep(0.02)
    for worker in workers:
        worker.end()
    assert Rereading.objects.get(state=RereadingState.LIVE).model == live_reader().model == name
    assert ServedModel.objects.get().kept


@pytest.mark.django_db(transaction=True)
def test_history_is_read_again_once_every_node_can_have_the_files(node: Node) -> None:
    node.install("old", "positive")
    note(None)
    held = [keeping._KEEPING, ServedModel.objects.get().pk]
    command = Beside(lambda: call_command("analyse", "--all", stdout=StringIO()))
    until = time.monotonic() + PATIENCE_SECS
    with transaction.atomic():
        # As another process that keeps them.
        connection.cursor().execute("SELECT pg_advisory_xact_lock(%s, %s)", held)
        command.start()
        while not waiting_for_advice():
            assert command.is_alive() and time.monotonic() < until, command.failed
            time.sleep(0.02)
        assert open_rereading() is None
    command.end()
    assert open_rereading() and ServedModel.objects.get().kept


@pytest.mark.django_db(transaction=True)
def test_processes_of_one_machine_fetch_the_live_files_once(node: Node, tmp_path: Path) -> None:
    old = node.install("old", "positive")
    work._keep()
    node.install("new", "negative")
    node.loses_its_disk(tmp_path / "empty")
    home, found = tmp_path / "empty" / "kept-models", old.removeprefix(OWN)
    home.mkdir(parents=True)
    other = Beside(lambda: place_of(old))
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        other.start()
        # Long enough to fetch them twice, if nothing held it back.
        other.join(1)
        assert other.is_alive() and [path.name for path in home.iterdir()] == [".lock"]
        keeping._write(found, home / found)
        written = (home / found).stat().st_ino
    other.end()
    assert (home / found).stat().st_ino == written and place_of(old) == str(home / found)


def test_an_operator_decides_from_the_command_line(chain: Chain, node: Node, tmp_path: Path) -> None:
    node.install("old", "positive")
    say(chain)
    other = make_tiny(tmp_path / "other", "other", "negative")
    with pytest.raises(CommandError, match="analyse --all first"):
        call_command("analyse", "--go-live")
    call_command("analyse", "--all", "--model", str(other), stdout=StringIO())
    with pytest.raises(CommandError, match="Being read"):
        call_command("analyse", "--go-live")
    work_off()
    assert say(chain).sentiment == "positive"
    said = StringIO()
    call_command("analyse", "--go-live", stdout=said)
    assert "other+" in said.getvalue()
    work_off()
    # Its folder may go: every node has it from the database.
    for file in other.iterdir():
        file.unlink()
    node.restart()
    assert say(chain).sentiment == "negative"
    assert set(Analysis.objects.values_list("sentiment", flat=True)) == {"negative"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_keeps_what_it_is_installed_with(tmp_path: Path) -> None:
    """A process as in production, with words to read or without."""
    place = make_tiny(tmp_path / "chosen", "chosen", "neutral")
    environment = process_environment(MODEL_KEEP_SECS="600", SENTIMENT_MODEL=str(place))
    command = [sys.executable, str(Path(__file__).resolve().parents[2] / "manage.py"), "work", "analysis"]
    with subprocess.Popen(command, env=environment) as worker:
        try:
            until = time.monotonic() + 120
            while not ServedModel.objects.filter(kept=True) and worker.poll() is None and time.monotonic() < until:
                time.sleep(0.1)
            worker.terminate()
            assert worker.wait(120) == 0
        finally:
            worker.kill()
    model = ServedModel.objects.get()
    assert model.kept and model.version.startswith("chosen+")
    assert live_reader().model == model.name
