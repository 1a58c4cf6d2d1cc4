"""What can be seen to be wrong with the settings before anything starts."""

from urllib.parse import urlsplit

from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.launch.folder import DataFolder
from samplemind_tasks.settings import Settings, model_cards

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
    if settings.model not in model_cards():
        raise BadSetting(f"SAMPLEMIND_MODEL is {settings.model!r}; it may be {', '.join(model_cards())}")
    DataFolder(settings.data_dir).make()
