"""The API: who may upload, and where. The files themselves never come here."""

from typing import Annotated

import docs
import sessions
import settings
import shapes
import storage
import users
from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from mangum import Mangum
from starlette.datastructures import MutableHeaders


class NeverStored:
    """Tokens and signed addresses are for whoever asked, now; other answers may say otherwise."""

    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        async def sending(message):
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
            await send(message)

        await self.inner(scope, receive, sending)


app = FastAPI(
    title="Media upload",
    description="Files go straight from the browser to S3, by addresses that this API signs.",
    version="1.0",
    docs_url=None,
    redoc_url=None,
    # Beside the description itself, whatever path a stage or a domain puts before it.
    servers=[{"url": "."}],
)
app.include_router(docs.router)
app.add_middleware(NeverStored)
bearer = HTTPBearer(auto_error=False, description="The `access_token` of `POST /login`")


def who(given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]):
    """The claims of the request's token."""
    claims = sessions.read(given.credentials) if given else None
    if claims is None:
        raise HTTPException(401, "log in first", {"WWW-Authenticate": "Bearer"})
    return claims


Claims = Annotated[dict, Depends(who)]
FileId = Annotated[str, Path(pattern="^[0-9a-f]{28}$")]


@app.exception_handler(RequestValidationError)
def not_as_described(request: Request, error: Exception):
    """Say what is wrong, without saying again what was given: it may be a password."""
    told = [{name: one[name] for name in ("loc", "msg", "type")} for one in error.errors()]
    return JSONResponse({"detail": told}, 422)


@app.exception_handler(storage.NoSuchFile)
def no_such_file(request: Request, error: Exception):
    return JSONResponse({"detail": "you have no such file"}, 404)


@app.exception_handler(storage.PartsMissing)
def parts_missing(request: Request, error: Exception):
    return JSONResponse({"detail": f"parts are missing: {error}"}, 409)


@app.post("/signup", status_code=201, tags=["users"])
def sign_up(given: shapes.NewUser) -> shapes.User:
    """Become a user. The password has at least ten characters."""
    if given.username in given.password.lower():
        raise HTTPException(422, "the password must not hold the name")
    try:
        users.sign_up(given.username, given.password)
    except users.NameTaken:
        raise HTTPException(409, "this name is taken") from None
    return shapes.User(username=given.username)


@app.post("/login", tags=["users"])
def log_in(given: shapes.Credentials) -> shapes.Token:
    """Get a token. Ten wrong passwords, and the name rests for up to a quarter of an hour."""
    try:
        sessions.count_try(given.username)
    except sessions.TooManyTries as error:
        headers = {"Retry-After": str(error)}
        raise HTTPException(429, "too many wrong passwords", headers) from None
    user = users.find(given.username, given.password)
    if user is None:
        headers = {"WWW-Authenticate": "Bearer"}
        raise HTTPException(401, "the name or the password is wrong", headers)
    sessions.forget_tries(given.username)
    token = sessions.issue(user, given.username)
    return shapes.Token(access_token=token, expires_in=settings.TOKEN_SECONDS)


@app.post("/logout", status_code=204, tags=["users"])
def log_out(claims: Claims) -> None:
    """End the token."""
    sessions.end(claims)


@app.post("/service/upload", status_code=201, tags=["uploads"])
def upload(given: shapes.NewFile, claims: Claims) -> shapes.Upload:
    """Get the address to `PUT` one file to, with exactly the size that is said."""
    if given.size > settings.PUT_BYTES_MAX:
        raise HTTPException(413, "files over 5 GiB are sent in parts")
    record, url = storage.begin_put(claims["sub"], given.name, given.type, given.size)
    return shapes.Upload(
        id=record["id"],
        url=url,
        headers={"Content-Type": given.type},
        expires_in=settings.URL_SECONDS,
    )


@app.post("/service/multipart", status_code=201, tags=["uploads in parts"])
def begin(given: shapes.NewFile, claims: Claims) -> shapes.Multipart:
    """Begin an upload in parts, which can be sent at once, in any order, and again."""
    if given.size == 0:
        raise HTTPException(422, "an empty file has no parts")
    return told(storage.begin_multipart(claims["sub"], given.name, given.type, given.size), [])


@app.get("/service/multipart/{file_id}", tags=["uploads in parts"])
def resume(file_id: FileId, claims: Claims) -> shapes.Multipart:
    """Which parts S3 has, for going on after a failure."""
    record = storage.load_upload(claims["sub"], file_id)
    return told(record, storage.parts_there(record))


@app.post("/service/multipart/{file_id}/urls", tags=["uploads in parts"])
def part_urls(file_id: FileId, given: shapes.WantedParts, claims: Claims) -> shapes.PartUrls:
    """Get the addresses to `PUT` parts to. S3 answers each with an `ETag`."""
    record = storage.load_upload(claims["sub"], file_id)
    if max(given.parts) > storage.part_count(record):
        raise HTTPException(422, "the file has fewer parts")
    urls = storage.part_urls(record, given.parts)
    return shapes.PartUrls(urls=urls, expires_in=settings.URL_SECONDS)


@app.post("/service/multipart/{file_id}/complete", tags=["uploads in parts"])
def complete(file_id: FileId, given: shapes.SentParts, claims: Claims) -> shapes.File:
    """Put the parts together, by the `ETag` of each."""
    record = storage.load(claims["sub"], file_id)
    if record["state"] != "finished":
        if "upload" not in record:
            raise storage.NoSuchFile(file_id)
        storage.complete(record, {part.number: part.etag for part in given.parts})
    return shapes.File(**record)


@app.delete("/service/multipart/{file_id}", status_code=204, tags=["uploads in parts"])
def abort(file_id: FileId, claims: Claims) -> None:
    """Give the upload up."""
    storage.abort(storage.load_upload(claims["sub"], file_id))


@app.get("/service/files", tags=["files"])
def list_files(
    claims: Claims,
    after: Annotated[str | None, Query(pattern="^[0-9a-f]{28}$")] = None,
    count: Annotated[int, Query(ge=1, le=settings.PAGE_MAX)] = 50,
) -> shapes.FileList:
    """Your finished files, the newest first."""
    found, last = storage.listed(claims["sub"], after, count)
    return shapes.FileList(files=[shapes.File(**one) for one in found], next=last)


@app.get("/service/files/{file_id}", tags=["files"])
def read_file(file_id: FileId, claims: Claims) -> shapes.FileWithUrl:
    """One of your files, with the address to read it from."""
    record = storage.load(claims["sub"], file_id)
    if record["state"] != "finished":
        return shapes.FileWithUrl(**record)
    url = storage.download_url(record)
    return shapes.FileWithUrl(**record, url=url, expires_in=settings.URL_SECONDS)


@app.delete("/service/files/{file_id}", status_code=204, tags=["files"])
def delete_file(file_id: FileId, claims: Claims) -> None:
    """Remove one of your files."""
    storage.delete(storage.load(claims["sub"], file_id))


def told(record, parts):
    return shapes.Multipart(
        id=record["id"],
        name=record["name"],
        size=record["size"],
        part_size=record["part_size"],
        part_count=storage.part_count(record),
        parts=parts,
    )


handler = Mangum(app, lifespan="off")
