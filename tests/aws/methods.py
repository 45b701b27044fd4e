"""Method and MethodResponse. Expected answers: recorded (facts, aws-recorded section 4)."""

from support import Scenario, patch, replace

JSON = "application/json"


class Methods(Scenario):
    def test_put_get_patch_and_delete(self):
        api = self.api()
        labels = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
        answer = self.aws.put_method(**labels, authorizationType="none")
        self.says(answer, 201, apiKeyRequired=False, authorizationType="NONE", httpMethod="GET")
        got = self.aws.get_method(**labels)
        self.says(got, apiKeyRequired=False, authorizationType="NONE", httpMethod="GET")
        answer = self.aws.update_method(
            **labels,
            patchOperations=[
                patch("replace", "/operationName", "root"),
                patch("replace", "/apiKeyRequired", "true"),
                patch("add", "/requestParameters/method.request.querystring.q", "true"),
            ],
        )
        self.shows(
            answer,
            operationName="root",
            apiKeyRequired=True,
            requestParameters={"method.request.querystring.q": True},
        )
        # What is no boolean is false (recorded).
        answer = self.aws.update_method(**labels, patchOperations=replace("/apiKeyRequired", "maybe"))
        self.shows(answer, apiKeyRequired=False)
        self.says(self.aws.delete_method(**labels), 204)
        self.not_found(self.aws.get_method, "Invalid Method identifier specified", **labels)

    def test_parameters_and_models_are_echoed(self):
        api = self.api()
        labels = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "POST"}
        parameters = {"method.request.querystring.q": True, "method.request.header.h": False}
        answer = self.aws.put_method(
            **labels,
            authorizationType="NONE",
            operationName="postRoot",
            requestParameters=parameters,
            requestModels={JSON: "Empty"},
        )
        self.says(
            answer,
            201,
            apiKeyRequired=False,
            authorizationType="NONE",
            httpMethod="POST",
            operationName="postRoot",
            requestParameters=parameters,
            requestModels={JSON: "Empty"},
        )
        path = "/requestModels/application~1json"
        answer = self.aws.update_method(**labels, patchOperations=replace(path, "Error"))
        self.shows(answer, requestModels={JSON: "Error"})
        answer = self.aws.update_method(**labels, patchOperations=[patch("remove", path)])
        self.assertNotIn("requestModels", answer)

    def test_put_is_refused_in_awss_words(self):
        api = self.api()
        labels = {"restApiId": api["id"], "resourceId": api["rootResourceId"]}

        def refused(message, http_method="GET", **more):
            more.setdefault("authorizationType", "NONE")
            self.bad_request(self.aws.put_method, message, **labels, httpMethod=http_method, **more)

        refused(
            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY", "WRONG"
        )
        refused(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS "
            "requires a valid authorizer.",
            authorizationType="CUSTOM",
        )
        refused("Invalid model identifier specified: petModel", requestModels={JSON: "petModel"})
        refused(
            "Parameter names must be unique across querystring, header and path",
            requestParameters={"method.request.querystring.o": False, "method.request.header.o": False},
        )
        refused(
            "Invalid mapping expression specified: Validation Result: warnings : [], "
            "errors : [Invalid mapping expression specified: true]",
            requestParameters={"true": True},
        )
        self.not_found(
            self.aws.put_method,
            "Invalid Resource identifier specified",
            restApiId=api["id"],
            resourceId="zzzzzz",
            httpMethod="GET",
            authorizationType="NONE",
        )

    def test_a_method_embeds_its_integration_and_responses(self):
        labels = self.mock(self.api(), "{}")
        got = self.aws.get_method(**labels)
        self.assertEqual({"200": {"statusCode": "200"}}, got["methodResponses"])
        integration = got["methodIntegration"]
        self.assertEqual("MOCK", integration["type"])
        response = {"statusCode": "200", "responseTemplates": {JSON: "{}"}}
        self.assertEqual({"200": response}, integration["integrationResponses"])


class MethodResponses(Scenario):
    def test_put_get_patch_and_delete(self):
        labels = {**self.method(self.api()), "statusCode": "200"}
        answer = self.aws.put_method_response(**labels, responseModels={}, responseParameters={})
        self.says(answer, 201, statusCode="200", responseModels={}, responseParameters={})
        # 201, not 200 (recorded).
        header = "method.response.header.my-header"
        answer = self.aws.update_method_response(
            **labels,
            patchOperations=[
                patch("add", f"/responseParameters/{header}", "true"),
                patch("add", "/responseModels/application~1json", "Empty"),
            ],
        )
        self.says(
            answer, 201, statusCode="200", responseModels={JSON: "Empty"}, responseParameters={header: True}
        )
        self.shows(self.aws.get_method_response(**labels), responseModels={JSON: "Empty"})
        self.says(self.aws.delete_method_response(**labels), 204)
        self.not_found(self.aws.get_method_response, "Invalid Response status code specified", **labels)

    def test_what_was_not_given_is_absent(self):
        labels = self.method(self.api())
        self.says(self.aws.put_method_response(**labels, statusCode="204"), 201, statusCode="204")

    def test_refusals(self):
        method = self.method(self.api())
        self.aws.put_method_response(**method, statusCode="200")
        labels = {**method, "statusCode": "200"}

        def remove(path):
            return {**labels, "patchOperations": [patch("remove", path)]}

        update = self.aws.update_method_response
        header = "method.response.header.my-header"
        self.not_found(update, "Invalid parameter name specified", **remove(f"/responseParameters/{header}"))
        self.not_found(
            update, "Content-Type specified was not found", **remove("/responseModels/application~1json")
        )
        self.bad_request(update, f"Invalid patch path /wrong/{header}", **remove(f"/wrong/{header}"))
        self.invalid(
            self.aws.put_method_response,
            "1 validation error detected: Value 'wrong' at 'statusCode' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [1-5]\\d\\d",
            **{**method, "statusCode": "wrong"},
        )
        self.not_found(
            self.aws.put_method_response,
            "Invalid Method identifier specified",
            **{**labels, "httpMethod": "POST"},
        )
        self.not_found(
            self.aws.put_method_response,
            "Invalid Resource identifier specified",
            **{**labels, "resourceId": "zzzzzz"},
        )
