"""The demo's act about documents: a PDF is uploaded and read page by page, and its text is
downloaded.

One of its pages is a scan, an image that needs OCR.
"""

from claims import Checks, expect_whole
from intermission import AsyncClient
from progress import Progress, follow, heading
from settings import ROOT

DOCUMENT = ROOT / "shared" / "documents" / "tests" / "fixtures" / "tides.pdf"
# A sentence of each page. The first page has a text layer in two columns, the second one needs OCR.
SENTENCES = {"the text layer": "at new and at full Moon", "the scan": "one has to look"}


async def a_document_is_read(client: AsyncClient, checks: Checks) -> None:
    heading("A PDF of two pages is read, one of them a scan (ocr)")
    session_id = (await client.create("ocr", name="Tides, on paper"))["session_id"]
    name = await client.upload(session_id, DOCUMENT)
    print(f"  uploaded {name}, {DOCUMENT.stat().st_size} bytes", flush=True)
    config = {"document": name, "saveText": True}
    events = await follow(client, Progress("ocr"), "Read this document.", session_id=session_id, config=config)
    await expect_whole(client, checks, events)
    files = {artifact["name"] async for artifact in client.artifacts(session_id)}
    wanted = {DOCUMENT.name, *(f"{DOCUMENT.stem}.{ending}" for ending in ("md", "json", "txt"))}
    checks.expect(f"its artifacts are {', '.join(sorted(wanted))}", files == wanted, sorted(files))
    text = " ".join((await client.download(session_id, f"{DOCUMENT.stem}.txt")).decode().split())
    for page, sentence in SENTENCES.items():
        checks.expect(f"{page} was read: “… {sentence} …”", sentence in text, text[:200])
