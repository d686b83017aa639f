"""The media upload in a real browser: a large file that is cut off twice, and its user's files."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Cloud

ROOT = Path(__file__).parent.parent.parent
APPLICATION = ROOT / "apps" / "media-upload"
WHEELS = ROOT / ".cache" / "clients" / "media-wheels"
PASSWORD = "correct horse battery staple"
MIB = 1024 * 1024
LARGE_MIB = 300
SECONDS_MAX = 300
PATIENCE_MS = 120_000
"""How long a page may take on a machine that is busy with other tests."""


class Deployed:
    """The application on a cloud of its own, which may be killed and started again."""

    def __init__(self, folder):
        self.folder = folder
        self.cloud = Cloud(folder / "data", "--bare").start()
        # Signed addresses and the page's origin name the port: it stays.
        self.cloud.arguments += ("--port", self.cloud.endpoint.rpartition(":")[2])
        copy = folder / "media-upload"
        shutil.copytree(APPLICATION, copy, ignore=shutil.ignore_patterns(".cumulet", ".aws-sam"))
        # The wheels were fetched for this interpreter.
        template = copy / "template.yaml"
        here = f"python3.{sys.version_info.minor}"
        template.write_text(template.read_text().replace("python3.12", here))
        words = (sys.executable, "-m", "cumulet", "deploy", copy, "--data", self.cloud.data)
        self.run(*words, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(WHEELS))
        client = self.cloud.client("cloudformation")
        [stack] = client.describe_stacks(StackName="media-upload")["Stacks"]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        self.page = self.outputs["PageUrl"]

    def run(self, *words, **more):
        done = subprocess.run(
            [str(word) for word in words],
            env={**self.cloud.environment(), **more},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-8000:]}"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    if not WHEELS.is_dir():
        pytest.skip("the function's wheels are not here; `make clients` fetches them")
    made = Deployed(tmp_path_factory.mktemp("media"))
    yield made
    made.cloud.stop()


@pytest.fixture(autouse=True)
def patience(window):
    window.set_default_timeout(PATIENCE_MS)


@pytest.fixture
def large(tmp_path):
    """A file of 300 MB whose parts all differ; and its digest."""
    path = tmp_path / "holiday.mov"
    seed = os.urandom(MIB)
    with path.open("wb") as file:
        for turn in range(LARGE_MIB):
            file.write(seed[turn:] + seed[:turn])
    return path, digest_of(path)


def digest_of(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def field(page, name):
    return page.get_by_role("textbox", name=name, exact=True)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def row(page, name, state):
    return page.locator(f"#uploads li[data-state={state}]").filter(has_text=name)


def sign_up(page, deployed, name):
    page.goto(deployed.page)
    button(page, "Create one").click()
    # By keyboard alone: the first field has the focus, and the return key sends.
    field(page, "Name").focus()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_text("Nothing here yet.").wait_for()


def sign_in(page, deployed, name):
    page.goto(deployed.page)
    field(page, "Name").fill(name)
    field(page, "Password").fill(PASSWORD)
    button(page, "Sign in").click()
    page.get_by_role("heading", name="Your files").wait_for()


def wait_for_share(page, share):
    """Until so much of the upload that was begun last has been sent."""
    last = "[...document.querySelectorAll('progress:not([hidden])')].at(-1)"
    page.wait_for_function(f"share => {last}?.value >= share", arg=share)


def test_the_application_s_own_test_passes(deployed):
    endpoint, api = deployed.cloud.endpoint, deployed.outputs["ApiUrl"]
    # The name below `localhost` resolves in browsers; here the same is at a path.
    name = re.match(r"http://([a-z0-9]+)\.execute-api", api)[1]
    deployed.run(
        sys.executable,
        APPLICATION / "test_app.py",
        URL=f"{endpoint}/_aws/execute-api/{name}/$default",
        MEDIA_BUCKET=deployed.outputs["MediaBucket"],
        USERS_TABLE=deployed.outputs["UsersTable"],
        SIGNING_KEY=deployed.outputs["SigningKeyName"],
    )


@pytest.mark.slow
def test_a_large_file_survives_a_kill_of_the_cloud_and_a_closed_page(
    deployed, window, faults, large, tmp_path
):
    path, digest = large
    page = window.new_page()
    sign_up(page, deployed, "ada")
    page.set_input_files("#picker", path)
    wait_for_share(page, 0.2)
    deployed.cloud.kill()
    row(page, "holiday.mov", "lost").wait_for()
    deployed.cloud.start()
    wait_for_share(page, 0.5)
    page.close()

    page = window.new_page()
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else 0)
    sign_in(page, deployed, "ada")
    page.get_by_role("heading", name="Not finished").wait_for()
    page.set_input_files("#picker", path)
    row(page, "holiday.mov", "finished").wait_for()
    numbers = [re.search(r"partNumber=(\d+)", url)[1] for url in sent]
    total = -(-LARGE_MIB // 8)
    assert 0 < len(numbers) < total * 0.7, "parts that were there were sent again"
    assert not page.get_by_role("heading", name="Not finished").is_visible()
    with page.expect_download() as download:
        button(page, "Download holiday.mov").click()
    assert download.value.suggested_filename == "holiday.mov"
    download.value.save_as(tmp_path / "got")
    assert digest_of(tmp_path / "got") == digest
    # The browser tells of each request that found no cloud, or one that was about to begin.
    known = re.compile(r"net::ERR_|status of 50[0-9]")
    faults.seen[:] = [fault for fault in faults.seen if not known.search(fault)]


def test_an_upload_is_paused_resumed_and_given_up(deployed, page, tmp_path):
    film = tmp_path / "film.bin"
    film.write_bytes(os.urandom(24 * MIB))
    sign_up(page, deployed, "grace")
    # The last part is held on its way, so that there is something to pause.
    held = []
    page.route("**/*partNumber=3&*", lambda route: held.append(route))
    page.set_input_files("#picker", film)
    wait_for_share(page, 0.6)
    button(page, "Pause film.bin").click()
    row(page, "film.bin", "paused").wait_for()
    page.unroute("**/*partNumber=3&*")
    button(page, "Resume film.bin").click()
    row(page, "film.bin", "finished").wait_for()

    page.route("**/*partNumber=3&*", lambda route: held.append(route))
    page.set_input_files("#picker", film)
    wait_for_share(page, 0.6)
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as given_up:
        button(page, "Cancel film.bin").click()
    row(page, "film.bin", "cancelled").wait_for()
    assert (given_up.value.status, len(held)) == (204, 2)
    upload = given_up.value.url.rpartition("/")[2]
    client = deployed.cloud.client("s3")
    left = client.list_multipart_uploads(Bucket=deployed.outputs["MediaBucket"])
    assert not [one for one in left.get("Uploads", []) if one["Key"].endswith(upload)]
    assert page.locator("#files li").count() == 1


def test_who_is_signed_out_elsewhere_signs_in_again_and_goes_on(deployed, page, faults):
    sign_up(page, deployed, "alan")
    ended = page.evaluate(
        """async () => {
          const { token } = JSON.parse(sessionStorage.getItem("media-upload.session"));
          const { api } = await (await fetch("config.json")).json();
          const headers = { Authorization: `Bearer ${token}` };
          return (await fetch(`${api}/logout`, { method: "POST", headers })).status;
        }"""
    )
    assert ended == 204
    note = {"name": "<i>note<i>.txt", "mimeType": "text/plain", "buffer": b"text"}
    page.set_input_files("#picker", note)
    page.get_by_role("heading", name="Sign in again").wait_for()
    field(page, "Password").fill("wrong, quite wrong")
    button(page, "Sign in").click()
    page.get_by_text("the name or the password is wrong").wait_for()
    field(page, "Password").fill(PASSWORD)
    button(page, "Sign in").click()
    row(page, "<i>note<i>.txt", "finished").wait_for()
    assert all("401" in fault for fault in faults.seen)
    faults.seen.clear()
    button(page, "Delete <i>note<i>.txt").click()
    button(page, "Delete").click()
    page.get_by_text("Nothing here yet.").wait_for()
    button(page, "Sign out").click()
    field(page, "Name").wait_for()
    assert page.evaluate("sessionStorage.length") == 0


def test_the_page_fits_a_phone_and_follows_the_dark(deployed, page):
    page.set_viewport_size({"width": 360, "height": 740})
    sign_up(page, deployed, "a-rather-long-name-that-somebody-has-chosen@example.org")
    long = {"name": f"{'long' * 40}.txt", "mimeType": "", "buffer": b""}
    page.set_input_files("#picker", long)
    row(page, "longlong", "finished").wait_for()
    page.locator("#files li").wait_for()
    too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(too_wide)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) != light


def test_the_api_s_description_needs_nothing_from_elsewhere(deployed, page):
    page.goto(deployed.page)
    page.get_by_role("link", name="The API").click()
    page.locator(".opblock-summary-path", has_text="/service/upload").wait_for()
    page.locator(".opblock-summary-path", has_text="/login").click()
    page.get_by_role("button", name="Execute").wait_for()
