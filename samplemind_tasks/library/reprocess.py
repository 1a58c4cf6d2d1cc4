"""Having a stage of what is in the library done again: a job over the samples that a filter keeps."""

from samplemind_tasks.errors import NotFound
from samplemind_tasks.library.digest import digest
from samplemind_tasks.library.jobs import Jobs, job_id_of
from samplemind_tasks.schemas import Job, JobKind
from samplemind_tasks.stages import ReprocessRequest
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.jobs import new_job_document
from samplemind_tasks.store.pages import AS_JSON, SampleFilter


class Reprocessing:
    """Asks for it. What is to be done is found by a worker, which lists the library slice by slice."""

    def __init__(self, jobs: Jobs, catalog: Catalog) -> None:
        self._jobs = jobs
        self._catalog = catalog

    async def start(self, user_id: str, request: ReprocessRequest, wanted: SampleFilter, key: str | None = None) -> Job:
        """Accept the job. With a key, asking twice is asking once.

        Raises
        ------
        NotFound : there is no such sample, or no such folder.
        """
        asked = request.model_dump(mode="json") | {"filter": AS_JSON.dump_python(wanted, mode="json")}
        fingerprint = digest(asked)
        job_id = job_id_of(user_id, key)
        if job_id and (known := await self._jobs.asked_before(user_id, job_id, fingerprint)):
            return known
        if request.ids is not None:
            await self._check(user_id, request.ids)
            asked["ids"] = list(dict.fromkeys(request.ids))
        target = await self._jobs.target(user_id, request.path) if request.path is not None else None
        document = new_job_document(
            user_id=user_id, kind=JobKind.REPROCESS, request=asked | {"last": await self._catalog.newest(user_id)},
            path=str(target.path) if target else None, job_id=job_id, fingerprint=fingerprint,
        )  # fmt: skip
        return await self._jobs.accept(user_id, document, fingerprint)

    async def _check(self, user_id: str, ids: list[str]) -> None:
        found = await self._catalog.samples(user_id, ids)
        wrong = [
            {"field": f"ids.{at}", "message": f"there is no sample {name}"}
            for at, name in enumerate(ids)
            if name not in found
        ]
        if wrong:
            raise NotFound(wrong[0]["message"], detail={"fields": wrong[:10]})
