"""The gateway's application, which `python -m api_gateway` serves."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse

from api_gateway.callers import AuditLog, KeyGuard
from api_gateway.conditional import ConditionalGet
from api_gateway.dependencies import only_known_parameters
from api_gateway.docs_page import docs_page
from api_gateway.document import complete_document, operation_id
from api_gateway.guards import JSON_BODY_BYTES, NOTHING_LOADED, BodyGuard, CrossOrigin, HeaderGuard, SiteGuard
from api_gateway.patience import SlowBodyGuard
from api_gateway.problems import declared, install_problem_handlers
from api_gateway.request_ids import RequestIds
from api_gateway.request_metrics import RequestMetrics
from api_gateway.routes import (
    collections,
    events,
    export,
    health,
    jobs,
    keys,
    metrics,
    queues,
    reprocess,
    samples,
    search,
    searches,
    teach,
    uploads,
)
from api_gateway.scopes import authorised
from samplemind_tasks.access import LOCAL_USER, NO_KEYS, WHOLE_DISK
from samplemind_tasks.errors import SampleMindError, StoreUnavailable
from samplemind_tasks.library import Library, bring_up_to_date
from samplemind_tasks.library.sounds import MOST_QUERY_BYTES
from samplemind_tasks.logs import configure_logs, get_log
from samplemind_tasks.settings import Settings

DESCRIPTION = """Makes a sample library searchable by sound.

Ask for a folder with `POST /v1/jobs`, follow the job at `GET /v1/jobs/{job_id}`, and search with `POST /v1/search`;
`GET /v1/samples` lists the library. Every error has one shape: `{code, message, detail}`; `detail.fields` names the
fields at fault. Lists are read page by page: ask again with `cursor` set to `next` until it is null.

Send a key as `Authorization: Bearer KEY`; `samplemind keys create` makes one. A key opens one user's library: to read
it (`read`), to change it (`write`), or to see to keys and queues too (`admin`); each operation says which it needs. A
gateway that listens on loopback alone asks for none."""

TAGS = [
    {"name": "jobs", "description": "Have folders and uploads analysed."},
    {"name": "events", "description": "What changes, as it changes."},
    {"name": "queues", "description": "What waits where."},
    {"name": "uploads", "description": "Send files to the server."},
    {"name": "samples", "description": "The sounds of the library."},
    {"name": "collections", "description": "Samples that a person keeps together."},
    {"name": "search", "description": "Find sounds by words and by ear."},
    {"name": "keys", "description": "Who may ask, and for how much."},
    {"name": "health", "description": "How everything is."},
]

MIGRATE_AGAIN_S = 2.0

log = get_log(__name__)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over the stores the settings name; without settings, those of the environment."""
    if settings is None:
        settings = Settings()
        configure_logs(settings.log_level)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings.opens_the_whole_disk:
            raise SampleMindError(WHOLE_DISK, code="bad_setting")
        app.state.library = Library.open(settings)
        await _require_a_key(settings, app.state.library)
        app.state.library.shelves.warm(LOCAL_USER)
        migrating = asyncio.create_task(_migrate(settings))
        gc.collect()
        gc.freeze()  # what is loaded now stays for good: full collections that walk it were the tail of the polls
        yield
        migrating.cancel()
        with suppress(asyncio.CancelledError):
            await migrating
        await app.state.library.close()

    app = FastAPI(
        title="SampleMind",
        version=version("samplemind"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        openapi_url="/openapi.json",
        docs_url=None,  # FastAPI's own page is loaded from another server, which an offline machine cannot reach
        redoc_url=None,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # looked up anew at every request otherwise
        generate_unique_id_function=operation_id,
    )
    for routes in (
        jobs, events, queues, uploads, samples, collections, export, reprocess, search, searches, teach, keys, health,
    ):  # fmt: skip
        app.include_router(
            routes.router,
            prefix="/v1",
            dependencies=[Depends(authorised), Depends(only_known_parameters)],
            responses={422: declared()[422]},
        )
    app.include_router(metrics.router, dependencies=[Depends(only_known_parameters)], responses={422: declared()[422]})
    complete_document(app)
    _add_pages(app)
    install_problem_handlers(app)
    _add_guards(app, settings)
    return app


def _add_guards(app: FastAPI, settings: Settings) -> None:
    """What every request passes on its way in: the last one added is the outermost."""
    limits = {"/v1/uploads": settings.max_upload_bytes, "/v1/search": MOST_QUERY_BYTES}
    app.add_middleware(ConditionalGet)
    app.add_middleware(BodyGuard, limit_of=lambda path: limits.get(path, JSON_BODY_BYTES))
    app.add_middleware(AuditLog)
    app.add_middleware(KeyGuard, settings=settings)
    app.add_middleware(SiteGuard, settings=settings)
    if settings.allowed_origins:
        app.add_middleware(CrossOrigin, settings=settings)
    app.add_middleware(SlowBodyGuard)
    app.add_middleware(HeaderGuard)
    app.state.request_metrics = RequestMetrics()
    app.add_middleware(RequestIds, observer=app.state.request_metrics)


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def index() -> RedirectResponse:
        return RedirectResponse("/docs")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(
            docs_page(app.openapi()),
            headers={"Content-Security-Policy": f"{NOTHING_LOADED}; style-src 'unsafe-inline'"},
        )


async def _require_a_key(settings: Settings, library: Library) -> None:
    """Do not start where nobody could come in. While MongoDB is away that cannot be told: the door is shut anyway."""
    if not settings.asks_for_keys:
        return
    try:
        is_usable = await library.keys.any_usable()
    except StoreUnavailable as error:
        log.warning("keys_not_known_yet", why=error.message)
        return
    if not is_usable:
        await library.close()
        raise SampleMindError(NO_KEYS, code="no_keys")


async def _migrate(settings: Settings) -> None:
    """Bring the database up to date as soon as it answers."""
    while True:
        try:
            ran = await asyncio.to_thread(bring_up_to_date, settings)
        except StoreUnavailable as error:
            log.warning("migrations_wait", why=error.message)
            await asyncio.sleep(MIGRATE_AGAIN_S)
        else:
            if ran:
                log.info("database_migrated", migrations=ran)
            return
