"""What tests of the console do again and again: sign in, go to a page, and look it over."""

import json
import subprocess
import sys
import zipfile
from io import BytesIO

from playwright.sync_api import expect


def link_to(cloud):
    """An address that signs its first visitor in as the root."""
    words = [sys.executable, "-m", "cumulet", "console", "--json", "--data", str(cloud.data)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["url"]


def go(page, address, heading):
    """Open a page of the console by its address; returns when its heading is there."""
    page.goto(page.url.partition("#")[0] + "#/" + address)
    expect(page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_visible()


def type_code(page, label, text):
    """Fill an editor."""
    page.get_by_label(label).fill(text)


def packed(source):
    """A package of a function of one file."""
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("lambda_function.py", source)
    return whole.getvalue()


def role(cloud, name):
    """The ARN of a new role that functions may take."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    iam = cloud.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]


def function(cloud, name, source, handler="lambda_function.handler"):
    """The ARN of a new function."""
    made = cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role(cloud, name),
        Handler=handler,
        Code={"ZipFile": packed(source)},
    )
    return made["FunctionArn"]


def confirm(page, name):
    """Type the name that a deletion asks for, and go on."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(f"Type {name} to delete it").fill(name)
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(dialog).to_have_count(0)


def submit(page, name):
    """Press the button of the open dialog; returns when it has closed."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=name, exact=True).click()
    expect(dialog).to_have_count(0)


def look_over(page):
    """What is wrong with the page as it is now: too wide, unnamed, or too faint."""
    return [
        *(f"too wide: {one}" for one in page.evaluate(WIDE)),
        *(f"no name: {one}" for one in page.evaluate(UNNAMED)),
        *(f"faint: {one}" for one in page.evaluate(FAINT)),
    ]


WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .log, svg')
    && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 150))"""

UNNAMED = """() => [...document.querySelectorAll('button, a, input, select, textarea')]
  .filter(e => e.offsetParent && !(e.textContent || '').trim() && !e.getAttribute('aria-label')
    && !e.labels?.length && !e.querySelector('img[alt]')).map(e => e.outerHTML)"""

FAINT = """() => {
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const shade = ([r, g, b]) => {
    const part = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')].filter(e => {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.offsetParent || e.closest(':disabled, .hidden, .skip, kbd')) return false;
    const [a, b] = [shade(rgb(getComputedStyle(e).color)), shade(behind(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
  }).map(e => e.outerHTML.slice(0, 200));
}"""
