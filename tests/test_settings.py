"""Settings: what is written down about them is what they are."""

from samplemind_tasks.settings import CONFIG_DIR, Settings, env_example


def test_the_example_file_is_up_to_date() -> None:
    assert (CONFIG_DIR / "samplemind.env.example").read_text() == env_example()


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
