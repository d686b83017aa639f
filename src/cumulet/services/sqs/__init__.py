"""SQS: standard and FIFO queues. A table of contents."""

from cumulet.kit.service import Service, operations_of
from cumulet.services.sqs.charging import charged
from cumulet.services.sqs.hall import provides
from cumulet.services.sqs.operations import message, move_task, permission, queue, receipt, tag
from cumulet.services.sqs.resources import RESOURCES
from cumulet.services.sqs.store.tables import TABLES
from cumulet.services.sqs.workers import WORKERS

SERVICE = Service(
    name="sqs",
    prefix="sqs",
    operations=charged(operations_of(queue, tag, permission, message, receipt, move_task)),
    workers=WORKERS,
    resources=RESOURCES,
    provides=provides,
    tables=TABLES,
)
