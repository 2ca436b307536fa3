"""The files of docs/deploy fit together and fit the code: settings, options, addresses, ports, times, names.

Each is checked with its own tool where that can be had; the proxies run in tests/backend/test_proxies.py and
test_documented_proxies.py.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from chatbubble import views
from chatbubble.cli import main
from chatbubble.config import DEFAULT_PREFIX, Settings, describe
from chatbubble.processes import LEAVE_S

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "docs" / "deploy"
# After CHATBUBBLE_DRAIN_S a turn has 10 s to be saved, and its readers 5 s to take its end.
AFTER_DRAIN_S = 15
SETTINGS = {item.name for item in describe()}


def text_of(name: str) -> str:
    """One of the files."""
    return (DEPLOY / name).read_text("utf-8")


def assert_serves(arguments: list[str]) -> dict[str, str]:
    """These are arguments of `chatbubble serve`; returns its options."""
    assert arguments[0] == "serve"
    options = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    assert options.keys() <= {option for parameter in main.commands["serve"].params for option in parameter.opts}
    return options


def read_settings(environ: dict[str, str]) -> Settings:
    """The settings that these variables give; all of them have to be known."""
    return Settings.read({}, {name: value for name, value in environ.items() if value})


def assert_is_route(path: str) -> None:
    """`GET` on this path is one of ours, under the usual prefix."""
    assert path.startswith(DEFAULT_PREFIX)
    assert "GET" in views.ROUTES[path.removeprefix(DEFAULT_PREFIX)]


# systemd


def unit_values(key: str) -> list[str]:
    """All values of a key in the unit, in their order."""
    return re.findall(rf"^{key}=(.*)$", text_of("chatbubble@.service"), re.MULTILINE)


def test_the_unit_serves_with_settings_that_exist() -> None:
    (command,) = unit_values("ExecStart")
    program, *arguments = shlex.split(command)
    assert Path(program).name == "chatbubble"
    assert assert_serves(arguments)["--port"] == "%i"
    settings = read_settings(dict(value.split("=", 1) for value in unit_values("Environment")))
    assert settings.log_format == "json"
    (state,) = unit_values("StateDirectory")
    assert settings.database_url == f"sqlite:////var/lib/{state}/chatbubble.db"
    assert int(unit_values("TimeoutStopSec")[0]) > settings.drain_s + AFTER_DRAIN_S
    assert int(unit_values("LimitNOFILE")[0]) > 2 * settings.max_streams


def test_the_drop_in_serves_with_several_workers_and_gives_them_time() -> None:
    lines = text_of("chatbubble@.service.d/workers.conf").splitlines()
    command = lines[lines.index("ExecStart=") + 1].removeprefix("ExecStart=")
    (whole,) = unit_values("ExecStart")
    assert command == f"{whole} --workers 2"
    assert_serves(shlex.split(command)[1:])
    assert "ExecReload=/bin/kill -HUP $MAINPID" in lines
    drain_s = read_settings({}).drain_s
    assert drain_s + LEAVE_S < int(unit_values("TimeoutStopSec")[0])


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("this machine has no systemd-analyze, which comes with systemd alone")
    # Its one demand that only a machine with Chatbubble on it can meet is that the program is there.
    unit = tmp_path / "chatbubble@8000.service"
    unit.write_text(text_of("chatbubble@.service").replace("/opt/chatbubble/bin/chatbubble", sys.executable), "utf-8")
    found = subprocess.run([tool, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (found.returncode, [line for line in found.stderr.splitlines() if "chatbubble" in line]) == (0, [])


# Container


def instructions(name: str) -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, in their order."""
    joined = text_of("Dockerfile").replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    found = [line.split(None, 1) for line in lines]
    return [(kind, " ".join(value.split())) for kind, value in found if kind == name]


