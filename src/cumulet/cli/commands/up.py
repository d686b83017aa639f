"""`cumulet up`: start the cloud, say how to reach it, and run until it is asked to stop."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from string import Template

import click

from cumulet import __version__
from cumulet.app.accounts import RootKeyLost
from cumulet.app.config import (
    DEFAULT_PORT,
    DEFAULT_REGION,
    Config,
    Isolation,
    KnownKey,
    default_data,
    environment,
    parse_key,
    parse_public_url,
)
from cumulet.app.seal import MasterKeyDamaged
from cumulet.app.serve import InUse, Running, run
from cumulet.app.telemetry.settings import TelemetrySettings, parse_settings, read_token
from cumulet.cli.addresses import local_url
from cumulet.cli.main import data_option, json_option
from cumulet.cli.reach import read_run_file
from cumulet.cli.say import fail, say, show_json, warn
from cumulet.kv.contract import Unavailable
from cumulet.services.bedrock.configuration import ModelsFileError
from cumulet.services.cognito.flow.outgoing.server import parse_mail_server


@click.command("up")
@data_option
@json_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="0 picks a free one.")
@click.option(
    "--public-url",
    envvar="CUMULET_PUBLIC_URL",
    show_envvar=True,
    default="",
    metavar="URL",
    help="By which address other machines reach the cloud, for the URLs that it hands out.",
)
@click.option("--region", default=DEFAULT_REGION, show_default=True, help="For printed commands.")
@click.option("--key", "keys", multiple=True, metavar="ID:SECRET", help="Add a known root key.")
@click.option("--tls", is_flag=True, help="Serve HTTPS with a locally made authority.")
@click.option("--tls-name", "tls_names", multiple=True, help="A further name on the certificate.")
@click.option(
    "--isolation",
    type=click.Choice(["require", "best-effort", "none"]),
    default="best-effort",
    show_default=True,
    help="What to do when this machine cannot isolate functions; see `cumulet doctor`.",
)
@click.option("--strict-runtimes", is_flag=True, help="Refuse a runtime version that is not here.")
@click.option("--no-function-network", is_flag=True, help="Functions reach no network at all.")
@click.option("--log-requests", is_flag=True, help="Write each request's event to stderr as JSON.")
@click.option(
    "--models",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Which models Bedrock has; else models.toml in the data folder.",
)
@click.option(
    "--smtp",
    envvar="CUMULET_SMTP",
    show_envvar=True,
    default="",
    metavar="URL",
    help="Send user pools' mail by this server: smtp://user:password@host:587, or smtps://.",
)
@click.option(
    "--otlp",
    envvar="CUMULET_OTLP",
    show_envvar=True,
    default="",
    metavar="URL",
    help="Export traces and metrics to an OpenTelemetry collector: http://localhost:4318. "
    "OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_…) are read too.",
)
@click.option(
    "--metrics-token-file",
    envvar="CUMULET_METRICS_TOKEN_FILE",
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Let Prometheus scrape /_cumulet/metrics with the bearer token of this file.",
)
@click.option("--bare", is_flag=True, help="Do not make the stacks that CDK and SAM look for.")
@click.option(
    "--with-apps",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="Deploy every application of this folder once the cloud serves.",
)
def command(
    data: Path | None,
    as_json: bool,
    host: str,
    port: int,
    public_url: str,
    region: str,
    keys: tuple[str, ...],
    tls: bool,
    tls_names: tuple[str, ...],
    isolation: Isolation,
    strict_runtimes: bool,
    no_function_network: bool,
    log_requests: bool,
    models: Path | None,
    smtp: str,
    otlp: str,
    metrics_token_file: Path | None,
    bare: bool,
    with_apps: Path | None,
) -> None:
    """Start the cloud and run it in the foreground until Ctrl-C."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    config = Config(
        data=(data or default_data()).resolve(),
        host=host,
        port=port,
        region=region,
        public_url=_public_url(public_url),
        keys=_keys(keys),
        tls=tls,
        tls_names=tls_names,
        isolation=isolation,
        strict_runtimes=strict_runtimes,
        function_network=not no_function_network,
        log_requests=log_requests,
        tool_stacks=not bare,
        models=models.resolve() if models is not None else None,
        smtp=_smtp(smtp),
        telemetry=_telemetry(otlp, metrics_token_file),
    )

    def announce(running: Running) -> None:
        if as_json:
            about = {"endpoint": running.endpoint, "data": str(config.data), "pid": os.getpid()}
            show_json({**about, "console": running.console})
        else:
            _announce(running)
        if with_apps is not None:
            threading.Thread(target=_deploy_all, args=(config, with_apps), daemon=True).start()

    _run(config, announce)


