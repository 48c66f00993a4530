"""The Dockerfile and the compose file, read by a parser: they name what is there. Nothing here builds or runs them."""

from __future__ import annotations

import argparse
import json
import re
import shlex

import pytest
import yaml

from helpers.old.serving.settings import Settings, add_options, from_arguments
from tests.tools.notebook import ROOT

DEPLOY = ROOT / "helpers" / "old" / "serving" / "deploy"
INSTRUCTIONS = "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN SHELL STOPSIGNAL USER VOLUME WORKDIR"


def instructions(text: str) -> list[tuple[str, str]]:
    """(instruction, arguments) of a Dockerfile. Raises ValueError for what is none."""
    joined = re.sub(r"\s*\\\s*\n\s*", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    found = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, rest = line.partition(" ")
        if name not in INSTRUCTIONS.split() or not rest.strip():
            raise ValueError(f"This is no instruction of a Dockerfile: {line}")
        found.append((name, rest.strip()))
    if not found or found[0][0] not in ("FROM", "ARG"):
        raise ValueError("A Dockerfile begins with FROM.")
    return found


@pytest.fixture(scope="module")
def image():
    return instructions((DEPLOY / "Dockerfile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def only(image, name):
    [found] = [rest for instruction, rest in image if instruction == name]
    return found


def settings(arguments: list[str]) -> Settings:
    """What `python -m helpers.serving` makes of these options; an unknown one ends the test."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return from_arguments(parser.parse_args(arguments))


def test_the_parser_refuses_what_is_no_dockerfile():
    for wrong in ("RUN x", "FROM x\nRUNN y", "FROM", ""):
        with pytest.raises(ValueError):
            instructions(wrong)
    assert instructions("FROM a\n# note\nRUN b \\\n  && c") == [("FROM", "a"), ("RUN", "b && c")]


def test_everything_that_is_copied_is_in_the_repository(image):
    copied = [source for name, rest in image if name == "COPY" for source in shlex.split(rest)[:-1]]
    assert "helpers" in copied and "data" in copied
    assert all((ROOT / source).exists() for source in copied)


def test_the_base_is_a_fixed_version_of_a_python_that_the_course_runs_on(image):
    version = re.fullmatch(r"python:3\.(\d+)-slim", only(image, "FROM"))
    assert version and 11 <= int(version[1]) <= 13


def test_the_server_does_not_run_as_root_and_has_its_models_inside(image):
    names = [name for name, _ in image]
    fetched = image.index(("RUN", "python -m helpers.models --fetch"))
    assert names.index("USER") < fetched < names.index("ENTRYPOINT")
    assert only(image, "USER") != "root"


def test_the_server_understands_its_options_and_stops_as_it_is_told(image, compose):
    entry, default = json.loads(only(image, "ENTRYPOINT")), json.loads(only(image, "CMD"))
    assert entry[:3] == ["python", "-m", "helpers.serving"] and only(image, "STOPSIGNAL") == "SIGTERM"
    alone = settings(entry[3:] + default)
    service = compose["services"]["server"]
    composed = settings(entry[3:] + service["command"])
    assert str(alone.port) == only(image, "EXPOSE") and alone.host == "0.0.0.0"
    assert composed.adapters == ("tickets",) and (ROOT / "data" / "adapters" / "tickets").is_dir()
    assert int(service["stop_grace_period"].rstrip("s")) > composed.drain_seconds + 5
    assert composed.keys_file.as_posix() == f"/run/secrets/{service['secrets'][0]}"
    [port] = service["ports"]
    assert port == f"127.0.0.1:8000:{composed.port}"  # nobody outside this machine gets in by accident


def test_health_is_asked_where_the_server_answers(image):
    from helpers.old.serving.api_other import router

    address = re.search(r"http://127\.0\.0\.1:8000(/\w+)", only(image, "HEALTHCHECK"))[1]
    assert address in {route.path for route in router.routes}


def test_the_compose_file_names_what_there_is(compose):
    assert set(compose) == {"services", "secrets", "configs"}
    build = compose["services"]["server"]["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT and (ROOT / build["dockerfile"]).is_file()
    for service in compose["services"].values():
        assert not service["image"].endswith(":latest") and ":" in service["image"]
        assert all(name in compose["services"] for name in service.get("depends_on", ()))
        assert all(name in compose["secrets"] for name in service.get("secrets", ()))
        assert all(config["source"] in compose["configs"] for config in service.get("configs", ()))
    scraped = yaml.safe_load(compose["configs"]["prometheus"]["content"])
    assert scraped["scrape_configs"][0]["static_configs"] == [{"targets": ["server:8000"]}]


def test_both_files_say_that_they_were_not_run():
    for name in ("Dockerfile", "compose.yaml"):
        assert re.search(r"Not (built|run) where the course was made", (DEPLOY / name).read_text(encoding="utf-8"))
