"""Buckets: make, find, list, delete."""

from __future__ import annotations

import re
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import (
    bucket_policy,
    bucket_policy_anywhere,
    bucket_resource,
    write_conditions,
)
from cumulet.services.s3.drafts import read_tags
from cumulet.services.s3.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    InvalidArgument,
    InvalidBucketName,
    InvalidRequest,
    NotImplementedHere,
    malformed_xml,
    no_bucket,
)
from cumulet.services.s3.limits import BUCKET_TAGS_MAX, BUCKETS_MAX
from cumulet.services.s3.model import Bucket, Grant, is_bucket_name
from cumulet.services.s3.rules.acl import asks_for_acl, is_public_acl, read_acl, shown_user
from cumulet.services.s3.store.known import Buckets

Request = dict[str, Any]

_FIRST_REGION = "us-east-1"
_REGION = re.compile(r"(?:EU|[a-z]{2,3}(?:-[a-z]+){1,2}-\d)\Z")
PUBLIC_ACCESS_BLOCKS = (
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
)


async def find_bucket(ctx: Context, name: str) -> Bucket:
    """The bucket. Raises NoSuchBucket."""
    known = await ctx.need(Buckets).get(name)
    if known is None:
        raise no_bucket(name)
    return known.bucket


def _creating(ctx: Context, request: Request) -> list[str]:
    actions = ["s3:CreateBucket"]
    if asks_for_acl(request):
        actions.append("s3:PutBucketAcl")
    if request.get("ObjectLockEnabledForBucket"):
        actions += ["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"]
    if request.get("ObjectOwnership"):
        actions.append("s3:PutBucketOwnershipControls")
    return actions


@operation("CreateBucket", action=_creating, resource=bucket_resource, conditions=write_conditions)
async def create_bucket(ctx: Context, request: Request) -> Request:
    """Make a bucket; its name is taken for all accounts."""
    name = request["Bucket"]
    if not is_bucket_name(name):
        raise InvalidBucketName("The specified bucket is not valid.", BucketName=name)
    configuration = request.get("CreateBucketConfiguration") or {}
    for kind in ("Location", "Bucket"):
        if configuration.get(kind):
            raise NotImplementedHere("A directory bucket")
    region = choose_region(configuration.get("LocationConstraint"), ctx.scope.region)
    tags = read_tags(configuration.get("Tags") or [], BUCKET_TAGS_MAX)
    settings, grants = _first_settings(ctx, request)
    bucket = Bucket(
        name,
        ctx.scope.account,
        region,
        int(ctx.clock.now() * 1000),
        tags=tags,
        versioning="Enabled" if "ObjectLock" in settings else "",
        settings=settings,
        grants=grants,
    )

    async def insert(tx: Transaction, scope: Scope) -> Bucket | None:
        owned = await store.BUCKETS.lookup(
            tx, scope, "account", bucket.account, limit=BUCKETS_MAX + 1
        )
        if len(owned) >= BUCKETS_MAX:
            raise InvalidRequest(
                "You have attempted to create more buckets than allowed", code="TooManyBuckets"
            )
        if await store.BUCKETS.insert(tx, scope, bucket):
            return None
        return await store.BUCKETS.load(tx, scope, name)

    taken = await ctx.transact(insert)
    if taken is not None and taken.account != bucket.account:
        raise BucketAlreadyExists(
            "The requested bucket name is not available. The bucket namespace is shared by all "
            "users of the system. Please select a different name and try again.",
            BucketName=name,
        )
    # In the first region S3 answers the owner's second try with success.
    if taken is not None and (region, taken.region) != (_FIRST_REGION, _FIRST_REGION):
        raise BucketAlreadyOwnedByYou(
            "Your previous request to create the named bucket succeeded and you already own it.",
            BucketName=name,
        )
    return {"Location": f"/{name}", "BucketArn": f"arn:aws:s3:::{name}"}


def _first_settings(ctx: Context, request: Request) -> tuple[Request, list[Grant] | None]:
    """What a new bucket begins with, and its ACL. Raises InvalidBucketAclWithObjectOwnership."""
    # Since April 2023 new buckets block all public access until their owner says otherwise.
    settings: Request = {"PublicAccessBlock": dict.fromkeys(PUBLIC_ACCESS_BLOCKS, True)}
    ownership = request.get("ObjectOwnership") or "BucketOwnerEnforced"
    check_ownership(ownership)
    if ownership != "BucketOwnerEnforced":
        settings["OwnershipControls"] = ownership
    if request.get("ObjectLockEnabledForBucket"):
        settings["ObjectLock"] = {"ObjectLockEnabled": "Enabled"}
    if not asks_for_acl(request):
        return settings, None
    grants = read_acl(request, ctx.scope.account, ctx.scope.account, of_object=False)
    if ownership == "BucketOwnerEnforced" and not is_owners(grants, ctx.scope.account):
        raise InvalidRequest(
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            code="InvalidBucketAclWithObjectOwnership",
        )
    if is_public_acl(grants):
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-bucket.html
        raise InvalidRequest(
            "Public ACLs can't be set because of the BlockPublicAcls setting of new buckets.",
            code="InvalidBucketAclWithBlockPublicAccessError",
        )
    return settings, grants


