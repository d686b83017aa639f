"""Mail of pools leaves by SMTP: secured, signed in, queued on disk, tried again, never invented."""

from __future__ import annotations

import datetime
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.services.cognito.client import PASSWORD, Pool, make_pool, name
from tests.services.cognito.messages.mail_server import MailServer

Make = Callable[..., MailServer]


@pytest.fixture
def mail_server() -> Iterator[Make]:
    made: list[MailServer] = []

    def make(*words: Any, **more: Any) -> MailServer:
        made.append(MailServer(*words, **more))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "server.pem"
    plain = serialization.NoEncryption()
    pem = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, pem, plain)
    )
    return path


def context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def signed_up(pool: Pool) -> str:
    """The address of somebody who was just sent a code."""
    user, email = name(), f"{name()}@example.com"
    pool.anyone.sign_up(
        ClientId=pool.client,
        Username=user,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": email}],
    )
    return email


def relay_of(pool: Pool, email: str) -> str:
    found: str = pool.mail(email)[0]["relay"]
    return found


def test_a_code_is_sent_and_one_that_is_refused_for_now_is_sent_again_after_a_kill(
    new_cloud: Any, mail_server: Make
) -> None:
    server = mail_server()
    cloud = new_cloud("--smtp", f"smtp://127.0.0.1:{server.port}?from=no-reply@shop.example")
    pool = make_pool(cloud, AutoVerifiedAttributes=["email"])
    email = signed_up(pool)
    server.wait(1)
    sender, to, message = server.taken[0]
    assert (sender, to) == ("no-reply@shop.example", [email])
    assert message["To"] == email
    assert message["Subject"] == "Your verification code"
    assert message["Auto-Submitted"] == "auto-generated"
    assert pool.code(email) in message.get_content()
    server.refusals += ["451 later"] * 50
    again = signed_up(pool)
    server.wait(1, refused=1)
    cloud.kill()
    server.refusals.clear()
    cloud.start()
    server.wait(2)
    _, to, message = server.taken[-1]
    assert to == [again]
    assert sum(c.isdigit() for c in message.get_content()) == 6


def test_what_is_refused_for_good_says_so_in_the_mailbox(new_cloud: Any, mail_server: Make) -> None:
    server = mail_server()
    cloud = new_cloud("--smtp", f"smtp://127.0.0.1:{server.port}?from=no-reply@shop.example")
    pool = make_pool(
        cloud,
        AutoVerifiedAttributes=["email"],
        EmailConfiguration={
            "EmailSendingAccount": "DEVELOPER",
            "SourceArn": "arn:aws:ses:us-east-1:000000000000:identity/shop@example.com",
            "From": "The Shop <shop@example.com>",
            "ReplyToEmailAddress": "help@example.com",
        },
        VerificationMessageTemplate={
            "EmailSubject": "Hé 你好",
            "EmailMessage": "<b>Welcome</b>\n.{####}",
        },
    )
    server.refusals.append("550 no such mailbox")
    refused = signed_up(pool)
    server.wait(0, refused=1)
    taken = signed_up(pool)
    server.wait(1)
    sender, _, message = server.taken[0]
    assert sender == "shop@example.com"
    assert message["From"] == "The Shop <shop@example.com>"
    assert message["Reply-To"] == "help@example.com"
    assert message["Subject"] == "Hé 你好"
    assert message.get_content_type() == "text/html"
    assert f".{pool.code(taken)}" in message.get_content()
    until = time.monotonic() + 20
    while relay_of(pool, refused) == "waiting" and time.monotonic() < until:
        pass
    words = [sys.executable, "-m", "cumulet", "mail", refused, "--last", "--data", str(cloud.data)]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "By SMTP: failed: 550 no such mailbox" in shown


@pytest.mark.parametrize("at_once", [False, True], ids=["STARTTLS", "TLS"])
def test_the_password_goes_over_tls_only(
    new_cloud: Any, mail_server: Make, certificate: Path, at_once: bool
) -> None:
    server = mail_server(
        context_of(certificate), at_once=at_once, user="post@shop", password="s/e:c@ret"
    )
    scheme = "smtps" if at_once else "smtp"
    address = f"{scheme}://post%40shop:s%2Fe%3Ac%40ret@localhost:{server.port}?ca={certificate}"
    pool = make_pool(new_cloud("--smtp", address), AutoVerifiedAttributes=["email"])
    email = signed_up(pool)
    server.wait(1)
    assert server.taken[0][1] == [email]
    assert server.secured == 1


@pytest.mark.parametrize(
    ("address", "words"),
    [("mailto:ann", "is written smtp://"), ("smtp://localhost?ca=/nowhere.pem", "certificates")],
)
def test_an_address_with_a_mistake_keeps_the_cloud_from_starting(
    tmp_path: Path, address: str, words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cumulet", "up", "--data", str(tmp_path / "data")],
        env={**os.environ, "CUMULET_SMTP": address},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "data").exists()
