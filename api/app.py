"""Puts the API together: routes, problems, and one OpenAPI document. Loads nothing of Dagster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.authorization import AUTHORIZE, TOKEN, scope_in_words
from api.body_limit import BodyLimit
from api.collecting import leave_out_what_is_loaded
from api.entrance import Entrance
from api.journal import Journal
from api.limits import RateLimit, SharedRateLimit
from api.metrics import Metrics
from api.problems import MEDIA_TYPE, install_problem_handlers
from api.readers import Readers
from api.routes import (
    approval_pages,
    approvals,
    apps,
    bank,
    bank_pages,
    conflict_pages,
    conflicts,
    connect_pages,
    connection_settings,
    connections,
    consent,
    dimensions,
    error_pages,
    evidence,
    export_pages,
    exports,
    file_pages,
    health,
    home,
    imports,
    inbound,
    keys,
    mapping_pages,
    mapping_versions,
    mappings,
    notification_pages,
    notifications,
    oauth,
    queues,
    quota,
    record_pages,
    rehearsal_pages,
    rehearsals,
    review,
    sessions,
    settings_pages,
    signin,
    static,
    sync_pages,
    syncs,
    webhooks,
)
from api.routing import add_routes
from api.services import Launcher, ProviderEntry, Services, Tieout
from api.web.gate import PageGate
from resources.imports.importer import Imports
from resources.imports.spool import UPLOAD_BYTES_MAX, Spool
from resources.imports.worker import ImportWorkers, ProcessWorkers
from resources.known_callers import KnownCallers
from resources.platform_tokens import PlatformTokens
from resources.postgres.urls import database_urls
from resources.settings import Settings
from resources.store.apps import APP_SCOPES
from resources.store.request_pace import RequestPace
from resources.store.requests import Requests

API_ROOT = "/api/v1/integrations"
# Wrong keys that one address may try in a minute.
REFUSALS_PER_MINUTE = 60

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again within a day with the same request, the first answer is repeated and nothing is done twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}

DESCRIPTION = """\
Keeps a construction platform's books and its builders' accounting systems in agreement.

