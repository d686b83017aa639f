"""The notebooks' page in a real browser: notes written, found, contested, expired; by keys."""

import shutil
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parent.parent.parent
APPLICATION = ROOT / "apps" / "first-microservice" / "web"
STACK = "notebooks-in-a-browser"
SECONDS_MAX = 300
PATIENCE_MS = 90_000


@pytest.fixture(scope="module")
def address(cloud, tmp_path_factory):
    """Where the page is."""
    copy = tmp_path_factory.mktemp("notebooks") / "web"
    shutil.copytree(APPLICATION, copy, ignore=shutil.ignore_patterns(".cumulet", ".aws-sam"))
    words = [sys.executable, "-m", "cumulet", "deploy", str(copy), "--data", str(cloud.data)]
    done = subprocess.run(
        [*words, "--stack-name", STACK],
        env=cloud.environment(), capture_output=True, text=True, timeout=SECONDS_MAX, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [stack] = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    yield {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}["PageUrl"]
    cloud.client("cloudformation").delete_stack(StackName=STACK)


@pytest.fixture(autouse=True)
def patience(window):
    window.set_default_timeout(PATIENCE_MS)


@pytest.fixture
def notebook(page, address):
    """The page, at a new notebook; its name."""
    page.goto(address)
    return make_notebook(page)


def make_notebook(page):
    name = f"Küche & Garten {uuid.uuid4().hex[:8]}"
    button(page, "New notebook").click()
    page.get_by_label("Name").fill(name)
    button(page, "Make notebook").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text("Nothing written here yet.")).to_be_visible()
    return name


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def note(page, title):
    return page.locator("#notes li").filter(has=button(page, title))


def write(page, title, text="", tag="", expires=""):
    button(page, "New note").click()
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_label("Tag", exact=True).fill(tag)
    if expires:
        page.get_by_label("Expires").select_option(expires)
    button(page, "Save").click()
    expect(note(page, title)).to_be_visible()


def open_note(page, title):
    button(page, title).click()
    expect(page.get_by_role("dialog", name="Edit note")).to_be_visible()


def search(page, words):
    page.get_by_role("searchbox").fill(words)
    button(page, "Find").click()


def found(page, words, title):
    """Search until the global index has it."""
    for _ in range(60):
        search(page, words)
        expect(page.locator("#notes li, #empty:visible").first).to_be_visible()
        if note(page, title).count():
            return
        page.reload()
    raise AssertionError(f"{title} is not found by {words}")


def test_a_note_is_written_changed_found_and_deleted(page, notebook):
    mark = uuid.uuid4().hex[:12]
    write(page, f"{mark} <b>Tomatoes</b>", "Water them.\nEvery day.", mark.upper(), "In a week")
    card = note(page, f"{mark} <b>Tomatoes</b>")
    expect(card).to_contain_text("Water them. Every day.")
    expect(card).to_contain_text("expires in 6 days")
    open_note(page, f"{mark} <b>Tomatoes</b>")
    expect(page.get_by_label("Text", exact=True)).to_have_value("Water them.\nEvery day.")
    expect(page.get_by_label("Expires")).to_have_value("at")
    page.get_by_label("Text", exact=True).fill("Harvest them.")
    page.get_by_label("Expires").select_option("Never")
    button(page, "Save").click()
    expect(card).to_contain_text("Harvest them.")
    expect(card).not_to_contain_text("expires")

    found(page, f"#{mark}", f"{mark} <b>Tomatoes</b>")
    expect(page.get_by_role("heading", level=2, name=f"Notes with #{mark}")).to_be_visible()
    found(page, mark.upper(), f"{mark} <b>Tomatoes</b>")
    page.get_by_role("main").get_by_role("link", name=notebook).click()
    expect(page.get_by_role("heading", level=2, name=notebook)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=2, name="Titles that begin with")).to_be_visible()

    open_note(page, f"{mark} <b>Tomatoes</b>")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    button(page.get_by_role("dialog", name="Delete"), "Keep it").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    button(page.get_by_role("dialog", name=f"Delete {mark}"), "Delete").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("navigation").get_by_role("link", name=notebook).click()
    expect(page.get_by_text("Nothing written here yet.")).to_be_visible()
    button(page, "Delete notebook").click()
    button(page.get_by_role("dialog"), "Delete").click()
    expect(page.get_by_role("navigation").get_by_role("link", name=notebook)).to_have_count(0)


