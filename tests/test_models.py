"""`python -m samplemind_tasks.models`: the weights are made ready before anyone waits for them."""

from pathlib import Path

import pytest

from samplemind_tasks import models
from samplemind_tasks.settings import model_cards


def test_list_names_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert models.main(["list"]) == 0
    printed = capsys.readouterr().out
    for card in model_cards().values():
        assert card.name in printed
        assert card.licence in printed


def test_verify_leaves_converted_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAMPLEMIND_DATA_DIR", str(tmp_path))
    assert models.main(["verify"]) == 0
    assert "musicnn-mtt is ready." in capsys.readouterr().out
    assert len(list((tmp_path / "models").glob("musicnn-mtt-*.safetensors"))) == 1


def test_verify_fails_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = model_cards()["musicnn-mtt"].model_copy(update={"package": "not-installed==1"})
    monkeypatch.setattr(models, "model_cards", lambda: {"broken": broken})
    monkeypatch.setenv("SAMPLEMIND_DATA_DIR", str(tmp_path))
    assert models.main(["verify"]) == 1
    assert "make setup" in capsys.readouterr().err
