"""Numbers of SQS, each with its link."""

from __future__ import annotations

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MESSAGE_BYTES_MAX = 1_048_576
MESSAGE_BYTES_LEAST = 1_024
ATTRIBUTES_MAX = 10
ATTRIBUTE_NAME_MAX = 256
VISIBILITY_SECONDS_MAX = 43_200
DELAY_SECONDS_MAX = 900
RETENTION_SECONDS_MIN = 60
RETENTION_SECONDS_MAX = 1_209_600
WAIT_SECONDS_MAX = 20
RECEIVE_MAX = 10
BATCH_MAX = 10
BATCH_ID_MAX = 80
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
IN_FLIGHT_MAX = 120_000
NAME_MAX = 80
TAGS_MAX = 50
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
RECEIVES_MAX = 1_000
REUSE_SECONDS_MIN = 60
REUSE_SECONDS_MAX = 86_400
DELETED_SECONDS = 60
PURGE_SECONDS = 60
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
DEDUPLICATION_SECONDS = 300
GROUP_CHARACTERS_MAX = 128
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
LIST_MAX = 1_000
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
PERMISSION_ACTIONS_MAX = 7
PERMISSION_LABEL_MAX = 80
STATEMENTS_MAX = 20
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
MOVES_PER_SECOND_MAX = 500
MOVE_TASKS_MAX = 10

INLINE_BYTES = 16_384
"""Longer contents lie in records of their own, so that a receive does not write them again."""
CONTENT_BYTES = 524_288
CONTENT_PARTS_MAX = 16
"""Bytes of one such record, and how many a message can have: twice what it can be long."""
LINES_MAX = 10_000
"""Queues whose first message is remembered; see `store/line.py`."""
TOTALS_REMEMBERED_MAX = 1_000
"""Queues of which it is remembered under which key their messages are counted."""
URLS_REMEMBERED_MAX = 1_000
URL_REMEMBERED_CHARACTERS_MAX = 512
"""Queue URLs that are remembered as read, and how long they may be: names have 80 characters."""
GROUPS_LOOKED_AT = 200
"""Groups that one receive of a FIFO queue looks at."""
EXPIRE_MESSAGES = 200
"""Messages that one transaction of retention removes."""
MOVE_MESSAGES = 100
"""Messages that one transaction of a move task moves."""
POISON_RECEIVES = 3
"""Receives after which a message no longer counts as the oldest of its queue, see
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"""
OLDEST_LOOKED_AT = 100
"""Messages at the front of a queue that are looked at for its oldest."""
COUNT_ENTRIES = 200_000
"""Entries that a count looks at: more messages than can be in flight."""
DUE_PAGE = 500
"""Queues that one transaction of background work reads."""
