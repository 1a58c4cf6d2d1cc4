"""One error shape for everything that can go wrong: {code, message, detail}."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.logs import REQUEST_ID, get_log
from samplemind_tasks.schemas import Problem

RETRY_AFTER_S = 2

CODES = {
    404: "no_such_route",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    400: "bad_request",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
}

log = get_log(__name__)


def problem_response(status: int, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem as an answer."""
    return Response(problem.model_dump_json(), status_code=status, media_type="application/json", headers=headers)


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors an operation may answer, for the OpenAPI document."""
    return {
        status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in sorted({*statuses, 422, 503})
    }


def install_problem_handlers(app: FastAPI) -> None:
    """Give every error of the application the one shape."""
    app.add_exception_handler(SampleMindError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, SampleMindError)  # noqa: S101 - registered for nothing else
    headers = {"Retry-After": str(RETRY_AFTER_S)} if error.retry else None
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request_refused", path=request.url.path, status=error.status, why=error.message)
    return problem_response(error.status, Problem(code=error.code, message=error.message, detail=error.detail), headers)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    fields = [{"field": _field(row["loc"]), "message": _in_words(row)} for row in error.errors()]
    message = "; ".join(f"{row['field']}: {row['message']}" for row in fields[:3])
    return problem_response(422, Problem(code="invalid", message=message, detail={"fields": fields}))


def invalid_fields(errors: Sequence[Any], whole: str) -> list[dict[str, str]]:
    """The fields at fault of something we read ourselves; `whole` where all of it is."""
    return [{"field": ".".join(map(str, row["loc"])) or whole, "message": _in_words(row)} for row in errors]


def _in_words(row: Any) -> str:
    """What the validator says, less its jargon."""
    told = {
        "string_pattern_mismatch": "has characters that may not be there, or is of another form",
        "extra_forbidden": "there is no such field",
        "model_attributes_type": "should be a JSON object; send it with Content-Type: application/json",
    }
    if row.get("type") == "json_invalid" and isinstance(row["loc"][-1], int):
        return f"this is no JSON: {row['ctx']['error']}, at character {row['loc'][-1]}"
    return told.get(str(row.get("type")), str(row["msg"]).removeprefix("Value error, "))


def _field(location: Sequence[str | int]) -> str:
    """The name a person knows the field by: `uploads.0`; `body` where the body as a whole is at fault."""
    place, *names = location
    if place == "body" and (not names or isinstance(names[0], int)):  # a number: where the JSON breaks off
        return "body"
    return ".".join(map(str, names or location))


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    if error.status_code == HTTPStatus.BAD_REQUEST and error.__cause__:
        message = _why_unread(error.__cause__)
        fields = [{"field": "body", "message": message}]
        return problem_response(422, Problem(code="invalid", message=f"body: {message}", detail={"fields": fields}))
    code = CODES.get(error.status_code, f"http_{error.status_code}")
    headers = dict(error.headers) if error.headers else None
    return problem_response(error.status_code, Problem(code=code, message=str(error.detail)), headers)


def _why_unread(error: BaseException) -> str:
    """What a body is that json cannot read, and says so by neither place nor character."""
    if isinstance(error, UnicodeDecodeError):
        return "the bytes are no text in UTF-8"
    if isinstance(error, RecursionError):
        return "lists and objects lie too deep in one another"
    return "there is a number in it with too many digits" if isinstance(error, ValueError) else "this is no JSON"


async def _gone(request: Request, _: Exception) -> Response:
    log.info("client_went_away", method=request.method, path=request.url.path)
    return Response(status_code=400)  # nobody reads it


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    # this answer is made outside of our middleware, which names all others
    request_id = request.scope.get(REQUEST_ID, "")
    message = f"something went wrong on our side; the gateway's log has the whole story under {request_id}"
    return problem_response(500, Problem(code="internal", message=message), {"X-Request-ID": request_id})
