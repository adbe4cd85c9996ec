"""The demo's act about documents: a PDF is uploaded and read page by page, and its text is
downloaded.

One of its pages is a scan, an image that needs OCR.
"""

import urllib.request
from typing import Any

import stack
from claims import Checks, expect_whole
from client import Event, rest
from processes import Failed
from progress import Progress, follow, heading
from settings import ROOT

DOCUMENT = ROOT / "shared" / "documents" / "tests" / "fixtures" / "tides.pdf"
# A sentence of each page. The first page has a text layer in two columns, the second one needs OCR.
SENTENCES = {"the text layer": "at new and at full Moon", "the scan": "one has to look"}


async def a_document_is_read(env: stack.Env, checks: Checks) -> None:
    heading("A PDF of two pages is read, one of them a scan (ocr)")
    url = env["HTTP_URL"]
    session_id = ask(url, "POST", "/api/sessions", {"mode": "ocr", "name": "Tides, on paper"})["session_id"]
    bring(url, session_id)
    config = {"mode": "ocr", "session_id": session_id, "document": DOCUMENT.name, "saveText": True}
    follower = await follow(env["WS_URL"], {"task": "Read this document.", "config": config}, Progress("ocr"))
    expect_whole(url, checks, follower)
    listed = ask(url, "GET", f"/api/sessions/{session_id}/artifacts")["artifacts"]
    files = {artifact["name"]: artifact["url"] for artifact in listed}
    wanted = {DOCUMENT.name, *(f"{DOCUMENT.stem}.{ending}" for ending in ("md", "json", "txt"))}
    checks.expect(f"its artifacts are {', '.join(sorted(wanted))}", set(files) == wanted, sorted(files))
    with urllib.request.urlopen(files[f"{DOCUMENT.stem}.txt"], timeout=60) as reply:
        text = " ".join(reply.read().decode().split())
    for page, sentence in SENTENCES.items():
        checks.expect(f"{page} was read: “… {sentence} …”", sentence in text, text[:200])


def bring(url: str, session_id: str) -> None:
    """Uploads the PDF as any client does: requests a link and puts the file there."""
    content = DOCUMENT.read_bytes()
    wanted = {"name": DOCUMENT.name, "content_type": "application/pdf", "size": len(content)}
    link = ask(url, "POST", f"/api/sessions/{session_id}/uploads", wanted)
    request = urllib.request.Request(link["url"], content, link["headers"], method=link["method"])
    with urllib.request.urlopen(request, timeout=60) as reply:
        print(f"  {link['method']} {DOCUMENT.name}, {len(content)} bytes: {reply.status}", flush=True)


def ask(url: str, method: str, path: str, body: Event | None = None) -> Any:
    """The body of a REST call that must succeed."""
    status, answer = rest(url, method, path, body)
    if status >= 300:
        raise Failed(f"{method} {path}: {status} {answer}")
    return answer
