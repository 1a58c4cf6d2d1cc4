"""A client generated from the OpenAPI document does the work of a session, with no line of it mended by hand."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from samplemind_tasks.features import Word

from .world import World

NAME = "samplemind_client"
README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def generated(client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The package that openapi-python-client writes for our document, as README says."""
    document = tmp_path / "openapi.json"
    document.write_bytes(client.get("/openapi.json").content)
    where = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    ran = subprocess.run(
        [
            sys.executable, "-c", "from openapi_python_client.cli import app; app()", "generate",
            "--path", str(document), "--output-path", str(tmp_path / NAME), "--meta", "none", "--fail-on-warning",
        ],
        capture_output=True, text=True, env=where, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr  # a warning is a part of the API that it left out
    monkeypatch.syspath_prepend(str(tmp_path))
    return importlib.import_module(NAME)


def test_a_session_with_a_generated_client(generated: ModuleType, client: httpx.Client, world: World) -> None:
    kick = world.sample("kick.wav", vector=[1.0], heard_as={"kick": 0.9})
    world.sample("other kick.wav", vector=[1.0, 0.1], heard_as={"kick": 0.8})

    def call(route: str) -> Any:
        return importlib.import_module(f"{NAME}.api.{route}")

    models = importlib.import_module(f"{NAME}.models")
    with generated.Client(base_url=str(client.base_url)) as ours:
        job = call("jobs.submit_job").sync(client=ours, body=models.JobRequest(path=str(world.folder)))
        assert call("jobs.get_job").sync(job.id, client=ours).state == models.JobState.QUEUED

        page = call("samples.list_samples").sync(client=ours, kind=models.Kind.LOOP)
        assert {sample.name for sample in page.samples} == {"kick.wav", "other kick.wav"}
        detail = call("samples.get_sample").sync(kick, client=ours)
        assert detail.features.tempo_bpm == 124.0
        sound = call("samples.get_audio").sync(kick, client=ours).payload.read()
        assert sound == (world.folder / "kick.wav").read_bytes()

        query = models.SearchQuery(text="kick", like=[kick], filters=models.Filters(kind=[models.Kind.LOOP]))
        (hit,) = call("search.search").sync(client=ours, body=query).hits
        assert hit.sample.name == "other kick.wav"

        gone = call("samples.get_sample").sync("0" * 24, client=ours)
        assert isinstance(gone, models.Problem)
        assert gone.code == "not_found"


@pytest.mark.usefixtures("generated")
def test_the_lines_of_the_readme_find_what_they_ask_for(
    client: httpx.Client, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.sample("night.wav", vector=[1.0], heard_as={"pad": 0.9}, words=[Word(name="dark", score=0.9)])
    (lines,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(compile(lines, "README.md", "exec"), {"URL": str(client.base_url)})  # noqa: S102 - our own lines
    assert "night.wav" in capsys.readouterr().out
