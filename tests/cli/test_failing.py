"""How a call fails: what a person and a program read when something is not there or makes no sense."""

import json
import os

import pytest

from cli.calling import Called, answering, run_program
from samplemind_tasks.cli.call import read_settings
from samplemind_tasks.settings import default_data_dir


@pytest.mark.parametrize("arguments", [["list"], ["jobs"], ["stats"], ["add", "x"], ["cancel", "abcdef"]])
@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_without_a_stack_every_command_says_how_to_start_it(
    call: Called, arguments: list[str], json_option: list[str]
) -> None:
    outcome = call(*arguments, *json_option)
    assert outcome.code == 1
    assert outcome.out == ""
    if json_option:
        told = json.loads(outcome.err)
        code, message, step = told["code"], told["message"], told["next"]
    else:
        said, step = outcome.err.splitlines()
        code, _, message = said.partition(": ")
    assert code == "not_running"
    assert message.startswith("no stack runs on ")
    assert "samplemind up`" in step


@pytest.mark.parametrize(
    "arguments", [["list", "--bpm", "x"], ["list", "--kind", "song"], ["add"], ["add", ""], ["nonsense"]]
)
def test_a_call_that_makes_no_sense_exits_with_2(call: Called, arguments: list[str]) -> None:
    outcome = call(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""


@pytest.mark.parametrize("arguments", [["search", "kick", "--bpm", "abc"], ["list", "--bogus"], ["show"]])
def test_a_program_is_told_in_json_too_that_its_call_makes_no_sense(arguments: list[str]) -> None:
    outcome = run_program(*arguments, "--json", SAMPLEMIND_URL="http://127.0.0.1:9")
    assert (outcome.code, outcome.out) == (2, "")
    told = json.loads(outcome.err)
    assert told["code"] == "usage"
    assert told["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--octaves"],
        ["search", "kick", "--octaves"],
        ["export", "--compatible"],
        ["list", "--name", ""],
        ["list", "--tag", ""],
        ["list", "--bpm", "0"],
        ["set", "--where", "kind=loop", "--where", "kind=one-shot", "--tag", "a"],
    ],
)
def test_a_filter_that_would_pass_for_another_is_refused(call: Called, arguments: list[str]) -> None:
    assert call(*arguments, "--url", "http://127.0.0.1:9").code == 2


def test_export_speaks_json_to_programs_or_says_why_not(call: Called) -> None:
    outcome = call("export", "--json", "--format", "parquet", "--url", "http://127.0.0.1:9")
    assert json.loads(outcome.err)["code"] == "invalid"


def test_a_setting_that_makes_no_sense_is_named(call: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_MAX_UPLOAD_BYTES", "plenty")
    outcome = call("list")
    assert outcome.code == 2
    assert "SAMPLEMIND_MAX_UPLOAD_BYTES" in outcome.err


def test_a_list_that_is_no_json_is_shown_as_it_should_be(call: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_ROOTS", "/music")
    for command in ("list", "up"):
        outcome = call(command)
        assert outcome.code == 2
        assert """SAMPLEMIND_ROOTS='["/music"]'""" in " ".join(outcome.err.replace("│", "").split())


def test_a_word_that_is_none_of_the_choices_is_said_with_them(call: Called) -> None:
    outcome = call("list", "--kind", "bongo")
    assert outcome.code == 2
    assert "'bongo' is none of one-shot, loop, track" in outcome.err
    assert "Value error" not in outcome.err


def test_a_data_folder_set_to_nothing_is_not_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_DATA_DIR", "")
    assert read_settings("", None).data_dir == default_data_dir()


# --------------------------------------------------------------------------------------------- names that are not UTF-8

LATIN = os.fsdecode(b"latin1_\xe9.wav")


@pytest.mark.parametrize("arguments", [["show", LATIN], ["delete", LATIN], ["list", "--path", LATIN, "--name", LATIN]])
def test_a_name_that_is_not_utf8_is_asked_for_as_it_is_shown(call: Called, arguments: list[str]) -> None:
    asked: list[str] = []
    with answering(200, '{"samples": []}', asked) as url:
        outcome = call(*arguments, "--url", url)
    assert "Traceback" not in outcome.err
    assert "latin1_%EF%BF%BD.wav" in asked[0]


def test_a_folder_whose_name_is_not_utf8_cannot_be_added(call: Called) -> None:
    outcome = call("add", os.fsdecode(b"/music/d\xe9"), "--url", "http://127.0.0.1:9")
    assert outcome.code == 1
    assert outcome.err.startswith("not_utf8: /music/d\ufffd: ")
    assert "add the folder around it" in outcome.err


@pytest.mark.parametrize("pattern", ["", os.fsdecode(b"*\xe9*")])
def test_a_request_of_ours_that_makes_no_sense_is_not_blamed_on_the_gateway(call: Called, pattern: str) -> None:
    outcome = call("add", "/music", "--include", pattern, "--url", "http://127.0.0.1:9")
    assert outcome.code == 1
    assert outcome.err.startswith("invalid: ")


def test_what_is_neither_an_id_nor_a_file_is_said_so(call: Called) -> None:
    with answering(200, '{"samples": []}') as url:
        outcome = call("show", "nope", "--url", url)
    assert outcome.err.startswith("no_such_sample: nothing in the library is called 'nope', and there is no such file")


def test_nobody_listens_there(call: Called) -> None:
    outcome = call("stats", "--url", "http://127.0.0.1:9")
    assert outcome.code == 1
    assert outcome.err.startswith("unreachable: no answer from http://127.0.0.1:9")


def test_the_gateways_own_words_reach_the_person(call: Called) -> None:
    with answering(503, json.dumps({"code": "store_unavailable", "message": "mongodb: away", "detail": {}})) as url:
        outcome = call("stats", "--url", url)
    assert outcome.code == 1
    assert outcome.err.splitlines()[0] == "store_unavailable: mongodb: away"
    assert outcome.err.splitlines()[1].startswith("next: ")


def test_another_server_at_that_address_is_noticed(call: Called) -> None:
    with answering(502, "<html>Bad Gateway</html>") as url:
        outcome = call("stats", "--url", url)
    assert outcome.code == 1
    assert outcome.err.startswith("http_502: ")
    assert "is this SampleMind?" in outcome.err


def test_something_that_is_no_json_with_status_200_is_noticed_too(call: Called) -> None:
    with answering(200, "<html>Welcome to nginx</html>") as url:
        outcome = call("stats", "--url", url)
    assert outcome.code == 1
    assert "is this SampleMind?" in outcome.err
