"""GatewayResponse. Expected answers: recorded (facts, aws-recorded section 9)."""

from support import Scenario, ask, patch, replace

JSON = "application/json"
DEFAULT = {JSON: '{"message":$context.error.messageString}'}
STATUSES = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}


class GatewayResponses(Scenario):
    def test_untouched_ones_are_defaults(self):
        api = self.api()["id"]
        items = self.aws.get_gateway_responses(restApiId=api, limit=500)["items"]
        self.assertEqual(STATUSES, {it["responseType"]: it.get("statusCode") for it in items})
        for it in items:
            self.shows(it, defaultResponse=True, responseParameters={}, responseTemplates=DEFAULT)
        listed = self.pages(self.aws.get_gateway_responses, 4, restApiId=api)
        self.assertEqual(sorted(STATUSES), sorted(it["responseType"] for it in listed))
        self.says(
            self.aws.get_gateway_response(restApiId=api, responseType="THROTTLED"),
            defaultResponse=True,
            responseParameters={},
            responseTemplates=DEFAULT,
            responseType="THROTTLED",
            statusCode="429",
        )

    def test_put_patch_and_delete(self):
        api = self.api()["id"]
        labels = {"restApiId": api, "responseType": "ACCESS_DENIED"}
        answer = self.aws.put_gateway_response(**labels, statusCode="418")
        self.says(
            answer,
            201,
            defaultResponse=False,
            responseParameters={},
            responseTemplates=DEFAULT,
            responseType="ACCESS_DENIED",
            statusCode="418",
        )
        parameter = "gatewayresponse.header.X-Why"
        answer = self.aws.update_gateway_response(
            **labels,
            patchOperations=[
                patch("add", f"/responseParameters/{parameter}", "'because'"),
                patch("replace", "/responseTemplates/application~1xml", "<no/>"),
                patch("replace", "/statusCode", "404"),
            ],
        )
        self.shows(answer, statusCode="404", responseParameters={parameter: "'because'"})
        self.assertEqual("<no/>", answer["responseTemplates"]["application/xml"])
        self.says(self.aws.delete_gateway_response(**labels), 202)
        self.shows(self.aws.get_gateway_response(**labels), defaultResponse=True, statusCode="403")

    def test_a_patch_makes_a_default_one_its_own(self):
        api = self.api()["id"]
        answer = self.aws.update_gateway_response(
            restApiId=api, responseType="THROTTLED", patchOperations=replace("/statusCode", "420")
        )
        self.shows(answer, defaultResponse=False, statusCode="420", responseTemplates=DEFAULT)

    def test_default_5xx_spreads(self):
        api = self.api()["id"]
        self.aws.put_gateway_response(
            restApiId=api, responseType="DEFAULT_5XX", statusCode="599", responseTemplates={JSON: "{}"}
        )
        get = self.aws.get_gateway_response
        spread = get(restApiId=api, responseType="INTEGRATION_FAILURE")
        self.shows(spread, defaultResponse=True, statusCode="599", responseTemplates={JSON: "{}"})
        self.aws.put_gateway_response(
            restApiId=api,
            responseType="AUTHORIZER_FAILURE",
            responseParameters={"gatewayresponse.header.X": "'x'"},
        )
        own = get(restApiId=api, responseType="AUTHORIZER_FAILURE")
        self.shows(own, statusCode="500", responseTemplates=DEFAULT, defaultResponse=False)

    def test_refusals(self):
        labels = {"restApiId": self.api()["id"], "responseType": "DEFAULT_4XX"}

        def update(*operations):
            return {**labels, "patchOperations": list(operations)}

        call = self.aws.update_gateway_response
        for op in ("add", "remove"):
            self.bad_request(call, "Invalid patch path /statusCode", **update(patch(op, "/statusCode", "400")))
        self.bad_request(call, "Invalid patch path /wrongPath", **update(patch("replace", "/wrongPath", "x")))
        self.bad_request(call, "Invalid patch path null", **update({"op": "replace", "value": "x"}))
        parameter = "/responseParameters/gatewayresponse.header.X"
        self.not_found(call, "Invalid parameter name specified", **update(patch("replace", parameter, "'x'")))
        self.bad_request(
            call,
            "Invalid null or empty value in responseTemplates",
            **update(patch("replace", "/responseTemplates/application~1json")),
        )
        self.invalid(
            call,
            "1 validation error detected: Value 'wrong' at 'updateGatewayResponseInput.patchOperations.1.member.op' "
            "failed to satisfy constraint: Member must satisfy enum value set: "
            "[add, remove, move, test, replace, copy]",
            **update(patch("wrong", "/statusCode", "400")),
        )

    def test_clients_see_it_when_it_is_deployed(self):
        api = self.api()
        self.mock(api, "{}")
        self.aws.put_gateway_response(
            restApiId=api["id"],
            responseType="MISSING_AUTHENTICATION_TOKEN",
            statusCode="404",
            responseTemplates={JSON: '{"no": "such thing"}'},
        )
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        self.assertEqual((404, '{"no": "such thing"}'), ask(api["id"], "v1", "/nowhere"))