def test_the_image_serves_on_the_port_that_it_names() -> None:
    ((_, entry),) = instructions("ENTRYPOINT")
    ((_, command),) = instructions("CMD")
    ((_, exposed),) = instructions("EXPOSE")
    assert json.loads(entry) == ["chatbubble"]
    options = assert_serves(json.loads(command))
    assert options == {"--host": "0.0.0.0", "--port": exposed}  # noqa: S104 -- in a container of its own
    read_settings(dict(value.split("=", 1) for _, value in instructions("ENV")))


def test_the_image_asks_for_its_health_and_is_not_root() -> None:
    ((_, check),) = instructions("HEALTHCHECK")
    program = json.loads(check[check.index("[") :])
    compile(program[2], "HEALTHCHECK", "exec")
    ((_, exposed),) = instructions("EXPOSE")
    found = re.search(r"http://127\.0\.0\.1:(\d+)(/[^']*)", program[2])
    assert found is not None
    assert found[1] == exposed
    assert_is_route(found[2])
    ((_, user),) = instructions("USER")
    assert int(user) > 0
    assert f"--uid {user}" in " ".join(value for _, value in instructions("RUN"))


def test_the_image_is_built_from_what_is_there() -> None:
    (build, served) = (value.split()[0] for _, value in instructions("FROM"))
    assert build == served
    assert re.fullmatch(r"python:3\.\d+-slim", build)
    (named,) = re.findall(r"chatbubble\[([\w,]+)\]", " ".join(value for _, value in instructions("RUN")))
    extras = named.split(",")
    assert extras
    assert all(f"\n{extra} =\n" in (ROOT / "setup.cfg").read_text("utf-8") for extra in extras)


# Compose


def compose() -> Any:
    return yaml.safe_load(text_of("compose.yaml"))


def substituted(value: Any) -> str:
    """A value of the compose file as it is with nothing set but what has to be."""
    return re.sub(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)\}", lambda found: found[2] or "" if ":-" in found[0] else "x" * 16,
                  str(value))  # fmt: skip


def test_both_processes_of_the_compose_file_are_alike_and_share_what_they_have_to() -> None:
    services = compose()["services"]
    assert services["app1"] == services["app2"]
    environ = {name: substituted(value) for name, value in services["app1"]["environment"].items()}
    settings = read_settings(environ)
    assert re.fullmatch(r"redis://redis:6379/\d", settings.redis_url)
    assert re.fullmatch(r"postgresql://chatbubble:x+@postgres/chatbubble", settings.database_url)
    assert services["postgres"]["environment"]["POSTGRES_USER"] == "chatbubble"
    grace_s = int(services["app1"]["stop_grace_period"].removesuffix("s"))
    assert grace_s > settings.drain_s + AFTER_DRAIN_S


