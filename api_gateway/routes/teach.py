"""Labels of one's own, learned from a folder that is sorted into subfolders."""

from fastapi import APIRouter

from api_gateway.dependencies import TheLibrary, User
from api_gateway.problems import declared
from samplemind_tasks.queries import LessonAnswer, LessonRequest

router = APIRouter(tags=["teach"])


@router.post("/teach", summary="Learn labels from a folder", responses=declared(403, 404))
async def teach(request: LessonRequest, library: TheLibrary, user: User) -> LessonAnswer:
    """Each subfolder is a label; its sounds are what it sounds like. They must have been analysed before.

    From then on every sound that is like them has the label: one that names a category in its place, any other as a
    tag. What a person said of a sample stays. The library is labelled anew in the background.
    """
    return await library.lessons.learn(user, request.path)


@router.get("/teach", summary="What was taught", responses=declared(404))
async def get_lesson(library: TheLibrary, user: User) -> LessonAnswer:
    """Labels, how many sounds of each, and how often the label of a sound that was held out was right."""
    return await library.lessons.lesson(user)


@router.delete("/teach", status_code=204, summary="Forget what was taught", responses=declared())
async def forget_lesson(library: TheLibrary, user: User) -> None:
    """Take the labels back; the library is labelled anew in the background."""
    await library.lessons.forget(user)
