"""Waiting for copies of tables, which are made in the background."""

import threading

import pytest

TRIES_MAX = 600


@pytest.fixture
def until():
    """Waits until a question is answered with something true."""

    def wait(ask):
        pause = threading.Event()
        for _ in range(TRIES_MAX):
            if answer := ask():
                return answer
            pause.wait(0.05)
        raise AssertionError("it never came about")

    return wait


@pytest.fixture
def ready(until):
    """Waits until a table is there with its items, and gives them by their keys."""

    def wait(db, table):
        until(lambda: db.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE")
        pages = db.get_paginator("scan").paginate(TableName=table)
        return [item for page in pages for item in page["Items"]]

    return wait


@pytest.fixture
def backed_up(until):
    """Waits until a backup is whole."""

    def wait(db, arn):
        def ask():
            details = db.describe_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]
            return details if details["BackupStatus"] == "AVAILABLE" else None

        return until(ask)

    return wait


def by_key(items):
    """Items in an order of their own."""
    return sorted(items, key=repr)


def fill(db, table, begin, end, **more):
    """Items with keys from `begin` to before `end`."""
    for first in range(begin, end, 25):
        puts = [
            {
                "PutRequest": {
                    "Item": {"p": {"S": f"k{number}"}, "g": {"N": str(number % 7)}, **more}
                }
            }
            for number in range(first, min(first + 25, end))
        ]
        db.batch_write_item(RequestItems={table: puts})
