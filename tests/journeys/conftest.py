"""What journeys over the wire share: a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def bucket(cloud: Any) -> Iterator[None]:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="wire-refusals")
    yield
    for row in s3.list_objects_v2(Bucket="wire-refusals").get("Contents", []):
        s3.delete_object(Bucket="wire-refusals", Key=row["Key"])
    s3.delete_bucket(Bucket="wire-refusals")
