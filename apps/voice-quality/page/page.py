"""GET / and /page/{file}: the page on which the service can be tried, and what belongs to it."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = {
    "index.html": "text/html; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "sound.js": "text/javascript; charset=utf-8",
    "recorder.js": "text/javascript; charset=utf-8",
}
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "media-src blob:; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def handler(event, context):
    name = (event.get("pathParameters") or {}).get("file", "index.html")
    if name not in FILES:
        return {"statusCode": 404, "headers": {"Content-Type": "text/plain"}, "body": "not here"}
    return {
        "statusCode": 200,
        "headers": {**HEADERS, "Content-Type": FILES[name]},
        "body": (HERE / name).read_text(),
    }
