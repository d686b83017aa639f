"""What the steps of a newcomer's evening share: the guide, a cloud and a console of their own.

With CUMULET_PICTURES set to a folder the guide's pictures are written into it (`make pictures`).
"""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.steps import link_to, look_over

ROOT = Path(__file__).parent.parent.parent.parent
GUIDE = (ROOT / "docs" / "systems" / "first-microservice.md").read_text()
CALCULATOR, DOORKEEPER = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
[NUMBERS] = re.findall(r"```json\n(.*?)\n```", GUIDE, re.DOTALL)
RESULTS = {"sum": 30, "product": 200, "difference": -10, "quotient": 0.5}
HANDLER = "lambda_function.lambda_handler"
PICTURES = os.environ.get("CUMULET_PICTURES")
PICTURE_BYTES_MAX = 150_000
PATIENCE_MS = 120_000


@pytest.fixture
def own(new_cloud):
    return new_cloud()


@pytest.fixture
def console(own, page, window):
    """The console of the cloud of the step, signed in by the printed link."""
    window.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.set_viewport_size({"width": 1200, "height": 720})
    page.goto(link_to(own))
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    return page


@pytest.fixture
def picture(console):
    """Looks the page over, and takes its picture where pictures are wanted."""

    def take(name, page=console):
        assert not look_over(page)
        if PICTURES is None:
            return
        expect(page.locator(".toasts > *")).to_have_count(0)
        path = Path(PICTURES) / f"{name}.png"
        page.screenshot(path=path, animations="disabled")
        assert path.stat().st_size < PICTURE_BYTES_MAX, f"{path} is too large"

    return take
