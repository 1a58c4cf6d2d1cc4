"""Stack: starts the services as soon as what each waits for is ready, restarts what dies, and stops all."""

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from samplemind_tasks.access import NO_KEYS
from samplemind_tasks.launch import ready
from samplemind_tasks.launch.check import check_settings
from samplemind_tasks.launch.child import Child
from samplemind_tasks.launch.children import Children, part
from samplemind_tasks.launch.events import Event, LaunchFailed, NoKeys, ServerAway, StartCancelled, What
from samplemind_tasks.launch.folder import DataFolder
from samplemind_tasks.launch.services import SERVICES, Service
from samplemind_tasks.launch.site import Site, usable_cores
from samplemind_tasks.settings import Settings

ASK_EVERY_SECONDS = 0.1
DEATHS_BEFORE_GIVING_UP = 3
BACKOFF_SECONDS = (0.5, 10.0)
ELSEWHERE_PATIENCE_SECONDS = 30.0
NOWHERE_PATIENCE_SECONDS = 4.0
"""Where nobody listens."""
MEND_LOOK_SECONDS = 30.0
"""How often what the others start without is tried again."""
STEADY_SECONDS = 30.0
"""A child that lived this long has not died "again"."""
WORKERS_PARTING_SECONDS = 3.0
STORES_PARTING_SECONDS = 5.0
"""After the workers and the gateway: below 10 s in total."""
CARE_EVERY_SECONDS = 5.0


