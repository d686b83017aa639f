"""How a command finds the running cloud, and with which key it speaks to it."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cumulet.app.config import DEFAULT_REGION, default_data
from cumulet.cli.say import EXIT_UNREACHABLE, fail


@dataclass(frozen=True, slots=True)
class Reach:
    """A running cloud: its endpoint, and the key pair that a command signs with."""

    endpoint: str
    access_key_id: str
    secret: str
    region: str
    authority: str = ""
    public: str = ""
    """The address that other machines use, for URLs that are shown."""

    def exports(self) -> dict[str, str]:
        """The environment variables with which every AWS client reaches this cloud."""
        values = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }
        if self.authority:
            values["AWS_CA_BUNDLE"] = self.authority
        return values

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of this cloud."""
        import boto3
        from botocore.config import Config

        settings = Config(
            retries={"mode": "standard", "max_attempts": 3},
            read_timeout=options.pop("read_timeout", 60),
        )
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret,
            verify=self.authority or None,
            config=settings,
            **options,
        )


def read_run_file(data: Path) -> dict[str, Any] | None:
    """What the cloud on this data folder wrote when it began to serve, or None."""
    try:
        found = json.loads((data / "run.json").read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def find_cloud(data: Path | None, endpoint: str | None = None) -> Reach:
    """The running cloud: of `--endpoint`, else of the data folder, else of the environment.

    Ends the command with a hint when none is found.
    """
    folder = data or default_data()
    run = read_run_file(folder)
    env = os.environ
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    if run is not None and endpoint in (None, run["endpoint"]):
        if not is_serving(run["endpoint"]):
            fail(
                f"the cloud on {folder} was at {run['endpoint']} and does not answer there",
                f"start it again with `cumulet up --data {folder}`",
                EXIT_UNREACHABLE,
            )
        key = _root_key(folder)
        return Reach(
            run["endpoint"],
            key["access_key_id"],
            key["secret_access_key"],
            env.get("AWS_REGION") or run["region"],
            run.get("authority", ""),
            run.get("public", ""),
        )
    chosen = endpoint or env.get("AWS_ENDPOINT_URL")
    if chosen and env.get("AWS_ACCESS_KEY_ID") and env.get("AWS_SECRET_ACCESS_KEY"):
        return Reach(chosen, env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region)
    fail(
        f"no cloud is running on {folder}",
        "start one with `cumulet up`, or name its folder with --data",
        EXIT_UNREACHABLE,
    )


def _root_key(folder: Path) -> dict[str, str]:
    path = folder / "root-key.json"
    try:
        found: dict[str, str] = json.loads(path.read_text())
    except (OSError, ValueError) as cause:
        fail(f"{path} cannot be read: {cause}", "it belongs to the user who started the cloud")
    return found


def is_serving(endpoint: str, timeout_seconds: float = 2.0) -> bool:
    """Whether the endpoint answers its health page."""
    import ssl

    trust_any = ssl._create_unverified_context() if endpoint.startswith("https") else None
    try:
        with urllib.request.urlopen(
            f"{endpoint}/_cumulet/health", timeout=timeout_seconds, context=trust_any
        ) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def signed_post(reach: Reach, path: str, body: bytes) -> tuple[int, bytes]:
    """POST to one of the cloud's own pages, signed as service `cumulet`."""
    import ssl

    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest("POST", reach.endpoint + path, data=body)
    keys = Credentials(reach.access_key_id, reach.secret)
    SigV4Auth(keys, "cumulet", reach.region).add_auth(request)
    sent = urllib.request.Request(
        reach.endpoint + path, data=body, headers=dict(request.headers), method="POST"
    )
    trust = ssl.create_default_context(cafile=reach.authority) if reach.authority else None
    try:
        with urllib.request.urlopen(sent, timeout=600, context=trust) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as cause:
        fail(f"{reach.endpoint} does not answer: {cause}", code=EXIT_UNREACHABLE)
