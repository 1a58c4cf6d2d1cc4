"""The scan worker's door."""

from samplemind_tasks.queues import Queue, app, send
from samplemind_tasks.reprocess import reprocess_turn
from samplemind_tasks.scan import scan_turn
from samplemind_tasks.tasks.stage import stores


@app.task(name="scan.slice")
def scan_slice(job_id: str) -> None:
    """List a job's folder, or its samples, for one turn; if there is more, queue behind the other jobs' scans."""
    if scan_turn(stores(), job_id) or reprocess_turn(stores(), job_id):
        send("scan.slice", job_id, queue=Queue.SCAN)
