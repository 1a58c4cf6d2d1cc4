"""Where weights come from, told by a real folder, a real package and a hub on this machine."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from ai.hub import COMMIT, Hub, serving

from samplemind_tasks.ai import sources
from samplemind_tasks.ai.sources import checked, located, pull, sha256_of, state, weights_file
from samplemind_tasks.cards import ModelCard, NetworkCard
from samplemind_tasks.errors import ModelUnavailable
from samplemind_tasks.model_table import network_cards


@pytest.fixture
def hub(clap_folder: Path, tmp_path: Path) -> Iterator[Hub]:
    folder = shutil.copytree(clap_folder, tmp_path / "repository")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "modeling_own.py").write_text("raise SystemExit")
    with serving(folder) as running:
        yield running


@pytest.fixture
def from_hub(clap_card: ModelCard, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> NetworkCard:
    """The library's own download, sent to the hub on this machine."""
    monkeypatch.setattr(sources, "snapshot_download", partial(sources.snapshot_download, endpoint=hub.url))
    return clap_card.networks[0].model_copy(update={"source": f"hub:owner/tiny@{COMMIT}"})


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def run_pull(hub: Hub, data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`samplemind models pull`, with the hub's address where its library reads it."""
    models_file = data_dir / "own.toml"
    data_dir.mkdir(exist_ok=True)
    models_file.write_text(
        f"""
        [networks.from-hub]
        architecture = "clap"
        source = "hub:owner/tiny@{COMMIT}"
        licence = "none needed"
        credit = "random numbers"
        front_end = "clap"
        size = 32

        [models.from-hub]
        revision = "1"
        networks = ["from-hub"]
        joined = "mean"
        vector_size = 32
        joint_text = true
        """
    )
    return subprocess.run(
        [sys.executable, "-m", "samplemind_tasks.models", *arguments],
        env={
            **os.environ,
            "HF_ENDPOINT": hub.url,
            "SAMPLEMIND_DATA_DIR": str(data_dir),
            "SAMPLEMIND_MODELS_FILE": str(models_file),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_hub_is_asked_once_and_never_again(hub: Hub, tmp_path: Path) -> None:
    missing = run_pull(hub, tmp_path / "data", "verify", "from-hub")
    assert missing.returncode == 1
    assert (
        "model_unavailable: from-hub was not downloaded yet. Run `samplemind models pull from-hub`." in missing.stderr
    )
    assert hub.requests == []
    done = run_pull(hub, tmp_path / "data", "pull", "from-hub")
    assert done.returncode == 0, done.stderr
    assert any(path.endswith("model.safetensors") for path in hub.requests)
    assert not any(path.endswith((".bin", ".py")) for path in hub.requests), "no pickles, no code"
    hub.requests.clear()
    verified = run_pull(hub, tmp_path / "data", "verify", "from-hub")
    assert verified.returncode == 0, verified.stderr
    assert "from-hub is ready." in verified.stdout
    assert hub.requests == []


def test_a_download_that_was_damaged_is_noticed_and_fetched_again(from_hub: NetworkCard, tmp_path: Path) -> None:
    """The hub's own sha256 is the name of the file in the cache: nothing needs to be pinned for it."""
    weights = pull(from_hub, tmp_path) / "model.safetensors"
    whole = weights.read_bytes()
    weights.resolve().write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelUnavailable, match=r"not the pinned ones.*Run `samplemind models pull tiny-clap`"):
        checked(from_hub, located(from_hub, tmp_path))
    checked(from_hub, pull(from_hub, tmp_path))
    assert weights.read_bytes() == whole


def test_what_a_hub_sends_must_be_what_is_pinned(from_hub: NetworkCard, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="not the pinned ones"):
        pull(from_hub.model_copy(update={"sha256": "0" * 64}), tmp_path)


def test_a_hub_that_holds_a_pickle_alone_is_a_sentence(from_hub: NetworkCard, hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match=r"holds no model\.safetensors; pickles are never read"):
        pull(from_hub, tmp_path)


def test_a_hub_that_does_not_have_it_is_a_sentence(from_hub: NetworkCard, tmp_path: Path) -> None:
    other = from_hub.model_copy(update={"source": f"hub:owner/other@{COMMIT}"})
    with pytest.raises(ModelUnavailable, match=r"tiny-clap could not be downloaded: .*SAMPLEMIND_MODELS_FILE"):
        pull(other, tmp_path)


def test_a_hub_that_does_not_answer_is_one_sentence(
    from_hub: NetworkCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every try was told, with its address and how long the next one would wait."""
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(sources, "snapshot_download", partial(sources.snapshot_download, endpoint=address))
        with pytest.raises(ModelUnavailable, match=r"could not be downloaded: .*refused\. Try again with a connection"):
            pull(from_hub, tmp_path)
    assert caplog.records == []


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", ["musicnn-mtt", "aisfx", "sentences"])
def test_what_is_installed_is_found_and_is_the_pinned_file(name: str, tmp_path: Path) -> None:
    card = network_cards()[name]
    path = checked(card, located(card, tmp_path))
    assert sha256_of(weights_file(card, path)) == card.sha256
    assert pull(card, tmp_path) == path
    assert state(card, tmp_path) == "installed"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_network")
def test_a_folder_is_found_and_checked(clap_card: ModelCard, clap_folder: Path, tmp_path: Path) -> None:
    card = clap_card.networks[0]
    assert located(card, tmp_path) == clap_folder
    assert checked(card, clap_folder) == clap_folder
    assert state(card, tmp_path) == "there"
    pinned = card.model_copy(update={"sha256": sha256_of(clap_folder / "model.safetensors")})
    assert checked(pinned, clap_folder) == clap_folder
    with pytest.raises(ModelUnavailable, match=rf"are not the pinned ones.*models\.toml names {clap_folder}"):
        checked(card.model_copy(update={"sha256": "0" * 64}), clap_folder)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("wheel:not-there==1.0", r"Run `\S+ -m pip install --force-reinstall --no-deps not-there==1\.0`"),
        ("wheel:musicnn==9.9", r"needs musicnn==9\.9, but 0\.1\.0 is installed"),
        (f"hub:owner/tiny@{COMMIT}", r"Run `samplemind models pull tiny-clap`"),
        ("file:/nowhere", r"its row in models\.toml names /nowhere"),
    ],
)
def test_what_is_missing_names_what_mends_it(clap_card: ModelCard, tmp_path: Path, source: str, command: str) -> None:
    card = clap_card.networks[0].model_copy(update={"source": source})
    with pytest.raises(ModelUnavailable, match=command):
        located(card, tmp_path)
    assert state(card, tmp_path) == "missing"


@pytest.mark.usefixtures("no_network")
def test_a_download_cut_off_before_its_weights_is_not_there(clap_card: ModelCard, tmp_path: Path) -> None:
    card = clap_card.networks[0].model_copy(update={"source": f"hub:owner/tiny@{COMMIT}"})
    snapshot = tmp_path / "hub" / "models--owner--tiny" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    with pytest.raises(ModelUnavailable, match=r"in part only\. Run `samplemind models pull tiny-clap`"):
        located(card, tmp_path)
