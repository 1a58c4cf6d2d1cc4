"""What can be seen to be wrong with the settings before anything starts."""

from pathlib import Path
from urllib.parse import urlsplit

from samplemind_tasks.access import WHOLE_DISK
from samplemind_tasks.errors import ModelUnavailable, SampleMindError
from samplemind_tasks.launch.folder import DataFolder
from samplemind_tasks.launch.site import MissingProgram, free_port
from samplemind_tasks.model_table import model_cards, read_words
from samplemind_tasks.settings import Settings

DEVICES = ("auto", "cpu", "cuda")
BLOB_SCHEMES = ("file", "s3")


class BadSetting(SampleMindError):
    """A setting that no part of the stack could work with."""

    code = "bad_setting"


def check_settings(settings: Settings) -> None:
    """Say what is wrong, and make the data folder.

    Raises
    ------
    BadSetting : with the variable, what it says and what it may say.
    UnusableFolder : the data folder cannot be made or written to.
    """
    if settings.device not in DEVICES:
        raise BadSetting(f"SAMPLEMIND_DEVICE is {settings.device!r}; it may be {', '.join(DEVICES)}")
    scheme = urlsplit(settings.blob_location).scheme
    if scheme not in BLOB_SCHEMES:
        raise BadSetting(f"SAMPLEMIND_BLOB_URL begins with {scheme!r}; write file:///folder or s3://bucket/prefix")
    try:
        cards = model_cards(settings.models_file)
    except SampleMindError as error:
        raise BadSetting(error.message) from error
    if settings.model not in cards:
        raise BadSetting(f"SAMPLEMIND_MODEL is {settings.model!r}; it may be {', '.join(cards)}")
    if settings.words_file is not None:
        _check_words(settings, settings.words_file)
    _check_host(settings.host)
    if settings.opens_the_whole_disk:
        raise BadSetting(WHOLE_DISK)
    DataFolder(settings.data_dir).make()


def _check_host(host: str) -> None:
    try:
        free_port(host=host)
    except (MissingProgram, UnicodeError) as error:
        message = f"SAMPLEMIND_HOST is {host!r}, no address of this machine; 0.0.0.0 means all of them"
        raise BadSetting(message) from error


def _check_words(settings: Settings, words_file: Path) -> None:
    if not settings.model_card.joint_text:
        able = ", ".join(name for name, card in model_cards(settings.models_file).items() if card.joint_text)
        able = able or "a model of your own that does"
        raise BadSetting(
            f"SAMPLEMIND_WORDS_FILE is set, but the model {settings.model} knows no text. Unset it, or choose {able}."
        )
    try:
        read_words(words_file)
    except ModelUnavailable as error:
        raise BadSetting(error.message) from error