def test_two_who_write_at_once_lose_nothing(window, page, notebook, faults):
    write(page, "Contested", "first")
    other = window.new_page()
    other.goto(page.url)
    for one in (page, other):
        open_note(one, "Contested")
        expect(one.get_by_label("Text", exact=True)).to_have_value("first")
    page.get_by_label("Text", exact=True).fill("mine")
    button(page, "Save").click()
    expect(note(page, "Contested")).to_contain_text("mine")
    other.get_by_label("Text", exact=True).fill("theirs")
    button(other, "Save").click()
    expect(other.get_by_role("alert").filter(has_text="changed meanwhile")).to_contain_text("mine")
    expect(other.get_by_label("Text", exact=True)).to_have_value("theirs")
    button(other, "Save mine instead").click()
    expect(note(other, "Contested")).to_contain_text("theirs")

    open_note(page, "Contested")
    expect(page.get_by_label("Text", exact=True)).to_have_value("theirs")
    open_note(other, "Contested")
    other.get_by_label("Text", exact=True).fill("again theirs")
    button(other, "Save").click()
    expect(note(other, "Contested")).to_contain_text("again theirs")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    button(page.get_by_role("dialog", name="Delete"), "Delete").click()
    button(page, "Take theirs").click()
    expect(page.get_by_label("Text", exact=True)).to_have_value("again theirs")
    assert len(faults.seen) == 2
    assert all("412" in fault for fault in faults.seen), faults.seen
    faults.seen.clear()


def test_a_long_list_is_shown_page_by_page_in_both_orders(page, notebook):
    made = """async ([notebook, count]) => {
      const { api } = await (await fetch("config.json")).json();
      for (let at = 0; at < count; at += 1) {
        const body = JSON.stringify({ title: `Note ${String(at).padStart(2, "0")}` });
        const path = `/notebooks/${encodeURIComponent(notebook)}/notes`;
        const headers = { "Content-Type": "application/json" };
        const answer = await fetch(api + path, { method: "POST", body, headers });
        if (answer.status !== 201) throw new Error(`${answer.status}`);
      }
    }"""
    page.evaluate(made, [notebook, 30])
    page.reload()
    rows = page.locator("#notes li")
    expect(rows).to_have_count(25)
    expect(rows.first).to_contain_text("Note 29")
    button(page, "Show more").click()
    expect(rows).to_have_count(30)
    expect(rows.last).to_contain_text("Note 00")
    expect(button(page, "Show more")).to_be_hidden()
    page.get_by_label("Order").select_option("Oldest first")
    expect(rows.first).to_contain_text("Note 00")
    expect(rows).to_have_count(25)


def test_expiry_is_seen_to_come_and_go(page, notebook):
    write(page, "Soon", expires="In an hour")
    expect(note(page, "Soon").locator(".soon")).to_contain_text("expires in 59 minutes")
    # Time goes on in the browser alone: what the page shows follows it.
    page.clock.install(time=datetime.now(UTC) + timedelta(hours=2))
    page.reload()
    expect(note(page, "Soon")).to_contain_text("expired")
    expect(note(page, "Soon")).to_have_class("gone")


def test_what_goes_wrong_is_told_and_can_be_tried_again(page, notebook, faults):
    button(page, "New notebook").click()
    page.get_by_label("Name").fill(notebook)
    button(page, "Make notebook").click()
    expect(page.get_by_role("alert").filter(has_text="already")).to_be_visible()
    page.keyboard.press("Escape")
    page.route("**/notebooks/*/notes?*", lambda route: route.abort())
    page.get_by_label("Order").select_option("Oldest first")
    trouble = page.get_by_role("alert").filter(has_text="cannot be reached")
    expect(trouble).to_be_visible()
    page.unroute("**/notebooks/*/notes?*")
    button(page, "Try again").click()
    expect(trouble).to_be_hidden()
    page.goto(page.url.partition("#")[0] + "#notebook/none-of-this-name")
    missing = page.get_by_role("alert").filter(has_text="There is no notebook")
    expect(missing).to_be_visible()
    known = ("409", "net::ERR_FAILED", "404")
    assert all(any(word in fault for word in known) for fault in faults.seen), faults.seen
    faults.seen.clear()


def test_all_of_it_by_keys_alone(page, notebook):
    page.locator("body").focus()
    page.keyboard.press("n")
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    page.keyboard.type("By keys")
    page.keyboard.press("Tab")
    page.keyboard.type("alone")
    page.keyboard.press("Control+Enter")
    expect(note(page, "By keys")).to_contain_text("alone")
    expect(page.get_by_role("dialog")).to_be_hidden()
    button(page, "By keys").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Edit note")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("By")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2, name="Titles that begin with “By”")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_has_contrast(page, address, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(address)
    make_notebook(page)
    write(page, "A" + "very" * 25, "long" * 200, "a-tag", "In an hour")
    audit = (Path(__file__).parent / "audit.js").read_text()
    assert page.evaluate(audit) == []
    open_note(page, "A" + "very" * 25)
    expect(page.get_by_label("Tag", exact=True)).to_have_value("a-tag")
    assert page.evaluate(audit.replace("main, main *", "dialog[open], dialog[open] *")) == []
