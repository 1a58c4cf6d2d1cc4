"""Settings: what is written down about them is what they are."""

from pathlib import Path

from samplemind_tasks.model_table import CONFIG_DIR, model_cards, network_cards
from samplemind_tasks.settings import Settings, env_example


def test_the_example_file_is_up_to_date() -> None:
    assert (CONFIG_DIR / "samplemind.env.example").read_text() == env_example()


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_network_says_whose_work_it_is_and_is_pinned() -> None:
    for network in network_cards().values():
        assert network.licence
        assert network.credit
        revision = network.place.rpartition("@")[2]
        assert network.sha256 or (network.kind_of_source == "hub" and len(revision) == 40), network.name


def test_a_file_of_ones_own_adds_and_replaces(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        """
        [networks.clap]
        architecture = "clap"
        source = "file:/models/clap"
        licence = "Apache-2.0"
        credit = "somebody"
        front_end = "clap"
        size = 512

        [models.clap-here]
        revision = "7"
        networks = ["clap"]
        joined = "mean"
        vector_size = 512
        joint_text = true
        """
    )
    cards = model_cards(own)
    assert cards["clap-here"].collection == "clap-here-7"
    assert cards["clap-here"].networks[0].source == "file:/models/clap"
    assert cards["clap"].networks[0].source == "file:/models/clap"
    assert cards.keys() == {*model_cards(), "clap-here"}
    assert model_cards()["clap"].networks[0].kind_of_source == "hub"
