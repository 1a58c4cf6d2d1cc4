"""ETags: what a client has already is not sent again, and never something that has changed since."""

import httpx
import pytest

from .world import World


@pytest.mark.parametrize(
    "path", ["/v1/samples", "/v1/samples/{sample}", "/v1/samples/{sample}/peaks", "/v1/stats", "/v1/jobs"]
)
def test_a_client_that_has_the_answer_is_told_so(world: World, client: httpx.Client, path: str) -> None:
    path = path.format(sample=world.sample("kick.wav", vector=[1.0]))
    first = client.get(path)
    assert first.status_code == 200
    again = client.get(path, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert "private" in first.headers["Cache-Control"]
    assert client.get(path, headers={"If-None-Match": '"other"'}).content == first.content


def test_what_has_changed_is_sent(world: World, client: httpx.Client) -> None:
    sample = world.sample("kick.wav", vector=[1.0])
    for path in (f"/v1/samples/{sample}", "/v1/samples"):
        had = {"If-None-Match": client.get(path).headers["ETag"]}
        assert client.get(path, headers=had).status_code == 304
        note = path.rsplit("/", 1)[-1]
        assert (
            client.patch(f"/v1/samples/{sample}", json={"favourite": note == "samples", "note": note}).status_code
            == 200
        )
        assert client.get(path, headers=had).status_code == 200


def test_errors_streams_and_other_methods_have_no_etag(world: World, client: httpx.Client) -> None:
    assert "ETag" not in client.get("/v1/samples/" + "0" * 24).headers
    assert "ETag" not in client.get("/v1/export?format=jsonl").headers
    assert "ETag" not in client.post("/v1/search", json={"text": "kick"}).headers
    gone = client.get("/v1/samples/" + "0" * 24, headers={"If-None-Match": "*"})
    assert gone.status_code == 404
