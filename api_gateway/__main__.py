"""Serve the gateway: `python -m api_gateway --host 127.0.0.1 --port 8321`. Everything else is said by settings."""

import argparse

import uvicorn

from api_gateway.patience import Connection

STREAMS_END_WITHIN_S = 2
"""Event streams never end by themselves: a gateway that is to stop waits so long for requests that are under way."""


def main() -> None:
    """Until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m api_gateway", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8321)
    parser.add_argument("--workers", type=int, default=1, help="processes that answer on this port")
    asked = parser.parse_args()
    uvicorn.run(
        "api_gateway.app:create_app",
        factory=True,
        host=asked.host,
        port=asked.port,
        workers=asked.workers,
        loop="uvloop",
        http=Connection,
        timeout_graceful_shutdown=STREAMS_END_WITHIN_S,
        access_log=False,
    )


if __name__ == "__main__":
    main()
