"""The voice application's page in a real browser: a recording, a file, and a job that is followed.

The application is deployed with a real SSH server as the engine's machine. The microphone is the
browser's own false one, which beeps.
"""

import io
import json
import math
import re
import shutil
import struct
import subprocess
import sys
import wave
from pathlib import Path

import pytest
from tests.conftest import Cloud
from tests.services.hosts.conftest import server

__all__ = ["server"]

ROOT = Path(__file__).parent.parent.parent
APPLICATION = ROOT / "apps" / "voice-quality"
WHEELS = ROOT / ".cache" / "clients" / "wheels"
AUDIT = (Path(__file__).parent / "audit.js").read_text()
SECONDS_MAX = 600
MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
SIZES = {"phone": (360, 740), "desk": (1280, 800)}

ENGINE = """
import pathlib, sys, wave
reference, degraded, mode, result = sys.argv[1:]
with wave.open(degraded) as sound:
    form = sound.getframerate(), sound.getnchannels(), sound.getsampwidth()
    frames = sound.readframes(sound.getnframes())
loud = max(abs(int.from_bytes(frames[at:at + 2], "little", signed=True))
           for at in range(0, len(frames), 2))
lines = ["mos_lqo: 4.21", "rate: %d" % form[0], "form: %d x %d" % form[1:], "loud: %d" % loud,
         "bytes: %d" % pathlib.Path(degraded).stat().st_size, "mode: " + mode]
pathlib.Path(result).write_text(chr(10).join(lines))
"""
"""An engine that tells what it was given."""


def tone(rate, channels=1, seconds=1.0):
    """A WAV file that hums."""
    sink = io.BytesIO()
    with wave.open(sink, "wb") as target:
        target.setnchannels(channels)
        target.setsampwidth(2)
        target.setframerate(rate)
        frames = bytearray()
        for number in range(int(seconds * rate)):
            frames += (
                struct.pack("<h", int(9000 * math.sin(440 * math.tau * number / rate))) * channels
            )
        target.writeframes(bytes(frames))
    return sink.getvalue()


class Deployed:
    """The application on a cloud of its own, and its engine's machine."""

    def __init__(self, cloud, folder, server):
        self.cloud = cloud
        self.jobs = folder / "jobs"
        engine = folder / "voice-engine"
        shutil.copytree(APPLICATION / "engine", engine)
        (engine / "references").mkdir()
        (engine / "references" / "welcome.wav").write_bytes(tone(16000))
        (engine / "engine.py").write_text(ENGINE)
        command = [sys.executable, str(engine / "engine.py")]
        command += ["{reference}", "{degraded}", "{mode}", "{result}"]
        (engine / "settings.json").write_text(json.dumps({"command": command}))
        self._cumulet(
            "hosts", "add", "engine", "--ssh", server.place, "--port", server.port,
            "--tag", "role=voice-engine",
        )  # fmt: skip
        self.cloud.client("ssm").put_parameter(
            Name="/voice-quality/engine-key",
            Type="SecureString",
            Value=server.key_file.read_text(),
        )
        self._deploy(folder, server, engine)
        found = self.cloud.client("cloudformation").describe_stacks(StackName="voice-quality")
        outputs = {o["OutputKey"]: o["OutputValue"] for o in found["Stacks"][0]["Outputs"]}
        self.page = local(outputs["PageUrl"], self.cloud.endpoint)
        gateway = self.cloud.client("apigateway")
        self.key = gateway.get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]

    def _deploy(self, folder, server, engine):
        copy = folder / "voice-quality"
        shutil.copytree(APPLICATION, copy, ignore=shutil.ignore_patterns(".cumulet"))
        # The wheels of the layer were fetched for this interpreter.
        template = copy / "template.yaml"
        here = f"python3.{sys.version_info.minor}"
        template.write_text(template.read_text().replace("python3.12", here))
        parameters = {
            "EngineHostKey": " ".join((server.folder / "host.pub").read_text().split()[:2]),
            "EngineUser": server.place.partition("@")[0],
            "EnginePort": server.port,
            "EngineFolder": self.jobs,
            "EngineProgram": engine / "run_job.py",
            "PollSeconds": "1",
        }
        words = [word for key, value in parameters.items() for word in ("-p", f"{key}={value}")]
        self._cumulet("deploy", copy, *words, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(WHEELS))

    def _cumulet(self, *words, **more):
        command = [sys.executable, "-m", "cumulet", *map(str, words), "--data", self.cloud.data]
        done = subprocess.run(
            command, env={**self.cloud.environment(), **more}, capture_output=True, text=True,
            timeout=SECONDS_MAX, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-8000:]}"


