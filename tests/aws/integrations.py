"""Integration and IntegrationResponse. Expected answers: recorded (facts, aws-recorded sections 1.3, 1.4, 5)."""

from support import Scenario, patch, replace

JSON = "application/json"


class Integrations(Scenario):
    def test_a_mock_shows_its_defaults(self):
        labels = self.method(self.api())
        self.says(
            self.aws.put_integration(**labels, type="MOCK"),
            201,
            type="MOCK",
            passthroughBehavior="WHEN_NO_MATCH",
            timeoutInMillis=29000,
            cacheNamespace=labels["resourceId"],
            cacheKeyParameters=[],
        )

    def test_http_gets_a_connection_type_and_keeps_what_was_given(self):
        labels = self.method(self.api())
        answer = self.aws.put_integration(
            **labels,
            type="HTTP_PROXY",
            integrationHttpMethod="POST",
            uri="http://127.0.0.1:1/pets",
            requestParameters={"integration.request.header.X": "'x'"},
            requestTemplates={JSON: "$input.json('$')"},
            passthroughBehavior="NEVER",
            contentHandling="CONVERT_TO_TEXT",
            timeoutInMillis=1000,
            cacheNamespace="ours",
        )
        want = {
            "type": "HTTP_PROXY",
            "httpMethod": "POST",
            "uri": "http://127.0.0.1:1/pets",
            "connectionType": "INTERNET",
            "requestParameters": {"integration.request.header.X": "'x'"},
            "requestTemplates": {JSON: "$input.json('$')"},
            "passthroughBehavior": "NEVER",
            "contentHandling": "CONVERT_TO_TEXT",
            "timeoutInMillis": 1000,
            "cacheNamespace": "ours",
            "cacheKeyParameters": [],
        }
        self.says(answer, 201, **want)
        self.says(self.aws.get_integration(**labels), 200, **want)

    def test_patch_and_delete(self):
        labels = self.method(self.api())
        self.aws.put_integration(
            **labels, type="HTTP", integrationHttpMethod="GET", uri="http://127.0.0.1:1/"
        )
        answer = self.aws.update_integration(
            **labels,
            patchOperations=[
                patch("replace", "/uri", "http://127.0.0.1:1/other"),
                patch("replace", "/timeoutInMillis", "5000"),
                patch("add", "/requestTemplates/application~1json", "{}"),
                patch("add", "/requestParameters/integration.request.header.Accept", "'application/xml'"),
            ],
        )
        self.shows(
            answer,
            uri="http://127.0.0.1:1/other",
            timeoutInMillis=5000,
            requestTemplates={JSON: "{}"},
            requestParameters={"integration.request.header.Accept": "'application/xml'"},
        )
        remove = [patch("remove", "/requestTemplates/application~1json")]
        answer = self.aws.update_integration(**labels, patchOperations=remove)
        self.assertFalse(answer.get("requestTemplates"))
        self.says(self.aws.delete_integration(**labels), 204)
        self.not_found(self.aws.get_integration, "Invalid Integration identifier specified", **labels)

    def test_put_is_refused_in_awss_words(self):
        labels = self.method(self.api())
        self.invalid(
            self.aws.put_integration,
            "1 validation error detected: Value 'HTTPS_PROXY' at 'putIntegrationInput.type' failed to satisfy "
            "constraint: Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
            **labels,
            type="HTTPS_PROXY",
        )
        self.bad_request(
            self.aws.put_integration,
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
            **labels,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri="arn:aws:apigateway:us-east-1:dynamodb:action/Query",
        )
        self.not_found(self.aws.get_integration, "Invalid Integration identifier specified", **labels)
        self.not_found(
            self.aws.get_integration,
            "Invalid Method identifier specified",
            **{**labels, "httpMethod": "POST"},
        )
        self.not_found(
            self.aws.get_integration,
            "Invalid Resource identifier specified",
            **{**labels, "resourceId": "zzzzzz"},
        )


class IntegrationResponses(Scenario):
    def labels(self):
        labels = self.method(self.api())
        self.aws.put_integration(**labels, type="MOCK")
        return labels

    def test_put_get_patch_and_delete(self):
        labels = {**self.labels(), "statusCode": "200"}
        # For a status without a method response, too (recorded).
        self.says(self.aws.put_integration_response(**labels), 201, statusCode="200")
        answer = self.aws.put_integration_response(**labels, selectionPattern="", responseTemplates={})
        self.says(answer, 201, statusCode="200", selectionPattern="", responseTemplates={})
        path = "/responseTemplates/application~1json"
        answer = self.aws.update_integration_response(
            **labels,
            patchOperations=[patch("replace", "/selectionPattern", "2\\d{2}"), patch("add", path, "{}")],
        )
        self.says(answer, 200, statusCode="200", selectionPattern="2\\d{2}", responseTemplates={JSON: "{}"})
        answer = self.aws.update_integration_response(**labels, patchOperations=replace(path, "[]"))
        self.shows(answer, responseTemplates={JSON: "[]"})
        # A useless value does not hinder (recorded).
        remove = [patch("remove", path, "useless")]
        answer = self.aws.update_integration_response(**labels, patchOperations=remove)
        self.assertFalse(answer.get("responseTemplates"))
        self.says(self.aws.delete_integration_response(**labels), 204)
        self.not_found(self.aws.get_integration_response, "Invalid Response status code specified", **labels)

    def test_which_not_found_is_told(self):
        labels = {**self.labels(), "statusCode": "200"}
        put, get = self.aws.put_integration_response, self.aws.get_integration_response
        delete = self.aws.delete_integration_response
        for call in (put, get, delete):
            for wrong in ({"resourceId": "zzzzzz"}, {"restApiId": "zzzzzzzzzz"}):
                self.not_found(call, "Invalid Resource identifier specified", **{**labels, **wrong})
        wrong = {**labels, "httpMethod": "WRONG"}
        self.not_found(put, "Invalid Method identifier specified", **wrong)
        self.not_found(get, "Invalid Method identifier specified", **wrong)
        self.not_found(delete, "Invalid Integration identifier specified", **wrong)
        self.not_found(delete, "Invalid Response status code specified", **labels)
