"""`samplemind models`: what there is, and whether it works, before anyone waits for it."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from samplemind_tasks import models
from samplemind_tasks.ai import sources
from samplemind_tasks.errors import ModelUnavailable
from samplemind_tasks.model_table import model_cards, network_cards


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAMPLEMIND_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of one's own that pins a wrong hash."""
    path = tmp_path / "own.toml"
    row = network_cards()["musicnn-mtt"]
    path.write_text(
        f"""
        [networks.musicnn-mtt]
        architecture = "musicnn"
        source = "wheel:musicnn==0.1.0"
        file = "musicnn/MTT_musicnn"
        sha256 = "{"0" * 64}"
        licence = "ISC"
        credit = "somebody"
        front_end = "musicnn"
        size = 753
        tags = {json.dumps(row.tags)}
        """
    )
    monkeypatch.setenv("SAMPLEMIND_MODELS_FILE", str(path))
    return path


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_list_names_every_network_with_its_licence_and_credit(capsys: pytest.CaptureFixture[str]) -> None:
    assert models.main([]) == 0
    printed = capsys.readouterr().out
    for network in network_cards().values():
        assert f"network {network.name}: " in printed
        for said in (network.source, network.licence, network.credit):
            assert said in printed
    assert "model ears revision 1: in use" in printed
    assert "model clap revision 1: missing" in printed


def test_list_for_a_program(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_MODEL", "musicnn-mtt")
    assert models.main(["list", "--json"]) == 0
    rows = told(capsys)
    states = {row["network"]: row["state"] for row in rows if "network" in row}
    assert states == {"musicnn-mtt": "installed", "aisfx": "installed", "sentences": "installed", "clap": "missing"}
    listed = {row["model"]: row for row in rows if "model" in row}
    assert listed.keys() == model_cards().keys()
    assert [name for name, row in listed.items() if row["in_use"]] == ["musicnn-mtt"]
    assert [name for name, row in listed.items() if row["is_here"]] == ["ears", "musicnn-mtt"]


def test_verify_makes_what_is_in_use_ready_and_asks_no_network(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert models.main(["verify", "--json"]) == 0
    rows = told(capsys)
    assert {row["network"] for row in rows if "network" in row} == {"aisfx", "musicnn-mtt", "sentences"}
    assert [row["model"] for row in rows if "model" in row] == ["ears"]
    converted = {path.name.partition("-")[0] for path in (data_dir / "models").glob("*.safetensors")}
    assert converted == {"aisfx", "musicnn"}


def test_verify_all_leaves_out_what_is_not_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert models.main(["verify", "--all"]) == 0
    printed = capsys.readouterr().out
    assert "ears is ready." in printed
    assert "musicnn-mtt is ready." in printed
    assert "clap" not in printed


def test_verify_one_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert models.main(["verify", "aisfx"]) == 0
    assert capsys.readouterr().out == "The weights of aisfx are the right ones.\n"


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("action", ["verify", "pull"])
def test_a_wrong_hash_is_a_sentence_that_names_the_command(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert models.main([action]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("model_unavailable: The weights of musicnn-mtt in ")
    assert "-m pip install --force-reinstall --no-deps musicnn==0.1.0`" in printed


def test_what_is_missing_is_a_sentence_that_names_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLEMIND_MODEL", "clap")
    assert models.main(["verify"]) == 1
    assert "clap was not downloaded yet. Run `samplemind models pull clap`." in capsys.readouterr().err


@pytest.mark.parametrize("action", ["verify", "pull"])
def test_a_name_nobody_knows_is_a_sentence(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert models.main([action, "nosuch"]) == 1
    assert "There is no model or network 'nosuch': there are ears, musicnn-mtt, clap, " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [("SAMPLEMIND_MODEL", "nosuch", "nosuch"), ("SAMPLEMIND_MODELS_FILE", "/no/such/file", "/no/such/file")],
)
def test_a_setting_that_cannot_be_is_a_sentence(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, value)
    assert models.main([]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{'bad_setting' if variable.endswith('FILE') else 'invalid'}: {variable} ")
    assert said in told


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("[models.mine", "cannot be used: Expected ']'"),
        ('[models.mine]\nnetworks = ["nosuch"]', "there is no 'nosuch'"),
        (
            '[models.mine]\nnetworks = ["aisfx"]\nrevision = 1',
            "[models.mine] revision: Input should be a valid string",
        ),
    ],
)
def test_a_table_of_ones_own_that_cannot_be_read_is_a_sentence(
    written: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(written)
    monkeypatch.setenv("SAMPLEMIND_MODELS_FILE", str(own))
    assert models.main(["verify"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"bad_setting: SAMPLEMIND_MODELS_FILE {own} cannot be used: ")
    assert says in told
    assert "http" not in told


def test_a_reader_that_has_enough_is_no_error(data_dir: Path) -> None:
    words = f"{sys.executable} -m samplemind_tasks.models list --json | head -1"
    ran = subprocess.run(["bash", "-o", "pipefail", "-c", words], capture_output=True, text=True, check=False)
    assert (ran.stderr, len(ran.stdout.splitlines())) == ("", 1)


def test_weights_whose_file_is_gone_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package stays in the list of what is installed when its file was deleted."""
    card = network_cards()["aisfx"].model_copy(update={"file": "aisfx/gone.pth"})
    assert sources.state(card, Path()) == "missing"
    with pytest.raises(ModelUnavailable, match=r"gone.pth any more. Run `\S+ -m pip install --force-reinstall"):
        sources.located(card, Path())
