"""What the Dockerfiles put into each image: all its programs import, nothing it must be without, all of it locked."""

import importlib.metadata
import re
import sys
import tomllib

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from samplemind_tasks.model_table import CONFIG_DIR

PROJECT = CONFIG_DIR.parent

TARGETS = {
    "api": (("api_gateway.app", "samplemind_tasks.cli"), "librosa numba torch transformers soundfile av"),
    "core": (
        ("samplemind_tasks.tasks.control", "samplemind_tasks.tasks.scan", "samplemind_tasks.launch.probe"),
        "librosa numba torch transformers soundfile av",
    ),
    "cpu": (
        ("samplemind_tasks.tasks.cpu", "samplemind_tasks.audio.warm", "samplemind_tasks.launch.probe"),
        "librosa torch transformers",
    ),
    "gpu": (
        ("samplemind_tasks.tasks.gpu", "samplemind_tasks.models", "samplemind_tasks.launch.probe"),
        "librosa numba soundfile av",
    ),
    "live": (("samplemind_tasks.tasks.live", "samplemind_tasks.launch.probe"), "librosa"),
}
"""What runs in each image, and what must not be in it."""


def extras_of(target: str) -> set[str]:
    """The extras that a Dockerfile installs for a target."""
    if target == "api":
        text = (PROJECT / "Dockerfile.api").read_text()
    else:
        text = (PROJECT / "Dockerfile.worker").read_text().partition(f"AS {target}-packages")[2]
    found = re.search(r"-e '\.\[([\w,]+)\]'", text)
    assert found
    return set(found[1].split(","))


def packages_with(extras: set[str]) -> set[str]:
    """Every package that installing the project with these extras brings."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(row for extra in extras for row in optional[extra])]
    queue, seen = [Requirement(row) for row in wanted], set()
    while queue:
        requirement = queue.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen or not applies(requirement, set()):
            continue
        seen.add(key)
        try:
            rows = importlib.metadata.requires(requirement.name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        queue += [row for row in map(Requirement, rows) if applies(row, requirement.extras)]
    return {name for name, _ in seen}


def applies(requirement: Requirement, extras: set[str]) -> bool:
    """Whether it is needed on this machine, asked for with these extras."""
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras or {""})


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Who imports whom, with the packages of others."""
    return grimp.build_graph("samplemind_tasks", "api_gateway", include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_what_its_programs_import_and_no_more_than_it_may(target: str, imports: grimp.ImportGraph) -> None:
    modules, forbidden = TARGETS[target]
    packages = packages_with(extras_of(target))
    reached = {module for start in modules for module in imports.find_upstream_modules(start)}
    assert not packages & {*forbidden.split()}
    of_others = {module for module in reached if imports.is_module_squashed(module)} - sys.stdlib_module_names
    providers = importlib.metadata.packages_distributions()
    missing = {
        name for name in of_others if not packages & {canonicalize_name(each) for each in providers.get(name, [])}
    }
    assert not missing


@pytest.mark.parametrize("target", TARGETS)
def test_every_package_of_an_image_has_its_version_locked(target: str) -> None:
    lock = (PROJECT / "requirements.lock").read_text()
    locked = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    left_to_torch = {name for name in packages_with(extras_of(target)) if re.match("nvidia-|cuda-|triton$", name)}
    assert packages_with(extras_of(target)) - left_to_torch <= locked


def test_a_container_is_never_root_and_says_how_it_is() -> None:
    for name in ("Dockerfile.api", "Dockerfile.worker"):
        text = (PROJECT / name).read_text()
        assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
        assert "HEALTHCHECK" in text
        for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE):
            assert base == "${BASE}" or re.search(rf"^FROM \S+ AS {base}$", text, re.MULTILINE)
