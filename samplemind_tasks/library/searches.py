"""Saved searches: a query under a name, asked again whenever it is wanted."""

from samplemind_tasks.curation import NewSearch, SavedSearch, SearchChange, SearchList
from samplemind_tasks.errors import Conflict
from samplemind_tasks.library.search import Search
from samplemind_tasks.queries import SearchAnswer
from samplemind_tasks.store.searches import SavedSearches, search_view


class Searches:
    """What can be done with saved searches."""

    def __init__(self, store: SavedSearches, search: Search) -> None:
        self._store = store
        self._search = search

    async def all(self, user_id: str) -> SearchList:
        """Every saved search, by name."""
        return SearchList(searches=[search_view(row) for row in await self._store.all(user_id)])

    async def one(self, user_id: str, search: str) -> SavedSearch:
        """One saved search."""
        return search_view(await self._store.one(user_id, search))

    async def save(self, user_id: str, new: NewSearch) -> SavedSearch:
        """Keep a query: as it was asked, so that what it leaves open stays open."""
        query = new.query.model_dump(mode="json", exclude_unset=True)
        return search_view(await self._store.add(user_id, new.name, {"query": query}))

    async def change(self, user_id: str, search: str, change: SearchChange) -> SavedSearch:
        """Give it another name, or another query."""
        query = change.query and change.query.model_dump(mode="json", exclude_unset=True)
        fields = {"name": change.name, "query": query}
        await self._store.change(user_id, search, {name: value for name, value in fields.items() if value is not None})
        return await self.one(user_id, search)

    async def run(self, user_id: str, search: str, limit: int | None) -> SearchAnswer:
        """Ask it now.

        Raises
        ------
        Conflict : this version does not understand its query any more, with the code `search_outdated`.
        """
        saved = await self.one(user_id, search)
        if saved.query is None:
            message = f"the query of {saved.name!r} is not understood any more: {saved.problem}"
            raise Conflict(message, code="search_outdated")
        query = saved.query if limit is None else saved.query.model_copy(update={"limit": limit})
        return await self._search.find(user_id, query)

    async def delete(self, user_id: str, search: str) -> None:
        """Let go of it."""
        await self._store.delete(user_id, search)
