"""Unit tests of the checks before a deployment: with botocore's own regions, scripted answers of AWS
and a local discovery document. Needs infra/local in PYTHONPATH.
"""

import threading
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import preflight
import template as templates
from processes import Failed
from settings import TEMPLATE
from stubs import Script

TEMPLATES = templates.read(TEMPLATE)
DEFAULTS = {name: str(definition.get("Default", "")) for name, definition in TEMPLATES["Parameters"].items()}


NOTHING: dict[str, str] = {}


def plan(script: Script, values: dict[str, str], deployed: dict[str, str] = NOTHING) -> preflight.Plan:
    return preflight.Plan(script.target, TEMPLATES, DEFAULTS | values, deployed)


def problems(check: str, values: dict[str, str] = NOTHING, stack: str = "tried") -> list[str]:
    return list(preflight.CHECKS[check](plan(Script(stack), values)))


@contextmanager
def discovery(body: bytes, status: int = 200) -> Iterator[str]:
    """An issuer whose document is this; `ISSUER` in it is the issuer's own address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = status if self.path == "/realm/.well-known/openid-configuration" else 404
            self.send_response(found)
            self.end_headers()
            self.wfile.write(body.replace(b"ISSUER", issuer.encode()))

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        issuer = f"http://127.0.0.1:{server.server_port}/realm/"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield issuer
        finally:
            server.shutdown()


class TheIssuer(unittest.TestCase):
    def test_it_has_a_document_that_names_it_to_the_letter(self) -> None:
        with discovery(b'{"issuer": "ISSUER", "jwks_uri": "https://keys.example"}') as issuer:
            self.assertIsNone(preflight.discovery_problem(issuer))
            said = preflight.discovery_problem(issuer.rstrip("/"))
            self.assertIn(f"set JWT_ISSUER={issuer}", str(said))

    def test_whatever_else_answers_is_told(self) -> None:
        for body, status, told in (
            (b"{}", 200, "names no jwks_uri"),
            (b"[]", 200, "names no jwks_uri"),
            (b"<html>", 200, "has no discovery document"),
            (b"{}", 503, "503"),
        ):
            with self.subTest(told), discovery(body, status) as issuer:
                self.assertIn(told, str(preflight.discovery_problem(issuer)))

    def test_one_that_does_not_answer_is_told(self) -> None:
        with discovery(b"{}") as issuer:
            pass
        self.assertIn("has no discovery document", str(preflight.discovery_problem(issuer)))

    def test_only_https_is_accepted(self) -> None:
        self.assertIn("no https URL", problems("issuer", {"JwtIssuer": "http://issuer.example"})[0])


class TheConcurrency(unittest.TestCase):
    def problems(
        self, total: int, unreserved: int, values: dict[str, str] = NOTHING, deployed: dict[str, str] = NOTHING
    ) -> list[str]:
        with Script() as script:
            limits = {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": unreserved}
            script.answers("lambda", "get_account_settings", {"AccountLimit": limits})
            return list(preflight.concurrency(plan(script, values, deployed)))

    def small(self) -> dict[str, str]:
        """The values that the advice names."""
        names = templates.concurrency_parameters(TEMPLATES)
        return dict.fromkeys(names, "2") | {"FrameConcurrency": "0"}

    def test_an_account_with_the_usual_quota_has_enough(self) -> None:
        self.assertEqual(self.problems(1000, 1000), [])

    def test_a_new_account_has_too_little_and_is_told_both_ways_out(self) -> None:
        (workers, frames) = self.problems(10, 10)
        self.assertIn("runs 10 functions at the same time", workers)
        self.assertIn("L-B99A9384", workers)
        self.assertIn("EXECUTOR_CONCURRENCY=2", workers)
        self.assertIn("FRAME_CONCURRENCY=100 would leave -90", frames)

    def test_with_what_is_advised_a_new_account_is_enough(self) -> None:
        self.assertEqual(self.problems(10, 10, self.small()), [])

    def test_all_mappings_count(self) -> None:
        total = sum(templates.maximum_concurrency(TEMPLATES, DEFAULTS).values())
        rest = preflight.LEAST_REST
        self.assertEqual(self.problems(total + rest + 10, 0, {"FrameConcurrency": "0"}), [])
        self.assertEqual(len(self.problems(total + rest - 1, 0, {"FrameConcurrency": "0"})), 1)

    def test_what_others_reserved_counts_and_what_the_stack_has_itself_does_not(self) -> None:
        self.assertEqual(len(self.problems(1000, 150)), 1)
        self.assertEqual(self.problems(1000, 150, deployed={"FrameConcurrency": "100"}), [])


class TheModels(unittest.TestCase):
    def test_each_provider_needs_what_it_cannot_do_without(self) -> None:
        for values, told in (
            ({"ModelProvider": "openai"}, ["needs MODEL_ID", "OPENAI_API_KEY_SECRET"]),
            ({"ModelProvider": "anthropic", "ModelId": "m"}, ["ANTHROPIC_API_KEY_SECRET"]),
            ({"ModelProvider": "bedrock", "ModelId": "m"}, ["BEDROCK_MODELS"]),
            ({"ModelProvider": "ollama", "ModelId": "m"}, ["OLLAMA_BASE_URL"]),
            ({"ModelProviders": "bedrock, openai"}, ["BEDROCK_MODELS", "OPENAI_API_KEY_SECRET"]),
            ({"ModelProviders": "gemini"}, ["MODEL_PROVIDERS=gemini"]),
            ({"ModelProvider": "openai", "ModelId": "m", "OpenaiBaseUrl": "https://api.openai.com/v1/"}, ["SECRET"]),
        ):
            with self.subTest(values):
                found = problems("models", values)
                self.assertEqual(len(found), len(told))
                for problem, part in zip(found, told, strict=True):
                    self.assertIn(part, problem)

    def test_with_it_there_is_nothing_to_say(self) -> None:
        for values in (
            {},
            {"ModelProvider": "openai", "ModelId": "m", "OpenaiApiKeySecret": "arn:aws:secretsmanager:::s"},
            {"ModelProvider": "openai", "ModelId": "m", "OpenaiBaseUrl": "https://own.example/v1"},
            {"ModelProvider": "anthropic", "ModelId": "m", "AnthropicApiKey": "****"},
            {"ModelProvider": "bedrock", "ModelId": "m", "BedrockModels": "arn:aws:bedrock:::m"},
            {"ModelProvider": "ollama", "ModelId": "m", "OllamaBaseUrl": "https://own.example/v1"},
        ):
            with self.subTest(values):
                self.assertEqual(problems("models", values), [])


class TheRest(unittest.TestCase):
    def test_textract_exists_in_the_region(self) -> None:
        self.assertEqual(problems("ocr"), [])
        script = Script()
        script.target.aws.region_name = "eu-north-1"
        (problem,) = preflight.ocr(plan(script, {}))
        self.assertIn("Textract does not exist in eu-north-1", problem)

    def test_tesseract_needs_a_layer_and_a_model_needs_eyes(self) -> None:
        self.assertIn("TESSERACT_LAYER_ARN", problems("ocr", {"OcrEngine": "tesseract"})[0])
        self.assertEqual(
            problems("ocr", {"OcrEngine": "tesseract", "TesseractLayerArn": "arn:aws:lambda:::layer:t:1"}), []
        )
        self.assertIn("offline has none", problems("ocr", {"OcrEngine": "model"})[0])
        self.assertEqual(problems("ocr", {"OcrEngine": "model", "ModelProvider": "bedrock"}), [])

    def test_the_names_that_contain_the_stacks_fit(self) -> None:
        longest = len("-get-credentials-status")
        bucket = len("-artifacts-111122223333-eu-central-1")
        fits = min(preflight.FUNCTION_NAME - longest, preflight.BUCKET_NAME - bucket)
        self.assertEqual(problems("name", stack="s" * fits), [])
        (problem,) = problems("name", stack="s" * (fits + 1))
        self.assertIn(f"at most {fits} fit", problem)
        self.assertEqual(len(problems("name", stack="s" * 45)), 2)
        for wrong in ("under_score", "1st", "-s", "ü"):
            self.assertEqual(len(problems("name", stack=wrong)), 1)

    def test_a_log_of_sockets_needs_the_accounts_role(self) -> None:
        for role, found in (({}, 1), ({"cloudwatchRoleArn": "arn:aws:iam::111122223333:role/r"}, 0)):
            with Script() as script:
                script.answers("apigateway", "get_account", role)
                given = plan(script, {"WebSocketAccessLogs": "true"})
                self.assertEqual(len(list(preflight.logs(given))), found)


class AllOfThem(unittest.TestCase):
    def broken(self, script: Script) -> preflight.Plan:
        script.refuses("lambda", "get_account_settings", "AccessDenied", "not you")
        return plan(script, {"JwtIssuer": "ldap:", "ModelProvider": "bedrock", "OcrEngine": "tesseract"})

    def test_all_problems_are_told_at_once_with_the_names_of_their_checks(self) -> None:
        with Script("under_score") as script, self.assertRaises(Failed) as raised:
            preflight.check(self.broken(script), "")
        for told in ("name: ", "issuer: ", "concurrency: could not be checked", "models: ", "ocr: "):
            self.assertIn(f"  {told}", str(raised.exception))
        self.assertIn("SKIP_CHECKS=", str(raised.exception))

    def test_a_check_can_be_left_out_by_its_name_and_only_by_that(self) -> None:
        script = Script("under_score")
        preflight.check(self.broken(script), ",".join(preflight.CHECKS))
        with Script() as script, self.assertRaises(Failed) as raised:
            preflight.check(plan(script, {}), "isuer")
        self.assertIn("no check is called isuer", str(raised.exception))
        self.assertIn("there are name, issuer", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