def check_ownership(ownership: str) -> None:
    """Raise MalformedXML unless it is one of the three."""
    if ownership not in ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"):
        raise malformed_xml()


def is_owners(grants: list[Grant], account: str) -> bool:
    """Whether an ACL says only that the owner may do everything."""
    return all(grant == Grant(account, "FULL_CONTROL") for grant in grants)


def choose_region(constraint: str | None, asked: str) -> str:
    """Where a bucket is made: in the region that is asked, which for the first one may name others.

    Raises IllegalLocationConstraintException, InvalidLocationConstraint.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    """
    if constraint == _FIRST_REGION or (constraint and not _REGION.match(constraint)):
        raise InvalidRequest(
            "The specified location-constraint is not valid",
            code="InvalidLocationConstraint",
            LocationConstraint=constraint,
        )
    region = "eu-west-1" if constraint == "EU" else constraint or _FIRST_REGION
    if region != asked and asked != _FIRST_REGION:
        raise InvalidRequest(
            f"The {constraint or 'unspecified'} location constraint is incompatible for the region "
            "specific endpoint this request was sent to.",
            code="IllegalLocationConstraintException",
        )
    return region


@operation(
    "HeadBucket",
    action="s3:ListBucket",
    resource=bucket_resource,
    resource_policy=bucket_policy,
    access="anyone",
)
async def head_bucket(ctx: Context, request: Request) -> Request:
    """Whether the bucket is there, and where."""
    bucket = await find_bucket(ctx, request["Bucket"])
    return {"BucketRegion": bucket.region, "AccessPointAlias": False}


@operation(
    "GetBucketLocation",
    resource=bucket_resource,
    resource_policy=bucket_policy_anywhere,
    access="anyone",
)
async def get_bucket_location(ctx: Context, request: Request) -> Request:
    """The bucket's region; nothing for the first one, as S3 has it."""
    bucket = await find_bucket(ctx, request["Bucket"])
    return {"LocationConstraint": "" if bucket.region == _FIRST_REGION else bucket.region}


@operation("ListBuckets", action="s3:ListAllMyBuckets")
async def list_buckets(ctx: Context, request: Request) -> Request:
    """The account's buckets by name."""
    limit = min(request.get("MaxBuckets") or BUCKETS_MAX, BUCKETS_MAX)
    prefix = request.get("Prefix") or ""
    region = request.get("BucketRegion")
    after: tuple[str, str] | None = None
    if token := request.get("ContinuationToken"):
        after = (ctx.scope.account, _last_name(token))

    async def read(tx: Transaction, scope: Scope) -> list[Bucket]:
        found: list[Bucket] = []
        place = after
        while len(found) <= limit:
            page = await store.BUCKETS.lookup(
                tx,
                scope,
                "account",
                scope.account,
                starts=prefix or None,
                after=place,
                limit=limit + 1,
            )
            found += [bucket for bucket in page if not region or bucket.region == region]
            if len(page) <= limit:
                break
            place = (scope.account, page[-1].name)
        return found[: limit + 1]

    found = await ctx.transact(read)
    answer: Request = {
        "Buckets": [
            {
                "Name": bucket.name,
                "CreationDate": bucket.created_ms / 1000,
                "BucketRegion": bucket.region,
                "BucketArn": f"arn:aws:s3:::{bucket.name}",
            }
            for bucket in found[:limit]
        ],
        "Owner": shown_user(ctx.scope.account),
    }
    if prefix:
        answer["Prefix"] = prefix
    if len(found) > limit:
        answer["ContinuationToken"] = make_token([found[limit - 1].name])
    return answer


def _last_name(token: str) -> str:
    try:
        return str(read_token(token)[0])
    except (ValueError, TypeError, LookupError):
        raise InvalidArgument("The continuation token provided is incorrect") from None


@operation("DeleteBucket", resource=bucket_resource, resource_policy=bucket_policy)
async def delete_bucket(ctx: Context, request: Request) -> None:
    """Remove an empty bucket."""
    now_ms = int(ctx.clock.now() * 1000)
    done = store.Emptying.more
    while done is store.Emptying.more:
        done = await ctx.transact(store.drop_bucket, request["Bucket"], now_ms)
    if done is store.Emptying.not_empty:
        raise BucketNotEmpty(
            "The bucket you tried to delete is not empty", BucketName=request["Bucket"]
        )
