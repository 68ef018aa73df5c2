"""What people corrected feeds training and evaluation, without a name in it."""

import json
from io import StringIO
from pathlib import Path

from django.core.management import call_command

from core.personal import erase_response
from sentiment.actions import correct
from sentiment.lessons import corrected_rows
from sentiment.training.rows import read_rows
from tests.factories import Chain
from tests.sentiment_human.conftest import Read

BAD = "The staff were rude and ignored us for half an hour. Call me: +380 50 123 45 67"


def test_rows_say_what_people_and_what_the_model_said(chain: Chain, read: Read, tmp_path: Path) -> None:
    first, other = read(BAD), read("Lovely shop and very kind people.")
    read("Nobody has judged these words.")
    correct(first.pk, chain.manager, field="topic", key="staff", value="")
    correct(first.pk, chain.manager, field="urgency", key="data_protection", value="certain")
    correct(other.pk, chain.manager, field="sentiment", value="positive")
    [one, two] = corrected_rows()
    assert "380" not in one.text
    assert one.language == "en"
    assert one.said.get("topics") == {"staff": ""}
    assert "staff" in {hit["topic"] for hit in one.model["topics"]}
    assert "staff" not in {hit["topic"] for hit in one.held["topics"]}
    assert one.model_version == two.model_version != ""
    said = StringIO()
    call_command("export_corrections", stdout=said)
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [line.get("label") for line in lines] == [None, "positive"]
    assert "data_protection" in lines[0]["urgency"]
    assert "data_protection" not in lines[0]["model"]["urgency"]
    assert lines[1]["said"] == {"sentiment": "positive"}
    # As a file to judge the classifier by: only rows whose sentiment somebody judged.
    labelled = StringIO()
    call_command("export_corrections", "--labelled", stdout=labelled)
    (tmp_path / "judged.jsonl").write_text(labelled.getvalue())
    [row] = read_rows(tmp_path / "judged.jsonl")
    assert (row.text, row.label, row.language) == ("Lovely shop and very kind people.", 2, "en")
    erase_response(first.verbatim.response_id)
    assert [row.text for row in corrected_rows()] == ["Lovely shop and very kind people."]
