"""Every error a person can meet, and what happens next.

SampleMindError                 status  retry
├── AudioError                  422     no     a bad file: recorded on the file as a result with its code
├── NotFound                    404     no
├── Conflict                    409     no
├── Forbidden                   403     no
├── BadRequest                  422     no
├── TooLarge                    413     no
├── TooMany                     429     yes    you ask for more at once than one may
├── Busy                        503     yes    all of us together do
├── StoreUnavailable            503     yes    a database is away: nobody's failure, work waits
├── IndexLost                   503     yes    the vector index is empty and being written anew
└── ModelUnavailable            503     yes    the model cannot be loaded: samples stay analysed and wait
"""

from enum import StrEnum


class FailureCode(StrEnum):
    """Why one file has no result. Wire words: stored, shown, never renamed."""

    UNREADABLE = "unreadable"
    """The file cannot be opened: no permission, broken link, input/output error."""
    VANISHED = "vanished"
    """The file was there when the folder was listed and is not any more."""
    CHANGED = "changed"
    """The file changed between listing and analysis; the next scan takes it up again."""
    STILL_GROWING = "still_growing"
    """The file kept growing while the scan waited for it."""
    NOT_REGULAR = "not_regular"
    """A pipe, socket or device, not a file."""
    UNSUPPORTED = "unsupported"
    """Audio of a kind SampleMind does not decode."""
    EMPTY = "empty"
    """No audio in it."""
    NOT_AUDIO = "not_audio"
    """The bytes are not what the name says, or the header makes no sense."""
    TOO_LARGE = "too_large"
    """More bytes than the limit."""
    TOO_LONG = "too_long"
    """Longer than the limit."""
    TOO_MANY_CHANNELS = "too_many_channels"
    BAD_RATE = "bad_rate"
    """A sample rate outside 4 to 768 kHz."""
    TIMEOUT = "timeout"
    """Analysis took longer than the limit for its duration."""
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    """Three worker processes died while this file was being read."""
    SILENT = "silent"
    """There is nothing to hear: no vector, no tags."""
    BAD_VECTOR = "bad_vector"
    """The model answered with numbers that are not finite."""
    INTERNAL = "internal"
    """A fault of ours; the worker's log has the whole story."""


TRANSIENT_CODES = frozenset(
    {
        FailureCode.UNREADABLE,
        FailureCode.VANISHED,
        FailureCode.CHANGED,
        FailureCode.STILL_GROWING,
        FailureCode.TIMEOUT,
        FailureCode.OUT_OF_MEMORY,
        FailureCode.CRASHED,
        FailureCode.INTERNAL,
    }
)
"""A rescan tries these again; the other codes stand until the file or the analyser changes."""


class SampleMindError(Exception):
    """Root of our errors: a machine-readable code, a sentence for people, an HTTP status."""

    status = 500
    code = "internal"
    retry = False

    def __init__(self, message: str, *, code: str | None = None, detail: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.detail = detail or {}


class AudioError(SampleMindError):
    """The file cannot be measured. Recorded with its code; never stops its neighbours."""

    status = 422

    def __init__(self, failure: FailureCode, message: str) -> None:
        super().__init__(message, code=failure.value)
        self.failure = failure


class NotFound(SampleMindError):
    """No such thing, or not yours."""

    status = 404
    code = "not_found"


class Conflict(SampleMindError):
    """The thing is not in a state that allows this."""

    status = 409
    code = "conflict"


class Forbidden(SampleMindError):
    """Outside what you may reach."""

    status = 403
    code = "forbidden"


class BadRequest(SampleMindError):
    """The request makes no sense; detail names the field."""

    status = 422
    code = "invalid"


class TooLarge(SampleMindError):
    """More than the limit."""

    status = 413
    code = "too_large"


class TooMany(SampleMindError):
    """One user asks for more at once than one may."""

    status = 429
    code = "too_many"
    retry = True


class Busy(SampleMindError):
    """All users together ask for more at once than the process can take."""

    status = 503
    code = "busy"
    retry = True


class StoreUnavailable(SampleMindError):
    """A database or the broker does not answer. Work waits and goes on when it does."""

    status = 503
    code = "store_unavailable"
    retry = True

    def __init__(self, store: str, message: str) -> None:
        super().__init__(f"{store}: {message}", detail={"store": store})
        self.store = store


class IndexLost(SampleMindError):
    """The vector index holds nothing although it should. It is written anew from MongoDB."""

    status = 503
    code = "index_lost"
    retry = True


class ModelUnavailable(SampleMindError):
    """The model cannot be loaded. Samples stay analysed and wait."""

    status = 503
    code = "model_unavailable"
    retry = True
