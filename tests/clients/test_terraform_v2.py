"""The real Terraform with HTTP and WebSocket APIs: apply, change, plans, destroy."""

import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.clients.test_terraform import mirror

MODULE = Path(__file__).parent / "terraform_v2" / "main.tf"


class Telling(BaseHTTPRequestHandler):
    """A backend that tells what it was sent."""

    def do_GET(self) -> None:
        told = {"path": self.path, **{k.lower(): v for k, v in self.headers.items()}}
        content = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args) -> None:
        """Say nothing."""


@pytest.fixture
def told():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Telling)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def get(cloud, api, path):
    host = f"{api}.execute-api.localhost"
    request = urllib.request.Request(cloud.endpoint + path, headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.loads(error.read())


def test_apply_change_and_destroy(run, program, cloud, told, tmp_path):
    terraform, plugins = program("terraform"), mirror()
    (tmp_path / "main.tf").write_text(MODULE.read_text())
    settings = tmp_path / "terraform.rc"
    settings.write_text(
        f'provider_installation {{\n  filesystem_mirror {{ path = "{plugins}" }}\n}}\n'
    )
    common = {"TF_CLI_CONFIG_FILE": str(settings), "TF_VAR_backend": told}

    def tell(*words, **more):
        return run(terraform, *words, "-no-color", folder=tmp_path, **common, **more).stdout

    tell("init")
    tell("apply", "-auto-approve")
    assert "No changes." in tell("plan", "-detailed-exitcode")
    found = json.loads(tell("output", "-json"))
    api = found["http"]["value"]
    status, headers, seen = get(cloud, api, "/open/a/b")
    assert (status, seen["path"], headers["x-told"]) == (200, "/a/b", "yes")
    assert "x-first" in seen
    assert get(cloud, api, "/closed/a")[0] == 401
    assert get(cloud, found["quick"]["value"], "/anything")[0] == 200
    tell("apply", "-auto-approve", TF_VAR_second="true")
    assert "No changes." in tell("plan", "-detailed-exitcode", TF_VAR_second="true")
    seen = get(cloud, api, "/open/a")[2]
    assert "x-first" not in seen
    assert seen["x-second"] == "yes"
    tell("destroy", "-auto-approve", TF_VAR_second="true")
    left = {one["Name"] for one in cloud.client("apigatewayv2").get_apis()["Items"]}
    assert not [name for name in left if "by-terraform" in name]
