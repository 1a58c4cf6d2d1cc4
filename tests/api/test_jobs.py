"""Jobs over HTTP."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from samplemind_tasks.errors import FailureCode
from samplemind_tasks.library import jobs
from samplemind_tasks.schemas import JobKind
from samplemind_tasks.store.chunks import ChunkState, Stage

from .test_gateway import Serve
from .world import World, eventually

UNKNOWN = "0" * 24


def _ask(client: httpx.Client, world: World, **more: object) -> dict[str, object]:
    answer = client.post("/v1/jobs", json={"path": str(world.folder), **more})
    assert answer.status_code == 202, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_folder_becomes_a_job_document_a_view_and_a_message(client: httpx.Client, world: World) -> None:
    answer = client.post("/v1/jobs", json={"path": str(world.folder), "include": ["*.wav"], "restore": True})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    record = world.record(job["id"])
    assert (record.path, record.root, record.kind) == (str(world.folder), str(world.folder), JobKind.FOLDER)
    wishes = {"include": ["*.wav"], "exclude": [], "rerun": "missing", "restore": True, "tempo_range_bpm": None}
    assert record.request == wishes
    assert client.get(answer.headers["Location"]).json() == job
    assert eventually(lambda: len(world.queued("scan")) == 1)
    assert json.loads(world.queued("scan")[0])["headers"]["task"] == "scan.slice"


def test_more_jobs_than_a_user_may_have_open_are_asked_to_wait(serve: Serve, world: World) -> None:
    with serve(world.settings.model_copy(update={"max_open_jobs": 3})) as client:
        keyed = {"Idempotency-Key": "first"}
        first = client.post("/v1/jobs", json={"path": str(world.folder)}, headers=keyed).json()["id"]
        world.job("ada")  # somebody else's does not count
        with ThreadPoolExecutor(8) as crowd:
            answers = list(crowd.map(lambda _: client.post("/v1/jobs", json={"path": str(world.folder)}), range(8)))
        accepted = [answer.json()["id"] for answer in answers if answer.status_code == 202]
        refused = [answer for answer in answers if answer.status_code != 202]
        assert len(accepted) == 2
        assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(429, "too_many_jobs")}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        assert {first, *accepted} == {row["_id"] for row in world.db.jobs.find({"user_id": "local"})}
        again = client.post("/v1/jobs", json={"path": str(world.folder)}, headers=keyed)
        assert (again.status_code, again.json()["id"]) == (202, first)
        world.db.jobs.update_one({"_id": first}, {"$unset": {"open": ""}})
        assert eventually(lambda: client.post("/v1/jobs", json={"path": str(world.folder)}).status_code == 202)


def test_path_through_a_link_is_judged_by_where_it_leads(client: httpx.Client, world: World) -> None:
    inside, outside = world.folder / "inside", world.folder / "outside"
    (world.folder / "kicks").mkdir()
    inside.symlink_to(world.folder / "kicks")
    outside.symlink_to("/")
    assert client.post("/v1/jobs", json={"path": str(inside)}).json()["path"] == str(world.folder / "kicks")
    answer = client.post("/v1/jobs", json={"path": str(outside)})
    assert (answer.status_code, answer.json()["code"]) == (403, "outside_roots")


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"path": "{folder}/nothing here"}, 404, "path_not_found", "path"),
        ({"path": "/etc"}, 403, "outside_roots", "path"),
        ({"path": "{folder}/../.."}, 403, "outside_roots", "path"),
        ({"path": "{folder}\0"}, 422, "invalid", "path"),
        ({"path": "{folder}/" + "x" * 300}, 404, "path_not_found", "path"),
        ({"path": ""}, 422, "invalid", "path"),
        ({"path": "."}, 422, "invalid", "path"),
        ({"path": "~/Samples"}, 422, "invalid", "path"),
        ({"path": "{folder}", "include": ["*.wav", "["]}, 422, "invalid", "include.1"),
        ({"path": "{folder}", "include": ["#x"]}, 422, "invalid", "include.0"),
        ({"path": "{folder}", "tempo_range_bpm": [140, 70]}, 422, "invalid", "tempo_range_bpm"),
        ({"path": "{folder}", "tempo_range_bpm": [1, 70]}, 422, "invalid", "tempo_range_bpm.0"),
        ({"path": "{folder}", "exclude": [" "]}, 422, "invalid", "exclude.0"),
        ({"path": "{folder}", "exclude": ["!"]}, 422, "invalid", "exclude.0"),
        ({"path": "{folder}", "exclude": ["[z-a].wav"]}, 422, "invalid", "exclude.0"),
        ({"path": "{folder}", "uploads": [UNKNOWN]}, 422, "invalid", "path"),
        ({}, 422, "invalid", "path"),
        ({"uploads": []}, 422, "invalid", "uploads"),
        ({"uploads": ["no id"]}, 422, "invalid", "uploads.0"),
        ({"uploads": [UNKNOWN]}, 404, "upload_not_found", "uploads"),
        ({"path": "{folder}", "rerun": "sometimes"}, 422, "invalid", "rerun"),
        ({"path": "{folder}", "colour": "red"}, 422, "invalid", "colour"),
    ],
)
def test_bad_request_names_the_field(
    client: httpx.Client, world: World, body: dict[str, object], status: int, code: str, field: str
) -> None:
    body = {
        name: text.replace("{folder}", str(world.folder)) if isinstance(text, str) else text
        for name, text in body.items()
    }
    answer = client.post("/v1/jobs", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]["fields"][0]["field"] == field
    assert set(answer.json()) == {"code", "message", "detail"}


def test_broken_json_and_a_huge_body(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    broken = client.post("/v1/jobs", content=b'{"path": ', headers=headers)
    assert (broken.status_code, broken.json()["detail"]["fields"][0]["field"]) == (422, "body")
    huge = client.post("/v1/jobs", content=b'{"path": "' + b"x" * (1 << 20), headers=headers)
    assert (huge.status_code, huge.json()["code"]) == (413, "too_large")
    chunked = client.post("/v1/jobs", content=iter([b'{"path": "', *[b"x" * 65536] * 20]), headers=headers)
    assert (chunked.status_code, chunked.json()["code"]) == (413, "too_large")


def test_twenty_posts_at_once_with_one_key_make_one_job(client: httpx.Client, world: World) -> None:
    def post(_: int) -> httpx.Response:
        return client.post("/v1/jobs", json={"path": str(world.folder)}, headers={"Idempotency-Key": "scan again"})

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(post, range(20)))
    assert [answer.status_code for answer in answers] == [202] * 20
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert world.db.jobs.count_documents({}) == 1


def test_key_of_another_request_is_a_conflict_and_works_when_the_folder_is_gone(
    client: httpx.Client, world: World
) -> None:
    folder = world.folder / "drums"
    folder.mkdir()
    headers = {"Idempotency-Key": "one"}
    first = client.post("/v1/jobs", json={"path": str(folder)}, headers=headers).json()
    other = client.post("/v1/jobs", json={"path": str(world.folder)}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    folder.rmdir()
    assert client.post("/v1/jobs", json={"path": str(folder)}, headers=headers).json()["id"] == first["id"]


def test_long_key_names_the_header(client: httpx.Client, world: World) -> None:
    answer = client.post("/v1/jobs", json={"path": str(world.folder)}, headers={"Idempotency-Key": "x" * 201})
    assert answer.status_code == 422
    assert answer.json()["detail"]["fields"][0]["field"] == "Idempotency-Key"


def test_etag_says_when_nothing_has_changed(client: httpx.Client, world: World) -> None:
    url = f"/v1/jobs/{_ask(client, world)['id']}"
    first = client.get(url)
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    world.redis.hincrby(f"job:{url[-24:]}", "found", 3)
    changed = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.json()["counts"]["found"]) == (200, 3)


def test_a_folder_whose_disk_is_not_mounted_is_accepted_where_samples_live(client: httpx.Client, world: World) -> None:
    world.sample("usb/kick.wav")
    shutil.rmtree(world.folder / "usb")
    for gone, status in (("usb", 202), ("us", 404), ("usb2", 404)):
        assert client.post("/v1/jobs", json={"path": str(world.folder / gone)}).status_code == status, gone


def test_unknown_and_foreign_jobs_are_the_same_404(client: httpx.Client, world: World) -> None:
    foreign = world.job(user="ada")
    for job in (UNKNOWN, foreign):
        for method, path in [
            ("GET", ""),
            ("GET", "/failures"),
            ("POST", "/retry"),
            ("POST", "/cancel"),
            ("POST", "/pause"),
            ("POST", "/resume"),
        ]:
            answer = client.request(method, f"/v1/jobs/{job}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert client.get("/v1/jobs/not-an-id").json()["detail"]["fields"][0]["field"] == "job_id"
    assert not world.record(foreign).cancel


def test_lost_view_is_rebuilt_from_the_chunks(client: httpx.Client, world: World) -> None:
    job = world.job()
    world.chunk(job, 5)
    world.chunk(job, 3, stage=Stage.FINISHED, state=ChunkState.DONE)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.get(f"/v1/jobs/{job}").json(), range(8)))
    assert all(answer["counts"] == answers[0]["counts"] for answer in answers)
    counts = answers[0]["counts"]
    assert (counts["found"], counts["waiting"], counts["done"]) == (8, 5, 3)
    assert answers[0]["stages"] == {"analyzed": 3, "embedded": 3, "indexed": 3}
    assert world.redis.exists(f"job:{job}")


def test_finished_job_without_a_view_is_read_from_its_document(client: httpx.Client, world: World) -> None:
    final = {"counts": {"found": 2, "done": 1, "failed": 1}, "stages": {"analyzed": 1}, "failures": {"empty": 1}}
    job = client.get(f"/v1/jobs/{world.job(state='done', final=final)}").json()
    assert (job["state"], job["counts"]["done"], job["failures"]) == ("done", 1, {"empty": 1})


def test_jobs_are_paged_exactly_while_new_ones_arrive(client: httpx.Client, world: World) -> None:
    final = {"counts": {}, "stages": {}, "failures": {}}
    first = [world.job(state="done", final=final) for _ in range(23)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/jobs", params={"limit": 5, **cursor}).json()
        seen += [job["id"] for job in page["jobs"]]
        world.job(state="done", final=final)
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(seen) == sorted(first)
    assert len(client.get("/v1/jobs", params={"state": "done", "limit": 200}).json()["jobs"]) > 23
    assert client.get("/v1/jobs", params={"state": "running"}).json() == {"jobs": [], "next": None}


@pytest.mark.parametrize(
    ("verb", "flag", "value"), [("cancel", "cancel", True), ("pause", "pause", True), ("resume", "pause", False)]
)
def test_flags_are_set_and_the_dispatcher_is_told(
    client: httpx.Client, world: World, verb: str, flag: str, value: bool
) -> None:
    job = world.job(pause=not value)
    assert client.post(f"/v1/jobs/{job}/{verb}").status_code == 202
    assert getattr(world.record(job), flag) is value
    assert eventually(lambda: len(world.queued("control")) == 1)


def test_job_that_has_ended_cannot_be_steered_but_cancelling_twice_is_fine(client: httpx.Client, world: World) -> None:
    final = {"counts": {}, "stages": {}, "failures": {}}
    done, cancelled = world.job(state="done", final=final), world.job(state="cancelled", final=final)
    world.db.jobs.update_many({}, {"$unset": {"open": ""}})
    for verb in ("cancel", "pause", "resume"):
        answer = client.post(f"/v1/jobs/{done}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (409, "job_ended")
    assert client.post(f"/v1/jobs/{cancelled}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/v1/jobs/{cancelled}/pause").status_code == 409


@pytest.mark.parametrize("count", [30, 1_500])
def test_failures_are_paged_exactly(client: httpx.Client, world: World, count: int) -> None:
    job = world.job()
    empty = world.failures(job, FailureCode.EMPTY, count)
    world.failures(job, FailureCode.TIMEOUT, 7)
    limit = max(11, count // 4)
    for code, expected in (("empty", empty), (None, None)):
        seen: list[str] = []
        params: dict[str, str | int] = {"limit": limit, **({"code": code} if code else {})}
        while True:
            page = client.get(f"/v1/jobs/{job}/failures", params=params).json()
            seen += [row["place"] for row in page["failures"]]
            if page["next"] is None:
                break
            params["cursor"] = page["next"]
        assert len(seen) == len(set(seen)) == (count if code else count + 7)
        assert expected is None or seen == expected


def test_retry_takes_each_failure_once(client: httpx.Client, world: World) -> None:
    job = world.job()
    empty, slow = world.failures(job, FailureCode.EMPTY, 3), world.failures(job, FailureCode.TIMEOUT, 2)
    one = client.post(f"/v1/jobs/{job}/retry", json={"places": [empty[0]]})
    assert (one.status_code, world.record(one.json()["id"]).request) == (202, {"places": [empty[0]]})
    by_code = client.post(f"/v1/jobs/{job}/retry", json={"code": "timeout"}).json()
    assert world.record(by_code["id"]).request["places"] == slow
    assert (by_code["kind"], by_code["retry_of"], by_code["more"]) == ("retry", job, False)
    rest = client.post(f"/v1/jobs/{job}/retry").json()
    assert world.record(rest["id"]).request["places"] == empty[1:]
    again = client.post(f"/v1/jobs/{job}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_retry")
    listed = client.get(f"/v1/jobs/{job}/failures", params={"code": "empty"}).json()["failures"]
    assert {row["retried_by"] for row in listed} == {one.json()["id"], rest["id"]}
    assert eventually(lambda: len(world.queued("control")) == 3)


@pytest.mark.parametrize("is_over", [True, False])
def test_more_failures_than_one_job_takes_are_taken_one_after_the_other(
    client: httpx.Client, world: World, monkeypatch: pytest.MonkeyPatch, is_over: bool
) -> None:
    monkeypatch.setattr(jobs, "MOST_RETRIED", 10)
    job = world.job(open=None, state="done", finished_at=datetime.now(UTC)) if is_over else world.job()
    empty, slow = world.failures(job, FailureCode.EMPTY, 12), world.failures(job, FailureCode.TIMEOUT, 12)
    taken: list[list[str]] = []
    for code, more in (("empty", True), (None, True), (None, False)):
        answer = client.post(f"/v1/jobs/{job}/retry", json={"code": code}).raise_for_status().json()
        assert answer["more"] is more
        taken.append(world.record(answer["id"]).request["places"])
    assert taken[0] == empty[:10]
    assert sorted(place for places in taken for place in places) == sorted(empty + slow)
    late = world.failures(job, FailureCode.BAD_RATE, 3)
    again = client.post(f"/v1/jobs/{job}/retry")
    if not is_over:  # what fails after others were taken up is not forgotten, wherever it lies among them
        assert world.record(again.json()["id"]).request["places"] == late


def test_retrying_all_ten_times_at_once_makes_one_job(client: httpx.Client, world: World) -> None:
    job = world.job()
    world.failures(job, FailureCode.EMPTY, 20)
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: client.post(f"/v1/jobs/{job}/retry"), range(10)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 202}) == 1
    assert world.db.jobs.count_documents({"kind": "retry"}) == 1
