"""Touchpoints for many stores at once: each gets what it lacks, once, and only from whoever may."""

import pytest
from django.test import Client

from core import jobs
from core.jobs import run_due
from core.models import Job, JobState
from stores import equipping
from stores.choices import ChangeKind, TouchpointKind
from stores.models import ConfigChange, Touchpoint, User
from stores.touchpoints import retire_touchpoint
from tests.factories import Chain, make_store, make_touchpoint

PAGE = "/setup/stores/touchpoints/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def made(client: Client, **fields: object) -> Job:
    answer = client.post(PAGE, fields)
    assert answer.status_code == 302, answer.content.decode()
    job = Job.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])
    while run_due():
        pass
    job.refresh_from_db()
    return job


def names(code: str, kind: TouchpointKind = TouchpointKind.TILL) -> list[str]:
    found = Touchpoint.objects.filter(store__code=code, kind=kind, retired_at=None)
    return sorted(one.title for one in found)


def test_each_store_gets_what_it_lacks_once(chain: Chain) -> None:
    make_touchpoint(store=chain.foreign, name="Till 2")
    retire_touchpoint(make_touchpoint(store=chain.neighbour, name="Till 1"), actor=None)
    client = signed_in(chain.head_office)
    job = made(client, all="1", till="3", exit="1", call="1")
    assert (job.state, job.done, job.total, job.note) == (JobState.DONE, 4, 4, "13 touchpoints made.")
    assert names("KY1") == ["Till", "Till 2", "Till 3"] and names("LV1") == ["Till", "Till 2", "Till 3"]
    assert names("KY2") == ["Till 1", "Till 2", "Till 3"] and names("KY2", TouchpointKind.EXIT) == ["Exit"]
    # Nobody stands at the till of a call centre.
    assert not names("CALL") and names("CALL", TouchpointKind.CALL) == ["Call"]
    codes = set(Touchpoint.objects.values_list("code", flat=True))
    assert len(codes) == Touchpoint.objects.count()
    history = ConfigChange.objects.filter(what="touchpoint", kind=ChangeKind.CREATED, actor=chain.head_office)
    assert history.count() == 13 and set(history.values_list("new__code", flat=True)) <= codes
    assert made(client, all="1", till="3", exit="1", call="1").note == "0 touchpoints made."


def test_from_what_is_missing_to_posters(chain: Chain) -> None:
    for n in range(3):
        make_store(node=chain.area, code=f"B{n}")
    client = signed_in(chain.area_manager)
    assert f'{PAGE}?missing=touchpoint&amp;all=1">Make touchpoints' in client.get("/setup/").content.decode()
    page = client.get(f"{PAGE}?missing=touchpoint&all=1").content.decode()
    assert "4 stores, 4 of them without any touchpoint" in page
    assert made(client, missing="touchpoint", all="1", till="1").note == "4 touchpoints made."
    assert "touchpoint&amp;all=1" not in (left := client.get("/setup/").content.decode())
    assert '/posters/?missing=poster&amp;all=1">Print posters' in left
    # By the list, of those that are ticked; beyond their own part of the tree there is nothing to tick.
    bulk = client.post("/setup/stores/bulk/", {"action": "touchpoints", "store": ["B1", "LV1"]})
    assert "1 store, 0 of them" in client.get(bulk["Location"]).content.decode()
    made(client, store=["B1", "LV1"], exit="1")
    assert names("B1", TouchpointKind.EXIT) and not names("LV1", TouchpointKind.EXIT)


def test_what_is_refused(chain: Chain) -> None:
    client = signed_in(chain.head_office)
    for fields in ({}, {"till": "0"}, {"till": "-1"}, {"till": "21"}, {"till": "many"}, {"till": "9" * 400}):
        assert client.post(PAGE, {"all": "1"} | fields).status_code == 422
    assert client.post(PAGE, {"till": "1"}).status_code == 422 and client.post(PAGE, {"store": "\0"}).status_code < 500
    assert b"No store was ticked" in client.get(PAGE).content
    manager = signed_in(chain.manager)
    assert manager.get(PAGE).status_code == 403 and b"Make touchpoints" not in manager.get("/stores/").content
    assert Touchpoint.objects.count() == 2


def test_a_killed_job_makes_nothing_twice_and_rights_are_those_of_the_moment(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equipping, "STORES_PER_STEP", 1)
    monkeypatch.setattr(jobs, "SLICE_SECS", 0)
    client = signed_in(chain.head_office)
    client.post(PAGE, {"all": "1", "till": "2"})
    assert run_due() and run_due()
    assert Touchpoint.objects.count() == 5
    User.objects.filter(pk=chain.head_office.pk).update(is_active=False)
    while run_due():
        pass
    job = Job.objects.get()
    assert (job.state, job.note) == (JobState.FAILED, "Stopped: whoever asked for it has left.")
    assert Touchpoint.objects.count() == 5
