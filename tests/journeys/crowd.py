"""A hundred clients on the same items of one table, and what must be true of what they leave.

Each client does one thing after the other. `answered` is what the cloud said was done. A write that
was cut off is `unsure` where it cannot be asked again, and is asked again where it can.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

TABLE = "crowd"
COUNTERS = 3
LOCKS = 3
ACCOUNTS = 6
EACH = 1_000
"""What an account begins with."""

CUT_OFF = (ConnectionError, HTTPClientError)
BACK_SECONDS_MAX = 60
IN_THE_WAY = {"TransactionConflict"}
AGAIN = {"TransactionConflictException", "TransactionInProgressException"}


class Crowd:
    """What all clients share: the way to the cloud, and what they were told."""

    def __init__(self, cloud: Any, clients: int, seed: int) -> None:
        self.cloud = cloud
        self.seed = seed
        self.clients = clients
        self.over = threading.Event()
        self.reachable = threading.Event()
        self.failures: list[BaseException] = []
        self.counted: dict[str, list[int]] = defaultdict(list)
        self.won: dict[str, list[int]] = defaultdict(list)
        self.moved: set[str] = set()
        self.unsure: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.connect()

    def connect(self) -> None:
        """Use the cloud that runs now."""
        self.client = self.cloud.client("dynamodb", max_pool_connections=self.clients)
        self.reachable.set()

    def prepare(self) -> None:
        """The table, with an index whose entries move, and a stream of all images."""
        self.client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "owner", "AttributeType": "S"},
                {"AttributeName": "version", "AttributeType": "N"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-owner",
                    "KeySchema": [
                        {"AttributeName": "owner", "KeyType": "HASH"},
                        {"AttributeName": "version", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        for number in range(LOCKS):
            self._put(f"lock-{number}", version={"N": "0"}, owner={"S": "nobody"})
        for number in range(ACCOUNTS):
            self._put(f"account-{number}", balance={"N": str(EACH)})

    def _put(self, item: str, **attributes: Any) -> None:
        self.client.put_item(TableName=TABLE, Item={"id": {"S": item}, **attributes})

    def tell(self, kind: str, note: Callable[[], None] | None = None) -> None:
        """Note an answer."""
        with self._lock:
            self.answered[kind] += 1
            if note is not None:
                note()

    def doubt(self, item: str) -> None:
        """Note a write of which nobody knows whether it was done."""
        with self._lock:
            self.unsure[item] += 1


class Client(threading.Thread):
    """One of them."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        super().__init__(name=f"client-{number}")
        self.crowd = crowd
        self.chance = random.Random(f"{crowd.seed} {number}")

    def run(self) -> None:
        does = (self.count, self.lock, self.move, self.look)
        try:
            while not self.crowd.over.is_set():
                self.chance.choices(does, (4, 3, 3, 1))[0]()
        except BaseException as failure:
            self.crowd.failures.append(failure)
            self.crowd.over.set()

    def wait_for_the_cloud(self) -> None:
        """After a cut: the client that was cut off may be the one of before."""
        assert self.crowd.reachable.wait(BACK_SECONDS_MAX), "the cloud did not come back"

    def count(self) -> None:
        """Add one to a counter. Nobody else may be told the same number."""
        name = f"counter-{self.chance.randrange(COUNTERS)}"
        try:
            told = self.crowd.client.update_item(
                TableName=TABLE,
                Key={"id": {"S": name}},
                UpdateExpression="ADD hits :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
                ReturnValues="UPDATED_NEW",
            )
        except CUT_OFF:
            self.crowd.doubt(name)
            self.wait_for_the_cloud()
            return
        number = int(told["Attributes"]["hits"]["N"])
        self.crowd.tell("count", lambda: self.crowd.counted[name].append(number))

    def lock(self) -> None:
        """Take a lock over, if nobody else did since it was looked at."""
        name = f"lock-{self.chance.randrange(LOCKS)}"
        key = {"id": {"S": name}}
        is_sent = False
        try:
            seen = self.crowd.client.get_item(TableName=TABLE, Key=key, ConsistentRead=True)
            version = int(seen["Item"]["version"]["N"])
            is_sent = True
            self.crowd.client.update_item(
                TableName=TABLE,
                Key=key,
                ConditionExpression="version = :seen",
                UpdateExpression="SET version = :next, #owner = :me",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={
                    ":seen": {"N": str(version)},
                    ":next": {"N": str(version + 1)},
                    ":me": {"S": self.name},
                },
            )
        except CUT_OFF:
            if is_sent:
                self.crowd.doubt(name)
            self.wait_for_the_cloud()
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            self.crowd.tell("lock lost")
        else:
            self.crowd.tell("lock", lambda: self.crowd.won[name].append(version + 1))

    def move(self) -> None:
        """Move money between accounts and note it, all or nothing; asked until it is sure."""
        giver, taker = self.chance.sample(range(ACCOUNTS), 2)
        amount = self.chance.randrange(1, 200)
        name = f"note-{uuid.UUID(int=self.chance.getrandbits(128))}"
        values = {":amount": {"N": str(amount)}}
        request = {
            "ClientRequestToken": name[-36:],
            "TransactItems": [
                _update(giver, "SET balance = balance - :amount", values, "balance >= :amount"),
                _update(taker, "SET balance = balance + :amount", values, "balance >= :zero"),
                {
                    "Put": {
                        "TableName": TABLE,
                        "Item": {
                            "id": {"S": name},
                            "owner": {"S": f"account-{giver}"},
                            "version": {"N": str(amount)},
                            "taker": {"S": f"account-{taker}"},
                        },
                        "ConditionExpression": "attribute_not_exists(id)",
                    }
                },
            ],
        }
        while True:
            try:
                self.crowd.client.transact_write_items(**request)
            except CUT_OFF:
                self.wait_for_the_cloud()
                continue
            except ClientError as error:
                if _is_in_the_way(error):
                    continue
                reasons = [one["Code"] for one in error.response["CancellationReasons"]]
                assert reasons == ["ConditionalCheckFailed", "None", "None"], reasons
                self.crowd.tell("move refused")
                return
            self.crowd.tell("move", lambda: self.crowd.moved.add(name))
            return

    def look(self) -> None:
        """Look at all accounts at once: no transaction is ever seen half done."""
        gets = [
            {"Get": {"TableName": TABLE, "Key": {"id": {"S": f"account-{number}"}}}}
            for number in range(ACCOUNTS)
        ]
        try:
            found = self.crowd.client.transact_get_items(TransactItems=gets)["Responses"]
        except CUT_OFF:
            self.wait_for_the_cloud()
            return
        except ClientError as error:
            if not _is_in_the_way(error):
                raise
            return
        balances = [int(one["Item"]["balance"]["N"]) for one in found]
        assert sum(balances) == ACCOUNTS * EACH, balances
        assert min(balances) >= 0, balances
        self.crowd.tell("look")


