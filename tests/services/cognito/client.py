"""What tests of Cognito share: pools made in one call, and an SRP client of their own.

The SRP client is written from the protocol's description, not from the server's code.
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

PASSWORD = "Correct-Horse-7"
FLOWS = [
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_USER_PASSWORD_AUTH",
    "ALLOW_ADMIN_USER_PASSWORD_AUTH",
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_CUSTOM_AUTH",
]
# RFC 5054 appendix A, 3072 bits.
N = int(
    """
    FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD
    EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED
    EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F
    83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B
    E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510
    15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7
    ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C
    BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF
    """.replace("\n", "").replace(" ", ""),
    16,
)


def name(stem: str = "user") -> str:
    """A name that no other test uses."""
    return f"{stem}-{uuid.uuid4().hex[:10]}"


def refusal(call: Any, /, *args: Any, **kwargs: Any) -> tuple[str, str]:
    """The code and message with which a call is refused."""
    try:
        call(*args, **kwargs)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    raise AssertionError("the call was not refused")


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def secret_hash(user: str, client: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), (user + client).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _hex(number: int) -> bytes:
    digits = f"{number:x}"
    digits = "0" * (len(digits) % 2) + digits
    return bytes.fromhex("00" + digits if digits[0] in "89abcdef" else digits)


def _hash(*parts: bytes) -> int:
    return int(hashlib.sha256(b"".join(parts)).hexdigest(), 16)


class Srp:
    """One proof of a password."""

    def __init__(self, pool: str, password: str) -> None:
        self.pool = pool.split("_", 1)[1]
        self.password = password
        self.a = secrets.randbits(256)
        self.public = pow(2, self.a, N)

    @property
    def begin(self) -> str:
        return f"{self.public:x}"

    def answer(self, told: dict[str, str]) -> dict[str, str]:
        """The responses to PASSWORD_VERIFIER."""
        user, server = told["USER_ID_FOR_SRP"], int(told["SRP_B"], 16)
        u = _hash(_hex(self.public), _hex(server))
        inner = hashlib.sha256(f"{self.pool}{user}:{self.password}".encode()).digest()
        x = _hash(_hex(int(told["SALT"], 16)), inner)
        k = _hash(_hex(N), _hex(2))
        shared = pow(server - k * pow(2, x, N), self.a + u * x, N)
        middle = hmac.new(_hex(u), _hex(shared), hashlib.sha256).digest()
        key = hmac.new(middle, b"Caldera Derived Key" + bytes([1]), hashlib.sha256).digest()[:16]
        now = datetime.now(UTC)
        time = now.strftime(f"%a %b {now.day} %H:%M:%S UTC %Y")
        block = base64.b64decode(told["SECRET_BLOCK"])
        text = self.pool.encode() + user.encode() + block + time.encode()
        signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return {
            "USERNAME": user,
            "PASSWORD_CLAIM_SECRET_BLOCK": told["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": signature,
            "TIMESTAMP": time,
        }


@dataclass
class Pool:
    """A user pool with a client, as tests drive it."""

    cloud: Any
    admin: Any
    anyone: Any
    id: str
    client: str
    secret: str = ""

    def user(self, user: str = "", password: str = PASSWORD, **attributes: str) -> str:
        """A confirmed user with a password for good."""
        user = user or name()
        self.admin.admin_create_user(
            UserPoolId=self.id,
            Username=user,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": k, "Value": v} for k, v in attributes.items()],
        )
        self.admin.admin_set_user_password(
            UserPoolId=self.id, Username=user, Password=password, Permanent=True
        )
        return user

    def sign_in(self, user: str, password: str = PASSWORD, **more: str) -> dict[str, Any]:
        """The answer to a sign-in by password."""
        parameters = {"USERNAME": user, "PASSWORD": password, **more}
        if self.secret:
            parameters["SECRET_HASH"] = secret_hash(user, self.client, self.secret)
        answer: dict[str, Any] = self.anyone.initiate_auth(
            ClientId=self.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
        )
        return answer

    def tokens(self, user: str, password: str = PASSWORD) -> dict[str, Any]:
        found: dict[str, Any] = self.sign_in(user, password)["AuthenticationResult"]
        return found

    def srp(self, user: str, password: str = PASSWORD) -> dict[str, Any]:
        """The answer to a whole proof."""
        proof = Srp(self.id, password)
        parameters = {"USERNAME": user, "SRP_A": proof.begin}
        if self.secret:
            parameters["SECRET_HASH"] = secret_hash(user, self.client, self.secret)
        begun = self.anyone.initiate_auth(
            ClientId=self.client, AuthFlow="USER_SRP_AUTH", AuthParameters=parameters
        )
        assert begun["ChallengeName"] == "PASSWORD_VERIFIER"
        responses = proof.answer(begun["ChallengeParameters"])
        if self.secret:
            responses["SECRET_HASH"] = secret_hash(responses["USERNAME"], self.client, self.secret)
        answer: dict[str, Any] = self.anyone.respond_to_auth_challenge(
            ClientId=self.client, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=responses
        )
        return answer

    def mail(self, to: str) -> list[dict[str, Any]]:
        """The messages to an address, the newest first."""
        return read_mailbox(self.cloud, to)

    def code(self, to: str) -> str:
        """The code in the newest message to an address."""
        body = self.mail(to)[0]["body"]
        return "".join(c if c.isdigit() else " " for c in body).split()[-1]


def read_mailbox(
    cloud: Any, to: str = "", key: tuple[str, str] | None = None
) -> list[dict[str, Any]]:
    """The cloud's mailbox, by the page that the command line reads."""
    import urllib.request

    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url, body = f"{cloud.endpoint}/_cumulet/mail", json.dumps({"to": to}).encode()
    request = AWSRequest("POST", url, data=body)
    SigV4Auth(Credentials(*(key or cloud.root_key)), "cumulet", cloud.region).add_auth(request)
    sent = urllib.request.Request(url, data=body, headers=dict(request.headers), method="POST")
    with urllib.request.urlopen(sent, timeout=10) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["messages"]
        return found


def make_pool(cloud: Any, client: dict[str, Any] | None = None, **settings: Any) -> Pool:
    """A pool with one client."""
    admin = cloud.client("cognito-idp")
    anyone = cloud.client("cognito-idp", unsigned=True)
    settings.setdefault("PoolName", name("pool"))
    made = admin.create_user_pool(**settings)["UserPool"]
    wanted = {"ClientName": "web", "ExplicitAuthFlows": FLOWS, **(client or {})}
    added = admin.create_user_pool_client(UserPoolId=made["Id"], **wanted)["UserPoolClient"]
    return Pool(cloud, admin, anyone, made["Id"], added["ClientId"], added.get("ClientSecret", ""))
