"""DynamoDB Local: AWS's own program, which evaluates every expression and condition."""

from collections.abc import Mapping
from typing import Any

import boto3
import install
import template as templates
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from processes import Processes
from settings import REGION, ROOT, TABLE_NAME, Settings

NAME = "dynamodb"


def start(settings: Settings, processes: Processes, environment: Mapping[str, str]) -> None:
    """Starts it from the installed jars, or from its Docker image if there is no Java."""
    # One database for all keys and regions, because MiniStack gives its functions other credentials
    # than a client has.
    arguments = ["-sharedDb", "-disableTelemetry", "-port", str(settings.dynamodb_port)]
    # Its default permits every web page to read the table.
    arguments += ["-cors", "http://localhost"]
    if settings.data:
        settings.data.mkdir(parents=True, exist_ok=True)
    if install.has_java():
        command = ["java", f"-Djava.library.path={install.DYNAMODB}", "-cp", f"{install.DYNAMODB}/*"]
        command.append("software.amazon.dynamodb.services.local.main.ServerRunner")
        where = ["-dbPath", str(settings.data)] if settings.data else ["-inMemory"]
    else:
        command = [
            "docker",
            "run",
            "--rm",
            "--init",
            "-p",
            f"127.0.0.1:{settings.dynamodb_port}:{settings.dynamodb_port}",
        ]
        command += ["-v", f"{settings.data}:/data", "--user", "root"] if settings.data else []
        command += [install.DYNAMODB_IMAGE, "-jar", "DynamoDBLocal.jar"]
        where = ["-dbPath", "/data"] if settings.data else ["-inMemory"]
    processes.start(NAME, [*command, *arguments, *where], environment, ROOT)
    # The image may have to be pulled first.
    processes.wait_until(NAME, lambda: answers(settings), 60 if install.has_java() else 300)


def answers(settings: Settings) -> bool:
    try:
        client(settings).list_tables(Limit=1)
    except (BotoCoreError, ClientError):
        return False
    return True


def create_table(settings: Settings, template: templates.Template) -> bool:
    """Creates the template's table; returns False when kept data already contains it."""
    dynamodb = client(settings)
    try:
        dynamodb.create_table(**templates.table_definition(template, TABLE_NAME))
    except dynamodb.exceptions.ResourceInUseException:
        return False
    dynamodb.update_time_to_live(TableName=TABLE_NAME, TimeToLiveSpecification=templates.ttl_specification(template))
    return True


def client(settings: Settings) -> Any:
    """A client with short timeouts. A caller that waits for readiness retries."""
    return boto3.client(
        "dynamodb",
        endpoint_url=settings.dynamodb_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1}),
    )