def _update(account: int, change: str, values: Any, condition: str) -> dict[str, Any]:
    more = {":zero": {"N": "0"}} if ":zero" in condition else {}
    return {
        "Update": {
            "TableName": TABLE,
            "Key": {"id": {"S": f"account-{account}"}},
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {**values, **more},
        }
    }


def _is_in_the_way(error: ClientError) -> bool:
    """Whether another transaction was: the same may be asked again.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
    """
    if error.response["Error"]["Code"] in AGAIN:
        return True
    reasons = {one["Code"] for one in error.response.get("CancellationReasons", ())}
    return bool(reasons & IN_THE_WAY)


def drive(crowd: Crowd, seconds: float, kills: int) -> list[float]:
    """Let all work for so long, the cloud killed and started again; how long each restart took."""
    restarts = []
    clients = [Client(crowd, number) for number in range(crowd.clients)]
    for client in clients:
        client.start()
    try:
        for _ in range(kills):
            crowd.over.wait(seconds / (kills + 1))
            crowd.reachable.clear()
            crowd.cloud.kill()
            began = time.perf_counter()
            crowd.cloud.start()
            restarts.append(time.perf_counter() - began)
            crowd.connect()
        crowd.over.wait(seconds / (kills + 1))
    finally:
        crowd.over.set()
        for client in clients:
            client.join(BACK_SECONDS_MAX)
    assert not [client.name for client in clients if client.is_alive()]
    assert not crowd.failures, crowd.failures
    return restarts
