"""What the template tells the function, and the bounds that are the code's own."""

import os

MEDIA = os.environ["MEDIA"]
USERS = os.environ["USERS"]
SESSIONS = os.environ["SESSIONS"]
FILES = os.environ["FILES"]
SIGNING_KEY = os.environ["SIGNING_KEY"]
ISSUER = os.environ["ISSUER"]
TOKEN_SECONDS = int(os.environ["TOKEN_SECONDS"])
URL_SECONDS = int(os.environ["URL_SECONDS"])
FILE_BYTES_MAX = int(os.environ["FILE_BYTES_MAX"])
UNFINISHED_SECONDS = int(os.environ["UNFINISHED_DAYS"]) * 86_400

MIB = 1024 * 1024
PUT_BYTES_MAX = 5 * 1024 * MIB
PART_BYTES_MIN = 8 * MIB
PARTS_MAX = 10_000
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""
URLS_MAX = 100
PAGE_MAX = 100

TRIES_MAX = 10
TRIES_SECONDS = 900
KEY_SECONDS = 60
"""How long the signing key is kept before it is read again."""