Every route but `/healthz`, `/readyz` and the OAuth callback needs an API key of one builder, or a token signed by the
platform: `Authorization: Bearer …`. A POST with an `Idempotency-Key` is carried out once. Refusals are `application/problem+json` with a stable `code` and a sentence that says
what to do next. Amounts are decimal texts, never floating-point numbers. Lists are paged: send `next_cursor` back as
`cursor`.
"""

# Routes that take more than others: a mapping of ten thousand rows, a delivery of a hundred events.
_LARGER_BODIES = {
    # The form around the file takes a little, too.
    ("POST", f"{API_ROOT}/imports"): UPLOAD_BYTES_MAX + 100_000,
    ("POST", file_pages.UPLOAD_PATH): UPLOAD_BYTES_MAX + 100_000,
    ("PUT", f"{API_ROOT}/mappings"): mappings.MAPPING_BYTES_MAX,
    ("POST", f"{API_ROOT}/mappings/drafts"): mappings.MAPPING_BYTES_MAX,
    ("PUT", f"{API_ROOT}/mappings/drafts/{{id}}"): mappings.MAPPING_BYTES_MAX,
    ("POST", "/api/v1/webhooks/quickbooks_online"): inbound.DELIVERY_BYTES_MAX,
    ("POST", "/api/v1/webhooks/xero"): inbound.DELIVERY_BYTES_MAX,
}

_TAGS = [
    {"name": "connections", "description": "Connect accounting systems and see their chart of accounts."},
    {"name": "mappings", "description": "Which provider account each cost code is booked on."},
    {"name": "sync", "description": "Start syncs, watch them, read their history."},
    {"name": "errors", "description": "Records that failed or are held, and what to do about them."},
    {"name": "conflicts", "description": "Records that both sides changed."},
    {"name": "exports", "description": "Everything as files, to keep, to audit or to import again."},
    {"name": "notifications", "description": "What people are told, once, and by mail if they want."},
    {"name": "webhooks", "description": "Events, and the addresses that hear of them."},
    {
        "name": "keys",
        "description": "Who else gets in: API keys, third-party apps, and people signed in to the pages.",
    },
    {"name": "health", "description": "For load balancers and supervisors."},
]


def create_app(
    tieout: Tieout | None = None,
    *,
    launcher: Launcher | None = None,
    providers: Sequence[ProviderEntry] | None = None,
    workers: Callable[[Imports], ImportWorkers] | None = None,
) -> FastAPI:
    """Return the API over a wired product; without arguments, over the one that this process's settings describe."""
    cleanup = ExitStack()
    is_own = tieout is None
    if tieout is None:
        tieout = _start_product(cleanup)
    if launcher is None:
        launcher = _dagster_launcher(tieout.settings, cleanup)
    if providers is None:
        providers = _registered(tieout.settings)
    app = FastAPI(
        title="Tieout",
        version=_version(),
        description=DESCRIPTION,
        openapi_tags=_TAGS,
        generate_unique_id_function=_operation_id,
        lifespan=_closing(cleanup),
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.services = services = _services(tieout, launcher, providers, cleanup, workers=workers)
    if is_own:
        # A product that is lent for a test keeps no thread, and so knows nobody.
        services.callers.start()
        cleanup.callback(services.callers.stop)
    app.state.metrics = Metrics(services.database, services.clock)
    install_problem_handlers(app)
    # The last one added meets a request first.
    app.add_middleware(Entrance, root=API_ROOT)
    app.add_middleware(PageGate)
    app.add_middleware(BodyLimit, larger=_LARGER_BODIES)
    app.add_middleware(
        Journal,
        metrics=app.state.metrics,
        is_https=tieout.settings.public_base_url.startswith("https:"),
    )
    # The ones most asked for first.
    for group in (
        syncs,
        queues,
        conflicts,
        connections,
        notifications,
        mappings,
        connection_settings,
        webhooks,
        mapping_versions,
        dimensions,
        rehearsals,
        evidence,
        bank,
        consent,
        exports,
        quota,
        review,
        approvals,
        keys,
        apps,
        sessions,
        imports,
    ):
        add_routes(app, group.router, prefix=API_ROOT)
    add_routes(app, health.router)
    add_routes(app, inbound.router)
    for pages in (
        home,
        connect_pages,
        record_pages,
        sync_pages,
        rehearsal_pages,
        error_pages,
        approval_pages,
        conflict_pages,
        bank_pages,
        mapping_pages,
        settings_pages,
        notification_pages,
        file_pages,
        export_pages,
        signin,
        oauth,
        static,
    ):
        add_routes(app, pages.router)
    if is_own:
        leave_out_what_is_loaded()
    app.openapi = _openapi_of(app, base_url=tieout.settings.public_base_url)  # type: ignore[method-assign]  # FastAPI's documented way to change the document
    return app


def _services(
    tieout: Tieout,
    launcher: Launcher,
    providers: Sequence[ProviderEntry],
    cleanup: ExitStack,
    *,
    workers: Callable[[Imports], ImportWorkers] | None,
) -> Services:
    settings = tieout.settings
    imports = Imports(tieout.database, clock=tieout.clock, spool=Spool(settings.import_folder))
    tokens = PlatformTokens(settings, clock=tieout.clock)
    cleanup.callback(tokens.close)
    readers = Readers(settings.api_readers)
    cleanup.callback(readers.close)
    return Services(
        tieout=tieout,
        launcher=launcher,
        providers=tuple(providers),
        tokens=tokens,
        callers=KnownCallers(database_urls(settings).app),
        limit=SharedRateLimit(settings.rate_limit_per_minute, RequestPace(tieout.database)),
        readers=readers,
        refusals=RateLimit(REFUSALS_PER_MINUTE),
        requests=Requests(tieout.database, tieout.vault),
        imports=imports,
        workers=workers(imports) if workers else ProcessWorkers(settings, imports),
    )


def _start_product(cleanup: ExitStack) -> Tieout:
    # Here, so that tests with a product of their own load no provider.
    from resources.logging import configure_logging
    from resources.postgres import start_embedded
    from resources.settings import load_settings
    from resources.wiring import Tieout as WiredTieout

    settings = load_settings()
    # Here too: where several processes serve, each is new.
    configure_logging(settings)
    if settings.is_embedded:
        start_embedded(settings)
    return cleanup.enter_context(WiredTieout(settings))


def _dagster_launcher(settings: Settings, cleanup: ExitStack) -> Launcher:
    from resources.launcher import Launcher as DagsterLauncher

    return cleanup.enter_context(DagsterLauncher(settings.dagster_base_url))


def _registered(settings: Settings) -> list[ProviderEntry]:
    from resources.registry import PROVIDERS

    return [
        ProviderEntry(
            key=spec.key,
            title=spec.title,
            is_configured=all(_is_filled(getattr(settings, name)) for name in spec.credential_settings),
            dimension_lists=spec.dimension_lists,
        )
        for spec in PROVIDERS.values()
    ]


def _is_filled(value: Any) -> bool:
    return bool(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def _closing(cleanup: ExitStack) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with cleanup:
            yield

    return lifespan


def _version() -> str:
    try:
        return version("tieout")
    except PackageNotFoundError:
        return "0"


def _operation_id(route: APIRoute) -> str:
    return route.name


def _openapi_of(app: FastAPI, *, base_url: str) -> Callable[[], dict[str, Any]]:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    openapi_version="3.1.0",
                    description=app.description,
                    routes=app.routes,
                    tags=app.openapi_tags,
                    license_info=app.license_info,
                ),
                base_url=base_url,
            )
        return app.openapi_schema

    return openapi


def _completed(document: dict[str, Any], *, base_url: str) -> dict[str, Any]:
    """Say what FastAPI does not know: that refusals are problems, which POSTs take a key, what an app's token opens."""
    for path in document["paths"].values():
        for method, operation in path.items():
            if "security" in operation:
                scope = f"{operation['tags'][0]}:{'read' if method == 'get' else 'write'}"
                if scope in APP_SCOPES:
                    operation["security"].append({"app": [scope]})
                if method == "post":
                    operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if status >= "400" and "application/json" in content:
                    content[MEDIA_TYPE] = content.pop("application/json")
    document["components"]["schemas"]["Body_start_import"]["description"] = (
        "A file, and how it is to be read."
    )
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    document["components"]["securitySchemes"]["app"] = {
        "type": "oauth2",
        "description": "What a person gave a third-party app; authorization code with PKCE S256.",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": f"{base_url}{AUTHORIZE}",
                "tokenUrl": f"{base_url}{TOKEN}",
                "refreshUrl": f"{base_url}{TOKEN}",
                "scopes": {scope: scope_in_words(scope) for scope in APP_SCOPES},
            }
        },
    }
    return document
