"""The running programs of a stack, from the first to the last: who lives, who ends them when we cannot, their logs."""

import secrets
import threading
import time
from collections.abc import Collection, Iterator

from samplemind_tasks.launch.child import Child, Guardian, rotate
from samplemind_tasks.launch.folder import DataFolder, write_run_file
from samplemind_tasks.launch.services import Service
from samplemind_tasks.launch.site import Site


class Children:
    """Children by the name of their service, one at a time each; none is born before `open` nor after `end_births`."""

    def __init__(self, folder: DataFolder, site: Site) -> None:
        self._folder = folder
        self._site = site
        self._token = secrets.token_hex(16)
        self._alive: dict[str, Child] = {}
        self._changing = threading.RLock()
        self._guardian: Guardian | None = None
        self._may_be_born = False

    def open(self) -> None:
        """Let the guardian watch and the run file say that we are there."""
        self._guardian = Guardian(self._token, self._folder.lock_fd)
        self._may_be_born = True
        self._write_run_file()

    @property
    def is_open(self) -> bool:
        """From `open` until `close`."""
        return self._guardian is not None

    def __len__(self) -> int:
        return len(self._alive)

    def __iter__(self) -> Iterator[Child]:
        with self._changing:
            return iter(list(self._alive.values()))

    def get(self, name: str) -> Child | None:
        """The service's child, if it lives."""
        return self._alive.get(name)

    def bear(self, service: Service, *, on_new_port: bool) -> Child | None:
        """A new child, known to the guardian; None when all is coming to its end."""
        with self._changing:
            if not self._may_be_born or self._guardian is None:
                return None
            if on_new_port:
                self._site.take_port(service.name, service.preferred_port)
            env = {**self._site.environment(), **service.env(self._site), "SAMPLEMIND_STACK": self._token}
            child = Child(service.name, service.argv(self._site), env, self._folder.log(service.name))
            self._guardian.watch(child.pid)
            self._alive[service.name] = child
            self._write_run_file()
        return child

    def lay_to_rest(self, child: Child) -> None:
        """Forget one that has ended."""
        with self._changing:
            if self._alive.get(child.name) is child:
                del self._alive[child.name]
            if self._guardian is not None:
                self._guardian.forget(child.pid)

    def care(self) -> None:
        """Keep the guardian alive and the logs short."""
        with self._changing:
            if self._guardian is not None and not self._guardian.is_alive and self._may_be_born:
                groups = [child.pid for child in self._alive.values()]
                self._guardian = Guardian(self._token, self._folder.lock_fd, groups)
        for child in self:
            rotate(child.log_path)

    def end_births(self) -> None:
        """From now on nobody is added to those who live."""
        with self._changing:
            self._may_be_born = False

    def close(self) -> None:
        """Let the guardian look once more for who is left, and go."""
        if self._guardian is not None:
            self._guardian.dismiss()
            self._guardian = None

    def tell(self, service: str) -> None:
        """Let the run file say that a service answers."""
        with self._changing:
            self._site.answering.add(service)
            if self._guardian is not None:
                self._write_run_file()

    def _write_run_file(self) -> None:
        write_run_file(self._folder, self._site, self._token, self._alive.values())


def part(children: Collection[Child], patience_s: float) -> None:
    """Ask them to end, wait a little, end them. A busy worker loses nothing: its chunk is sent again."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + patience_s
    for child in children:
        if not child.ended.wait(max(0.0, deadline - time.monotonic())):
            child.kill()
    for child in children:
        child.ended.wait(1.0)
