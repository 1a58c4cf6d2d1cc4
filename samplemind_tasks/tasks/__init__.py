"""Celery's doors, one module per queue. A task claims a chunk, calls pure code, stores, hands on."""