class Stack:
    """The embedded stack on one data folder.

    Parameters
    ----------
    settings : a URL set in it means: that server is used instead of one of ours
    cpu_children : children of the CPU worker; a core each when None
    only : names of services (SERVICES, STORES); all when None
    """

    def __init__(self, settings: Settings, cpu_children: int | None = None, only: Iterable[str] | None = None) -> None:
        chosen = {service.name for service in SERVICES} if only is None else set(only)
        if unknown := chosen - {service.name for service in SERVICES}:
            raise ValueError(f"no such services: {sorted(unknown)}")
        self._services = [service for service in SERVICES if service.name in chosen]
        self._ready = {service.name: threading.Event() for service in self._services}
        self._held_up: set[str] = set()
        """What has to be mended before it, and what needs it, can start."""
        self._folder = DataFolder(settings.data_dir)
        self._site = Site(_with_fixed_roots(settings), {}, cpu_children or usable_cores())
        self._children = Children(self._folder, self._site)
        self._stopping = threading.Event()
        self._news = threading.Condition()
        self._failure: LaunchFailed | None = None
        self._started = False
        self._threads: list[threading.Thread] = []
        self._on_event: Callable[[Event], None] = lambda _: None

    # ------------------------------------------------------------------------------------------------ for the outside

    @property
    def settings(self) -> Settings:
        """Settings bound to the running servers."""
        return self._site.settings

    @property
    def url(self) -> str:
        """The gateway's address."""
        return self._site.settings.url

    @property
    def flower_url(self) -> str:
        """Flower's address, for operators; user and password are in the run file."""
        return self._site.flower_url

    def start(self, on_event: Callable[[Event], None] = lambda _: None) -> None:
        """Start all; return when every service has said that it is ready.

        Raises
        ------
        BadSetting, UnusableFolder, NoKeys : nothing was started.
        AlreadyRunning : another stack uses this data folder.
        LaunchFailed : with the log lines of the service that does not start. Nothing is left running.
        StartCancelled : request_stop was called meanwhile. Nothing is left running.
        """
        check_settings(self._site.given)
        if "gateway" in self._ready and self._site.given.asks_for_keys and not self._site.may_have_keys:
            raise NoKeys("gateway", NO_KEYS)
        self._folder.open()
        self._on_event = on_event
        self._site.passwords = self._folder.passwords()
        self._children.open()
        for keep in [self._care, *(self._keeper(service) for service in self._services)]:
            thread = threading.Thread(target=keep, daemon=True)
            self._threads.append(thread)
            thread.start()
        with self._news:
            self._news.wait_for(lambda: self._failure or self._stopping.is_set() or self._all_ready)
        if self._failure or self._stopping.is_set():
            self.stop()
            raise self._failure or StartCancelled("stopped before everything was ready")
        self._started = True

    def wait(self) -> None:
        """Wait until request_stop is called."""
        while not self._stopping.wait(3600):  # a wait without end would hold back signal handlers on some systems
            continue

    def request_stop(self) -> None:
        """Make start or wait return. Safe in a signal handler: the interrupted code may hold the locks this needs."""
        threading.Thread(target=self._end_is_near, daemon=True).start()

    def _end_is_near(self) -> None:
        self._stopping.set()
        self._tell_news()

    def stop(self) -> None:
        """Stop all children within 10 s: first what works, then the stores it writes to."""
        self._stopping.set()
        self._children.end_births()
        if not self._children.is_open:
            self._folder.close()
            return
        children = list(self._children)
        self._tell("", "stopping", f"stopping {len(children)} services")
        last = {service.name for service in self._services if service.stops_last}
        part([child for child in children if child.name not in last], WORKERS_PARTING_SECONDS)
        part([child for child in children if child.name in last], STORES_PARTING_SECONDS)
        for thread in self._threads:
            thread.join(1.0)
        self._children.close()
        self._folder.close(finished=True)
        self._tell("", "stopped", "all services have ended")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    # ------------------------------------------------------------------------------------------------- one service each

    def _keeper(self, service: Service) -> Callable[[], None]:
        """What the service's own thread does. A fault ends the start; later it is told, and retried."""

        def keep() -> None:
            while not self._stopping.is_set():
                try:
                    self._keep(service)
                    return
                except Exception as error:  # noqa: BLE001 - a thread that vanished would leave the start waiting for ever
                    failure = error if isinstance(error, LaunchFailed) else LaunchFailed(service.name, _sentence(error))
                    if not self._started:
                        self._fail(failure)
                        return
                    self._tell(service.name, "died", failure.message, failure.log_lines)
                    self._stopping.wait(BACKOFF_SECONDS[1])

        return keep

    def _keep(self, service: Service) -> None:
        if not self._await_needs(service):
            return
        if service.replaced_by in self._site.given.model_fields_set:
            self._await_elsewhere(service)
        elif service.is_done(self._site):
            self._tell_ready(service, "done before")
        else:
            service.may_start(self._site)
            self._keep_alive(service)

    def _await_needs(self, service: Service) -> bool:
        for need in service.needs:
            while need in self._ready and not self._ready[need].wait(ASK_EVERY_SECONDS):
                if self._stopping.is_set():
                    return False
        return not self._stopping.is_set()

    def _await_elsewhere(self, service: Service) -> None:
        """A server that somebody else runs is only asked."""
        began = time.monotonic()
        url: str = getattr(self._site.settings, service.replaced_by or "")
        while not (service.runs_once or service.answers(self._site, None)):
            if self._stopping.wait(ASK_EVERY_SECONDS):
                return
            passed_s = time.monotonic() - began
            is_nowhere = passed_s > NOWHERE_PATIENCE_SECONDS and ready.leads_nowhere(url)
            if is_nowhere or passed_s > ELSEWHERE_PATIENCE_SECONDS:
                setting = f"SAMPLEMIND_{(service.replaced_by or '').upper()}"
                how = "nobody listens there" if is_nowhere else "it does not answer, or not to us"
                raise ServerAway(service.name, f"{setting} names {ready.address(url)}: {how}")
        service.when_ready(self._site)
        self._tell_ready(service, "somewhere else", what="elsewhere")

    def _keep_alive(self, service: Service) -> None:
        """Start it, again when it dies, until the end; a step runs until it has ended well once."""
        deaths, said = 0, tuple[str, ...]()
        while not self._stopping.is_set() and (child := self._launch(service)):
            code = self._live_through(service, child)
            if self._stopping.is_set() or (service.runs_once and code == 0):
                return
            deaths = 1 if child.lived_s > STEADY_SECONDS else deaths + 1
            said, before = child.last_lines(), said
            failure = LaunchFailed.with_last_words(service.name, said, child.log_path)
            if failure.code == service.others_start_without:
                self._hold_up(service, failure, is_known=said == before)
                self._stopping.wait(MEND_LOOK_SECONDS)
                continue
            self._tell(service.name, "died", f"{_end(child, code)}; log: {child.log_path}", said)
            is_hopeless = child.is_mute or deaths >= DEATHS_BEFORE_GIVING_UP
            if is_hopeless and not self._started and not self._ready[service.name].is_set():
                raise failure
            self._stopping.wait(min(BACKOFF_SECONDS[0] * 2 ** (deaths - 1), BACKOFF_SECONDS[1]))

    def _hold_up(self, service: Service, failure: LaunchFailed, *, is_known: bool) -> None:
        """Let the others go on without it."""
        if not is_known:
            self._tell(service.name, "died", failure.message.removeprefix(f"{service.name}: "))
        self._held_up.add(service.name)
        self._tell_news()

    def _live_through(self, service: Service, child: Child) -> int:
        """From its start to its end."""
        try:
            if self._await_answer(service, child):
                service.when_ready(self._site)
                self._tell_ready(service, f"ready after {child.lived_s:.1f} s")
        except BaseException:
            child.kill()
            raise
        finally:
            code = child.wait()
            self._children.lay_to_rest(child)
        return code

    def _launch(self, service: Service) -> Child | None:
        """A new child, known to the guardian; None when all is coming to its end."""
        has_new_port = service.has_port and not self._ready[service.name].is_set()  # once others know it, it stays
        child = self._children.bear(service, on_new_port=has_new_port)
        if child is None:
            return None
        self._tell(service.name, "starting", f"process {child.pid}")
        return child

    def _await_answer(self, service: Service, child: Child) -> bool:
        """Ask until it says yes. One that ends or never answers says no, and is ended."""
        deadline = time.monotonic() + service.ready_within_s
        while not self._stopping.is_set() and time.monotonic() < deadline:
            is_over = child.exit_code is not None
            if (service.runs_once or not is_over) and self._answers_itself(service, child):
                return True
            if is_over:
                return False
            self._stopping.wait(ASK_EVERY_SECONDS)
        if not self._stopping.is_set():
            child.is_mute = True
            child.kill()
        return False

    def _answers_itself(self, service: Service, child: Child) -> bool:
        """It answers, and it is no stranger who took the port first and answers in its place."""
        if service.has_port and not child.listens_on(self._site.ports[service.name]):
            return False
        return service.answers(self._site, child)

    # ------------------------------------------------------------------------------------------------------ all of them

    @property
    def _all_ready(self) -> bool:
        """All that can be: not what is held up, nor what needs it."""
        return all(
            self._ready[service.name].is_set() or self._held_up.intersection((service.name, *service.needs))
            for service in self._services
        )

    def _care(self) -> None:
        """Keep the guardian alive, the logs short and the folders there."""
        while not self._stopping.wait(CARE_EVERY_SECONDS):
            self._children.care()
            self._renew_what_lost_its_folder()

    def _renew_what_lost_its_folder(self) -> None:
        """A store whose folder was deleted answers from what it holds open, and can write no more: start it again."""
        for service in self._services:
            child = self._children.get(service.name)
            if child and self._ready[service.name].is_set() and service.lost_its_folder(self._site):
                self._tell(service.name, "died", "its folder is gone: it is started again with an empty one")
                child.kill()

    def _tell_ready(self, service: Service, message: str, what: What = "ready") -> None:
        self._children.tell(service.name)
        self._tell(service.name, what, message)
        self._ready[service.name].set()
        self._tell_news()

    def _fail(self, failure: LaunchFailed) -> None:
        self._failure = self._failure or failure
        self._tell_news()

    def _tell_news(self) -> None:
        with self._news:
            self._news.notify_all()

    def _tell(self, service: str, what: What, message: str, log_lines: tuple[str, ...] = ()) -> None:
        with self._news:  # one event at a time
            self._on_event(Event(service, what, message, log_lines))


def _with_fixed_roots(settings: Settings) -> Settings:
    """A root that is a link stays, for every child that is ever started, the folder it leads to now."""
    if "roots" not in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"roots": tuple(root.absolute().resolve() for root in settings.roots)})


def _end(child: Child, code: int) -> str:
    return f"did not answer within {child.lived_s:.0f} s" if child.is_mute else f"ended with {code}"


def _sentence(error: Exception) -> str:
    return str(error) or repr(error)
