"""What requests and answers hold, as the description at /docs shows it."""

from typing import Annotated, Literal

import settings
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]*$",
        min_length=3, max_length=64,
    ),
]  # fmt: skip
Password = Annotated[str, StringConstraints(min_length=10, max_length=128)]


def is_file_name(text):
    """Refuse what is no name of a file: paths, and characters that nobody sees."""
    if any(one in "/\\" or not (one.isprintable()) for one in text) or not text.strip(". "):
        raise ValueError("is not the name of a file")
    return text


FileName = Annotated[
    str, StringConstraints(min_length=1, max_length=255), AfterValidator(is_file_name)
]
FileType = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$", max_length=127)
]
PartNumber = Annotated[int, Field(ge=1, le=settings.PARTS_MAX)]
FileId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{28}$")]


class Given(BaseModel):
    """A request's body; members that are not known are refused."""

    model_config = ConfigDict(extra="forbid")


class NewUser(Given):
    username: Name
    password: Password


class Credentials(Given):
    username: Name
    password: Annotated[str, StringConstraints(max_length=128)]


class NewFile(Given):
    name: FileName
    size: Annotated[int, Field(ge=0, le=settings.FILE_BYTES_MAX)]
    type: FileType = "application/octet-stream"


class WantedParts(Given):
    parts: Annotated[list[PartNumber], Field(min_length=1, max_length=settings.URLS_MAX)]


class SentPart(Given):
    number: PartNumber
    etag: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class SentParts(Given):
    parts: Annotated[list[SentPart], Field(min_length=1, max_length=settings.PARTS_MAX)]


class User(BaseModel):
    username: str


class Token(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = Field(description="in seconds")


class Upload(BaseModel):
    id: str
    url: str = Field(description="where the file is `PUT`")
    headers: dict[str, str] = Field(description="what must be sent with it")
    expires_in: int = Field(description="until when the address must be used, in seconds")


class Part(BaseModel):
    number: int
    size: int
    etag: str


class Multipart(BaseModel):
    id: str
    name: str
    size: int
    part_size: int = Field(description="bytes of each part but the last")
    part_count: int
    parts: list[Part] = Field(description="those that S3 has already")


class PartUrls(BaseModel):
    urls: dict[int, str]
    expires_in: int


class File(BaseModel):
    id: str
    name: str
    type: str
    size: int
    state: Literal["uploading", "finished"]
    created: str
    finished: str | None = None


class FileWithUrl(File):
    url: str | None = Field(None, description="where it can be read, when it is finished")
    expires_in: int | None = None


class FileList(BaseModel):
    files: list[File]
    next: str | None = Field(description="give it as `after` for the next page")