def _run(config: Config, announce: Callable[[Running], None]) -> None:
    """Serve until asked to stop; what keeps it from serving ends the command with a hint."""
    try:
        run(config, announce)
    except InUse:
        fail(
            f"another process serves {config.data}",
            "stop it, or choose another folder with --data",
        )
    except Unavailable as cause:
        fail(
            f"the data in {config.data} cannot be opened: {cause}",
            "make a new folder from a backup: `cumulet restore`",
        )
    except ModelsFileError as cause:
        fail(f"the models file cannot be used: {cause}", "correct it, or name another: --models")
    except (RootKeyLost, MasterKeyDamaged) as cause:
        fail(str(cause), "put the file back from a backup")
    except OSError as cause:
        if cause.filename is not None:
            fail(
                f"cannot use {cause.filename}: {cause.strerror}",
                "choose another folder with --data",
            )
        fail(
            f"cannot listen on {config.host}:{config.port}: {cause.strerror or cause}",
            "choose another port with --port, or 0 for any free one",
        )


def _keys(texts: tuple[str, ...]) -> tuple[KnownKey, ...]:
    try:
        return tuple(parse_key(text) for text in texts)
    except ValueError as cause:
        fail(str(cause), code=2)


def _public_url(text: str) -> str:
    try:
        return parse_public_url(text) if text else ""
    except ValueError as cause:
        fail(str(cause), code=2)


def _smtp(text: str) -> str:
    try:
        if text:
            parse_mail_server(text).context()
    except ValueError as cause:
        fail(str(cause), code=2)
    except OSError as cause:
        fail(f"the certificates of --smtp cannot be read: {cause}", code=2)
    return text


def _telemetry(otlp: str, token_file: Path | None) -> TelemetrySettings:
    """Where this cloud tells of itself, and who may ask it."""
    try:
        settings = parse_settings(environment(), otlp)
        for receiver in filter(None, (settings.traces, settings.metrics)):
            receiver.context()
        if token_file is not None:
            settings = replace(settings, scrape_token=read_token(token_file))
    except ValueError as cause:
        fail(str(cause), code=2)
    except OSError as cause:
        name = cause.filename or "a certificate of OpenTelemetry's variables"
        fail(f"{name} cannot be read: {cause.strerror or cause}", code=2)
    return settings


def _announce(running: Running) -> None:
    config = running.platform.config
    say(f"cumulet {__version__} serves {running.endpoint}  (data: {config.data})")
    if config.host not in ("127.0.0.1", "::1", "localhost"):
        warn(f"it listens on {config.host}: other machines can reach it")
    if running.key.is_new:
        say("")
        say("the root key of account 000000000000, shown this once:")
        say(f"  access key id      {running.key.access_key_id}")
        say(f"  secret access key  {running.key.secret}")
    where = f" --data {config.data}" if config.data != default_data().resolve() else ""
    say("")
    say("in another terminal:")
    say(f'  eval "$({_own_name()} env{where})"')
    say("  aws sts get-caller-identity")
    say("")
    say("the console, signed in (the link works once, for fifteen minutes; then: cumulet console):")
    say(f"  {running.console}")
    say("")
    say("Ctrl-C stops it.")


def _own_name() -> str:
    """How this command is typed here: by its name, or by its path when that is not on the PATH."""
    called = Path(sys.argv[0])
    if shutil.which("cumulet") or called.name != "cumulet":
        return "cumulet"
    here = Path.cwd()
    return str(called.relative_to(here)) if called.is_relative_to(here) else str(called)


def _deploy_all(config: Config, folder: Path) -> None:
    """Deploy each ready application below `folder` through the command that a user would type.

    Ready is what says which command to try first; others need parameters that only people have.
    """
    ready = sorted(path.parent for path in folder.glob("*/first-command.txt"))
    count = 0
    for application in ready:
        words = [sys.executable, "-m", "cumulet", "deploy", str(application), "--json"]
        done = subprocess.run(
            [*words, "--data", str(config.data)], check=False, stdout=subprocess.PIPE, text=True
        )
        if done.returncode != 0:
            warn(f"{application.name} was not deployed")
            continue
        count += 1
        _show_first_command(config, application, json.loads(done.stdout)["Outputs"])
    say(f"{count} of {len(ready)} applications deployed; list what runs with: {_own_name()} ls")


def _show_first_command(config: Config, application: Path, outputs: dict[str, str]) -> None:
    """Say what to try: `first-command.txt` of the application, with its outputs put in."""
    path = application / "first-command.txt"
    if not path.exists():
        return
    run_file = read_run_file(config.data)
    endpoint = run_file["public"] if run_file else ""
    shown = {key: local_url(value, endpoint) or value for key, value in outputs.items()}
    say(f"{application.name}; try:")
    say(f"  {Template(path.read_text().strip()).safe_substitute(shown)}")
