"""TestInvokeMethod and TestInvokeAuthorizer. Expected answers: recorded (facts, aws-recorded section 17)."""

import json
import re

from support import Scenario

STAMP = r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4} : "


class TestInvoke(Scenario):
    def test_a_failing_call_is_logged_line_by_line(self):
        labels = self.method(self.api(), http_method="ANY")
        self.aws.put_method_response(**labels, statusCode="200")
        self.aws.put_integration(
            **labels, type="HTTP_PROXY", integrationHttpMethod="GET", uri="https://${stageVariables.testHost}"
        )
        self.aws.put_integration_response(**labels, statusCode="200")
        answer = self.aws.test_invoke_method(**{**labels, "httpMethod": "GET"})
        self.shows(
            answer,
            status=500,
            headers={"x-amzn-ErrorType": "InternalServerErrorException"},
            multiValueHeaders={"x-amzn-ErrorType": ["InternalServerErrorException"]},
        )
        self.assertEqual({"message": "Internal server error"}, json.loads(answer["body"]))
        self.assertIsInstance(answer["latency"], int)
        want = [
            r"Execution log for request [0-9a-f-]{36}",
            STAMP + r"Starting execution for request: [0-9a-f-]{36}",
            STAMP + r"HTTP Method: GET, Resource Path: /",
            STAMP + r"Method request path: \{\}",
            STAMP + r"Method request query string: \{\}",
            STAMP + r"Method request headers: \{\}",
            STAMP + r"Method request body before transformations: ",
            STAMP + r"Execution failed due to configuration error: Invalid endpoint address",
            STAMP + r"Method completed with status: 500",
        ]
        self.assertTrue(answer["log"].endswith("\n"), answer["log"])
        got = answer["log"][:-1].split("\n")
        self.assertEqual(len(want), len(got), answer["log"])
        for pattern, line in zip(want, got):
            self.assertTrue(re.fullmatch(pattern, line), f"{line!r} is not {pattern!r}")

    def test_what_was_not_deployed_yet_runs(self):
        api = self.api()
        labels = self.mock(api, '{"q": "$input.params(\'q\')", "x": "$stageVariables.x", "b": $input.json(\'$\')}')
        self.aws.update_integration(
            **labels,
            patchOperations=[
                {
                    "op": "replace",
                    "path": "/requestTemplates/application~1json",
                    "value": '#set($context.requestOverride.path.b = $input.json("$.a")){"statusCode": 200}',
                }
            ],
        )
        answer = self.aws.test_invoke_method(
            **labels,
            pathWithQueryString="/?q=1",
            stageVariables={"x": "2"},
            headers={"X-Any": "3"},
        )
        self.shows(answer, status=200)
        self.assertEqual("1", json.loads(answer["body"])["q"])
        self.assertEqual("2", json.loads(answer["body"])["x"])
        self.assertEqual("application/json", answer["headers"]["Content-Type"])

    def test_refusals(self):
        api = self.api()
        labels = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
        self.not_found(self.aws.test_invoke_method, "Invalid Method identifier specified", **labels)
        self.not_found(
            self.aws.test_invoke_method,
            "Invalid Resource identifier specified",
            **{**labels, "resourceId": "zzzzzz"},
        )
        self.not_found(
            self.aws.test_invoke_authorizer,
            "Invalid Authorizer identifier specified",
            restApiId=api["id"],
            authorizerId="zzzzzz",
        )
