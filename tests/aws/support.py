"""What the scenarios share: clients, the recorded form of errors, and traffic to what was deployed.

`tests/aws.rs` starts the gateway and says where it is:

    AWS_ENDPOINT_URL_API_GATEWAY   its admin port
    AWS_ACCESS_KEY_ID and so on    who calls
    RINGWAY_URL                    where clients of APIs connect
"""

import http.client
import json
import os
import unittest
import urllib.parse

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
REGION = "us-east-1"
ADMIN = os.environ["AWS_ENDPOINT_URL_API_GATEWAY"]
TRAFFIC = os.environ["RINGWAY_URL"]

# The machine may be busy: a test waits for answers, not for times.
PATIENCE_S = 120


def client(**options):
    """A client as a user makes one, but that it tries everything once: an error is to be seen."""
    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=PATIENCE_S,
        read_timeout=PATIENCE_S,
    )
    return boto3.session.Session().client("apigateway", config=config, **options)


class Any:
    """Equal to every value of a type that also passes `check`."""

    def __init__(self, kind, check=None):
        self.kind = kind
        self.check = check

    def __eq__(self, other):
        return isinstance(other, self.kind) and (self.check is None or bool(self.check(other)))

    def __repr__(self):
        return f"<any {self.kind.__name__}>"


def an_id(*lengths):
    """An id of so many lower-case letters and digits."""
    return Any(str, lambda it: len(it) in lengths and it.isalnum() and it == it.lower())


class Scenario(unittest.TestCase):
    """A test with a client, and words for what it expects."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        # One for all its tests: botocore reads its models anew for each client.
        cls.aws = client()

    def says(self, answer, http_status=200, /, **members):
        """The answer has this status and exactly these members."""
        got = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        self.assertEqual(members, got)
        self.assertEqual(http_status, answer["ResponseMetadata"]["HTTPStatusCode"])
        return answer

    def shows(self, answer, /, **members):
        """The answer has these members among others."""
        self.assertEqual(members, {key: answer.get(key) for key in members})
        return answer

    def refused(self, call, code, message, status=400, **arguments):
        """The call is refused with exactly this code, message and status."""
        with self.assertRaises(ClientError) as refusal:
            answer = call(**arguments)
            self.fail(f"{call.__name__}({arguments}) was carried out: {answer}")
        error = refusal.exception.response
        got = (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"])
        self.assertEqual((status, code, message), got)

    def bad_request(self, call, message, **arguments):
        self.refused(call, "BadRequestException", message, 400, **arguments)

    def not_found(self, call, message, **arguments):
        self.refused(call, "NotFoundException", message, 404, **arguments)

    def conflict(self, call, message, **arguments):
        self.refused(call, "ConflictException", message, 409, **arguments)

    def invalid(self, call, message, **arguments):
        self.refused(call, "ValidationException", message, 400, **arguments)

    def pages(self, call, limit, key="items", **arguments):
        """All items of a list, read in pages of `limit`; every page but the last is full."""
        items, position = [], None
        while True:
            more = {} if position is None else {"position": position}
            page = call(limit=limit, **arguments, **more)
            items.extend(page[key])
            position = page.get("position")
            if position is None:
                return items
            self.assertEqual(limit, len(page[key]))

    def api(self, name="test", **more):
        """A new API's id, gone when the test ends."""
        api = self.aws.create_rest_api(name=name, **more)
        self.addCleanup(self.aws.delete_rest_api, restApiId=api["id"])
        return api

    def method(self, api, resource=None, http_method="GET", **more):
        """A method without authorization on the API's root or another resource; gives its labels."""
        labels = {
            "restApiId": api["id"],
            "resourceId": resource or api["rootResourceId"],
            "httpMethod": http_method,
        }
        more.setdefault("authorizationType", "NONE")
        self.aws.put_method(**labels, **more)
        return labels

    def mock(self, api, body, resource=None, http_method="GET"):
        """A method that answers `body`."""
        labels = self.method(api, resource, http_method)
        self.aws.put_method_response(**labels, statusCode="200")
        self.aws.put_integration(
            **labels, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
        )
        self.aws.put_integration_response(
            **labels, statusCode="200", responseTemplates={"application/json": body}
        )
        return labels


def patch(op, path, value=None, source=None):
    """One patch operation."""
    made = {"op": op, "path": path, "value": value, "from": source}
    return {key: it for key, it in made.items() if it is not None}


def replace(path, value):
    """The patch operations of one replacement."""
    return [patch("replace", path, value)]


def ask(api, stage, path, method="GET", body=None, headers=None):
    """A request to a deployed API, as its clients send it; gives status and text."""
    address = urllib.parse.urlsplit(TRAFFIC)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE_S)
    try:
        host = {"Host": f"{api}.execute-api.localhost"}
        connection.request(method, f"/{stage}{path}", body, {**host, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def document(answers, title="pets", version="1.0", **more):
    """An OpenAPI document whose paths answer a JSON text each."""
    paths = {}
    for path, body in answers.items():
        paths[path] = {
            "get": {
                "responses": {"200": {"description": "fine"}},
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode": 200}'},
                    "responses": {
                        "default": {
                            "statusCode": "200",
                            "responseTemplates": {"application/json": body},
                        }
                    },
                },
            }
        }
    made = {"openapi": "3.0.1", "info": {"title": title, "version": version}, "paths": paths}
    return json.dumps({**made, **more}).encode()
