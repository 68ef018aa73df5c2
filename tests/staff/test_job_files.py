"""What people see of a long job: until when its file is theirs, and what a fault of ours looks like."""

import pytest
from django.test import Client

from core.jobs import start_job
from core.models import Job, JobState
from core.spreadsheets import XLSX
from stores.choices import Role
from stores.exporting import EXPORT
from stores.models import User
from stores.people import give_role, take_role
from stores.standing import RoleAt
from tests.factories import Chain, make_user


@pytest.fixture
def finished(chain: Chain) -> Job:
    """A finished export of somebody in head office who also helps out in a store."""
    owner = make_user(email="exporter@chain.example", role=Role.HEAD_OFFICE, node=chain.root)
    give_role(owner, RoleAt(Role.DEPUTY, store=chain.store), actor=None)
    job = start_job(EXPORT, owner=owner.pk, title="Export")
    job.state = JobState.DONE
    job.add_file("export.xlsx", XLSX)
    job.write(b"everybody's names")
    job.save()
    return job


def test_a_file_closes_with_the_role_that_made_it(chain: Chain, client: Client, finished: Job) -> None:
    owner = User.objects.get(email="exporter@chain.example")
    client.force_login(owner)
    assert b"".join(client.get(f"/jobs/{finished.pk}/file")) == b"everybody's names"  # type: ignore[call-overload]
    # One role more takes nothing away.
    give_role(owner, RoleAt(Role.DEPUTY, store=chain.foreign), actor=None)
    assert client.get(f"/jobs/{finished.pk}/file").status_code == 200
    take_role(owner.roles.get(role=Role.HEAD_OFFICE), actor=None)
    assert client.get(f"/jobs/{finished.pk}/file").status_code == 404
    page = client.get(f"/jobs/{finished.pk}/").content.decode()
    assert "its file is closed" in page and "/file" not in page


def test_an_export_opened_as_an_address_leads_to_its_form(chain: Chain, client: Client) -> None:
    client.force_login(chain.head_office)
    answer = client.get("/setup/export/", follow=True)
    assert answer.redirect_chain == [("/setup/import/", 302)] and 'action="/setup/export/"' in answer.content.decode()
    assert not Job.objects.exists()


def test_a_fault_of_ours_is_told_in_words(chain: Chain, client: Client) -> None:
    job = Job.objects.create(kind=EXPORT, owner=chain.head_office.pk, title="Export", state=JobState.FAILED)
    client.force_login(chain.head_office)
    assert "please ask again" in client.get(f"/jobs/{job.pk}/").content.decode()
    chain.head_office.language = "de"
    chain.head_office.save()
    assert "please ask again" not in client.get(f"/jobs/{job.pk}/").content.decode()