def test_what_the_compose_file_names_is_there() -> None:
    whole = compose()
    services, build = whole["services"], whole["services"]["app1"]["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    for service in services.values():
        assert set(service.get("depends_on", {})) <= services.keys()
        for volume in service.get("volumes", []):
            source = substituted(volume).split(":")[0]
            assert source.startswith("/") or source in whole["volumes"] or (DEPLOY / source).is_file(), volume
    assert services["nginx"]["configs"][0]["source"] in whole["configs"]


def test_the_compose_file_puts_nginx_in_front_of_both() -> None:
    upstream = compose()["configs"]["upstream"]["content"]
    servers = [line.strip() for line in upstream.splitlines() if "server " in line]
    own = re.findall(r"^    (server .*;)$", text_of("nginx/upstream.conf"), re.MULTILINE)[0]
    assert servers == [own.replace("127.0.0.1", name) for name in ("app1", "app2")]


def test_docker_can_read_the_compose_file() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("this machine has no docker with its compose plugin, which no package of the system brings")
    environ = {"PATH": str(Path(docker).parent), "POSTGRES_PASSWORD": "x" * 16, "HOME": "/nonexistent"}
    command = [docker, "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "--quiet"]
    read = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr


# Kubernetes


def manifests() -> dict[str, Any]:
    """The objects of the manifest by their kind."""
    return {item["kind"]: item for item in yaml.safe_load_all(text_of("kubernetes.yaml"))}


def pod() -> Any:
    return manifests()["Deployment"]["spec"]["template"]


def test_a_pod_has_the_time_that_its_answers_take() -> None:
    settings = read_settings(manifests()["ConfigMap"]["data"])
    (container,) = pod()["spec"]["containers"]
    pause, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    assert pause == "sleep"
    assert pod()["spec"]["terminationGracePeriodSeconds"] > int(seconds) + settings.drain_s + AFTER_DRAIN_S
    strategy = manifests()["Deployment"]["spec"]["strategy"]["rollingUpdate"]
    assert strategy["maxUnavailable"] == 0
    assert manifests()["PodDisruptionBudget"]["spec"]["minAvailable"] < manifests()["Deployment"]["spec"]["replicas"]


def test_a_pod_serves_on_the_port_that_is_asked_and_is_asked_where_it_answers() -> None:
    (container,) = pod()["spec"]["containers"]
    (port,) = container["ports"]
    assert assert_serves(container["args"])["--port"] == str(port["containerPort"])
    for probe in ("startupProbe", "readinessProbe"):
        assert_is_route(container[probe]["httpGet"]["path"])
        assert container[probe]["httpGet"]["port"] == port["name"]
    # It is not well while it drains, and must not be killed for that.
    assert container["livenessProbe"]["tcpSocket"] == {"port": port["name"]}


def test_the_objects_of_the_manifest_find_each_other() -> None:
    found = manifests()
    labels = pod()["metadata"]["labels"]
    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert found["Service"]["spec"]["selector"] == labels
    (container,) = pod()["spec"]["containers"]
    (port,) = found["Service"]["spec"]["ports"]
    assert port["targetPort"] == container["ports"][0]["name"]
    path = found["Ingress"]["spec"]["rules"][0]["http"]["paths"][0]
    assert path["backend"]["service"] == {"name": found["Service"]["metadata"]["name"], "port": {"name": port["name"]}}
    assert path["path"] == DEFAULT_PREFIX
    assert container["envFrom"][0]["configMapRef"]["name"] == found["ConfigMap"]["metadata"]["name"]
    volumes = {volume["name"] for volume in pod()["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    ((_, user),) = instructions("USER")
    assert pod()["spec"]["securityContext"]["runAsUser"] == int(user)


def test_the_secret_of_the_manifest_has_settings_that_exist() -> None:
    named = set(re.findall(r"--from-literal=(CHATBUBBLE_\w+)=", text_of("kubernetes.yaml")))
    assert named == {"CHATBUBBLE_REDIS_URL", "CHATBUBBLE_DATABASE_URL", "CHATBUBBLE_OPERATOR_TOKEN"}
    assert named <= SETTINGS


# All


@pytest.mark.parametrize("name", ["nginx/chatbubble.conf", "kubernetes.yaml"])
def test_every_proxy_waits_for_300_seconds_and_buffers_nothing(name: str) -> None:
    text = text_of(name).replace("-", "_").replace('"', "").replace(":", "")
    for wanted in ("proxy_read_timeout 300", "proxy_send_timeout 300", "proxy_buffering off"):
        assert wanted in text


def test_haproxy_waits_as_long() -> None:
    text = text_of("haproxy.cfg")
    for wanted in ("timeout client 300s", "timeout server 300s", "option http-no-delay", "option abortonclose"):
        assert f"    {wanted}\n" in text


def test_every_setting_that_is_named_exists() -> None:
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            named = set(re.findall(r"CHATBUBBLE_[A-Z]+(?:_[A-Z]+)*", path.read_text("utf-8")))
            assert named <= SETTINGS, path


def test_the_page_leads_to_every_file() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text("utf-8")
    files = {path.relative_to(ROOT / "docs").as_posix() for path in DEPLOY.rglob("*") if path.is_file()}
    linked = set(re.findall(r"\]\((deploy/[^)#]+)\)", page))
    assert linked == files - {"deploy/grafana.json", "deploy/Dockerfile.dockerignore"}
