"""The console's sign-in: the page as a deployment with an issuer serves it, before the local API,
which asks for no token. The issuer checks PKCE as RFC 7636 says.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

ISSUER = "https://issuer.example"
# It looks like a JWT; nobody verifies it here.
TOKEN = "header.payload.signature"

Opened = Callable[[BrowserContext, str], AbstractContextManager[Page]]


@dataclass
class Issuer:
    """The issuer's three endpoints."""

    challenge: str = ""
    grants: list[str] = field(default_factory=list)

    def answer(self, route: Route) -> None:
        request = route.request
        url = urlsplit(request.url)
        if url.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            assert asked["code_challenge_method"] == "S256", asked
            self.challenge = asked["code_challenge"]
            back = urlencode({"code": "the-code", "state": asked["state"]})
            # Playwright intercepts no redirect, but the navigation of a script.
            address = json.dumps(f"{asked['redirect_uri']}?{back}")
            route.fulfill(content_type="text/html", body=f"<script>location.replace({address})</script>")
        elif url.path == "/token":
            self.grant(route, {name: values[0] for name, values in parse_qs(request.post_data or "").items()})
        else:
            found = {"authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token"}
            route.fulfill(json=found, headers=CORS)

    def grant(self, route: Route, form: dict[str, str]) -> None:
        self.grants.append(form["grant_type"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != self.challenge or form["code"] != "the-code":
            route.fulfill(status=400, json={"error_description": "the verifier is wrong"}, headers=CORS)
            return
        route.fulfill(json={"access_token": TOKEN, "expires_in": 3600}, headers=CORS)


CORS = {"access-control-allow-origin": "*"}


def signs_in(browser: Browser, url: str, opened: Opened) -> None:
    """By the issuer and back to the same address; the token is in no storage and no address."""
    context = browser.new_context()
    issuer = Issuer()
    tokens: list[str | None] = []
    context.route(f"{ISSUER}/**", issuer.answer)
    context.route(lambda address: address.split("?")[0] == f"{url}/", lambda route: served(route, "issuer"))
    context.on("request", lambda request: noted(request, tokens))
    with opened(context, "#/start") as page:
        page.get_by_role("button", name="Continue at the issuer").click()
        expect(page.get_by_role("heading", name="Start a task")).to_be_visible()
        assert page.url == f"{url}/#/start", page.url
        page.get_by_role("link", name="Sessions").click()
        expect(page.locator(".sessions li").first).to_be_visible()
        kept = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])")
        assert kept == '[{},{},""]', kept
    assert issuer.grants == ["authorization_code"], issuer.grants
    assert tokens and set(tokens) == {f"Bearer {TOKEN}"}, tokens


def pastes_a_token(browser: Browser, url: str, opened: Opened) -> None:
    """Without a client id a token is pasted; a reload asks for it again."""
    context = browser.new_context()
    tokens: list[str | None] = []
    context.route(f"{url}/", lambda route: served(route, "token"))
    context.on("request", lambda request: noted(request, tokens))
    with opened(context, "") as page:
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator(".sessions li").first).to_be_visible()
        assert page.evaluate("sessionStorage.length + localStorage.length") == 0
        page.reload()
        expect(page.get_by_label("Token")).to_be_visible()
    assert tokens and set(tokens) == {f"Bearer {TOKEN}"}, tokens


def served(route: Route, sign_in: str) -> None:
    """The page with another `sign_in`, and the issuer in its policy."""
    reply = route.fetch()
    told: dict[str, Any] = {"sign_in": sign_in, "issuer": ISSUER, "client_id": "console", "audience": "api"}
    text = reply.text()
    begin = text.index('name="deployment" content="') + len('name="deployment" content="')
    end = text.index('"', begin)
    deployment = json.loads(text[begin:end].replace("&quot;", '"')) | told
    text = text[:begin] + json.dumps(deployment).replace('"', "&quot;") + text[end:]
    policy = reply.headers["content-security-policy"].replace("connect-src", f"connect-src {ISSUER}")
    route.fulfill(response=reply, body=text, headers={**reply.headers, "content-security-policy": policy})


def noted(request: Request, tokens: list[str | None]) -> None:
    """Keeps the tokens of the API's requests."""
    if "/api/" in request.url:
        tokens.append(request.headers.get("authorization"))
