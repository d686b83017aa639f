"""Composition: engines, ports, services and surfaces made into one platform."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from cumulet.app.config import DEFAULT_ACCOUNT, Config
from cumulet.app.platform import Platform, Startable
from cumulet.app.seal import open_sealer
from cumulet.app.services import SERVICES
from cumulet.app.sweep import sweep_worker
from cumulet.app.telemetry import Telemetry
from cumulet.app.tooling import tooling
from cumulet.blobs.contract import Blobs
from cumulet.blobs.files import FileBlobs
from cumulet.core.clock import Clock, SystemClock
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.folders import CacheFolder
from cumulet.kit.ports import Metrics, Sealer
from cumulet.kit.resources import ResourceTypes
from cumulet.kit.service import Holders, Service
from cumulet.kit.tls.authority import Authority
from cumulet.kit.tls.hosts import OwnNames, PublicUrl
from cumulet.kit.workers import Workers
from cumulet.kv.contract import Store
from cumulet.kv.embedded import EmbeddedStore, open_embedded
from cumulet.sandbox.contract import SandboxConfig
from cumulet.sandbox.pool import Sandbox
from cumulet.services.bedrock.configuration import ModelsFile
from cumulet.services.cognito.flow.outgoing.server import MailRoute, parse_mail_server
from cumulet.wire.catalog import Catalog


def compose(
    config: Config, *, clock: Clock | None = None, services: Sequence[Service] = SERVICES
) -> Platform:
    """Open the data folder and put everything together. Raises `kv.Unavailable` when in use."""
    clock = clock if clock is not None else SystemClock()
    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = open_embedded(config.data / "store")
    blobs = FileBlobs(config.data / "blobs", clock)
    catalog = Catalog(config.cache / "models", tuple(service.name for service in services))
    dispatcher = Dispatcher(
        store=store, clock=clock, catalog=catalog, services=services, endpoint=""
    )
    sandbox = Sandbox(
        SandboxConfig(
            work=config.data / "sandbox",
            isolation=config.isolation,
            strict_runtimes=config.strict_runtimes,
            network=config.function_network,
        ),
        clock,
    )
    dispatcher.provide(Store, store)
    dispatcher.provide(Blobs, blobs)
    dispatcher.provide(Catalog, catalog)
    _provide_settings(config, clock, dispatcher)
    dispatcher.provide(Sandbox, sandbox)
    dispatcher.provide(
        ResourceTypes, ResourceTypes(one for service in services for one in service.resources)
    )
    telemetry = _telemetry(config, clock, store, dispatcher)
    # It is the last to stop, so that it tells what the others measure at their end.
    parts: list[Startable] = [telemetry, sandbox]
    dispatcher.provide(
        Holders, Holders(tuple(one.holds for one in services if one.holds is not None))
    )
    for service in services:
        if service.provides is None:
            continue
        for kind, part in service.provides(dispatcher).items():
            dispatcher.provide(kind, telemetry.port(part) if kind is Metrics else part)
            if hasattr(part, "start") and hasattr(part, "stop") and part not in parts:
                parts.append(part)
    made_at_start = (tooling(config.region),) if config.tool_stacks else ()
    workers = Workers(dispatcher, store, clock, shared=False)
    return Platform(
        config,
        clock,
        dispatcher,
        (*services, sweep_worker(blobs, services), *made_at_start),
        parts,
        workers,
        {
            "store": store,
            "blobs": blobs,
            "sandbox": sandbox,
            "catalog": catalog,
            "telemetry": telemetry,
        },
    )


def _provide_settings(config: Config, clock: Clock, dispatcher: Dispatcher) -> None:
    """What services know of the configuration, each in a type of its own."""
    dispatcher.provide(CacheFolder, CacheFolder(config.cache))
    dispatcher.provide(ModelsFile, ModelsFile(config.models_file, config.models is not None))
    dispatcher.provide(
        MailRoute, MailRoute(parse_mail_server(config.smtp) if config.smtp else None)
    )
    dispatcher.provide(Authority, Authority(config.data / "tls", clock))
    public = urlsplit(config.public_url).hostname or config.host
    dispatcher.provide(
        OwnNames, OwnNames(frozenset(map(str.lower, (config.host, public, *config.tls_names))))
    )
    # Functions do not trust a certificate of our own making, and may have no network at all.
    reaches = config.function_network and not config.tls
    dispatcher.provide(PublicUrl, PublicUrl(config.public_url if reaches else ""))
    dispatcher.provide(Sealer, open_sealer(config.data))


def _telemetry(
    config: Config, clock: Clock, store: EmbeddedStore, dispatcher: Dispatcher
) -> Telemetry:
    def knows(service: str, operation: str) -> bool:
        found = dispatcher.services.get(service)
        return found is not None and operation in found.operations

    return Telemetry(
        config.telemetry,
        clock,
        data=config.data,
        store=store,
        account=DEFAULT_ACCOUNT,
        region=config.region,
        knows=knows,
    )