def local(url, endpoint):
    """The page's address on this cloud."""
    from cumulet.cli.addresses import local_url

    return local_url(url, endpoint)


@pytest.fixture
def deployed(tmp_path, server):
    if not WHEELS.is_dir():
        pytest.skip("the layer's wheels are not here; `make clients` fetches them")
    cloud = Cloud(tmp_path / "data", "--bare").start()
    try:
        yield Deployed(cloud, tmp_path, server)
    finally:
        cloud.stop()


@pytest.fixture
def listening(browser, faults):
    """A page of a browser that has a microphone."""
    running = browser.browser_type.launch(
        executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", *MICROPHONE],
    )
    context = running.new_context(permissions=["microphone"])
    context.set_default_timeout(60_000)
    context.on("page", faults.watch)
    yield context.new_page()
    running.close()


def details(page):
    names = page.locator("#details dt").all_text_contents()
    return dict(zip(names, page.locator("#details dd").all_text_contents(), strict=True))


def fill(page, deployed):
    page.get_by_label("API key").fill(deployed.key)
    page.get_by_label("Reference").fill("welcome")


def choose(page, name, content):
    page.get_by_label("Choose a file").set_input_files(
        {"name": name, "mimeType": "audio/wave", "buffer": content}
    )


def look(page, path):
    """Sizes and colours: each size in the light and in the dark."""
    for name, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=path / f"{name}-{scheme}.png", full_page=True)
            assert page.evaluate(AUDIT) == []


def test_a_recording_and_files_are_scored_on_the_page(deployed, listening, faults, tmp_path):
    page = listening
    page.goto(deployed.page)
    button = page.get_by_role("button", name="Score it")
    button.click()
    page.get_by_text("There is no recording yet.").wait_for()

    # What the microphone hears, by keyboard alone, in the rate that is wanted.
    page.locator("#record").focus()
    page.keyboard.press("Enter")
    page.get_by_text(re.compile(r"Stop \([2-9]")).wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("16 kHz").and_(page.locator("#facts")).wait_for()
    button.click()
    page.get_by_text("The API key is missing.").wait_for()
    fill(page, deployed)
    page.keyboard.press("Enter")
    page.get_by_text("4.21", exact=True).wait_for()
    told = details(page)
    assert (told["rate"], told["form"], told["mode"]) == ("16000", "1 x 2", "speech")
    assert int(told["loud"]) > 300, "the false microphone beeps"

    # A stereo file of another rate is turned into what the engine takes ...
    choose(page, "call.wav", tone(44100, channels=2))
    page.get_by_label("Sample rate").select_option("8000")
    page.get_by_text("8 kHz").and_(page.locator("#facts")).wait_for()
    button.click()
    page.locator("#details").get_by_text("8000", exact=True).wait_for()
    assert 8500 < int(details(page)["loud"]) < 9500
    # ... and one that is right already is sent as it is.
    exact = tone(16000, seconds=0.75)
    choose(page, "exact.wav", exact)
    page.get_by_label("Sample rate").select_option("16000")
    button.click()
    page.locator("#details").get_by_text(str(len(exact)), exact=True).wait_for()
    assert page.locator("#scores li").count() == 2
    look(page, tmp_path)
    assert not faults.seen

    # What cannot be scored is told in words, before it is sent and after.
    choose(page, "notes.wav", b"no sound at all")
    page.get_by_text("This file holds no sound that the browser can read.").wait_for()
    choose(page, "short.wav", tone(16000, seconds=0.2))
    page.get_by_text("It is shorter than 0.5 seconds.").wait_for()
    choose(page, "exact.wav", exact)
    page.get_by_label("Reference").fill("nobody")
    button.click()
    page.get_by_text("there is no reference nobody").wait_for()
    page.get_by_label("API key").fill("k" * 40)
    button.click()
    page.get_by_text("The key is not let in.").wait_for()
    # The browser's console tells of answers that are no success; nothing else may be there.
    assert all("Failed to load resource" in fault for fault in faults.seen), faults.seen
    faults.seen.clear()
