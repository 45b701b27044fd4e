"""RequestValidator. Expected answers: recorded (facts, aws-recorded sections 1.5, 1.6 and 7)."""

from support import ACCOUNT, Scenario, an_id, patch

PATHS = "[/name, /validateRequestParameters, /validateRequestBody]"


class RequestValidators(Scenario):
    def test_create_get_list_patch_and_delete(self):
        api = self.api()["id"]
        self.says(self.aws.get_request_validators(restApiId=api), items=[])
        made = self.aws.create_request_validator(restApiId=api, name="all", validateRequestBody=True)
        self.says(
            made, 201, id=an_id(6), name="all", validateRequestBody=True, validateRequestParameters=False
        )
        labels = {"restApiId": api, "requestValidatorId": made["id"]}
        self.shows(self.aws.get_request_validator(**labels), name="all", validateRequestBody=True)
        answer = self.aws.update_request_validator(
            **labels,
            patchOperations=[
                patch("replace", "/name", "some"),
                patch("replace", "/validateRequestParameters", "true"),
                # Without a value: false (recorded).
                patch("replace", "/validateRequestBody"),
            ],
        )
        self.shows(answer, name="some", validateRequestBody=False, validateRequestParameters=True)
        for number in range(3):
            self.aws.create_request_validator(restApiId=api, name=f"more{number}")
        listed = [it["name"] for it in self.pages(self.aws.get_request_validators, 2, restApiId=api)]
        self.assertEqual(["more0", "more1", "more2", "some"], sorted(listed))
        self.says(self.aws.delete_request_validator(**labels), 202)
        self.not_found(
            self.aws.get_request_validator, "Invalid Request Validator identifier specified", **labels
        )

    def test_refusals(self):
        api = self.api()["id"]
        made = self.aws.create_request_validator(restApiId=api, name="x")
        labels = {"restApiId": api, "requestValidatorId": made["id"]}

        def refused(message, operation):
            self.bad_request(self.aws.update_request_validator, message, **labels, patchOperations=[operation])

        refused("Request Validator name cannot be blank", patch("replace", "/name"))
        refused(
            f"Invalid patch path  '/wrong' specified for op 'replace'. Must be one of: {PATHS}",
            patch("replace", "/wrong", "x"),
        )
        refused(
            "Invalid patch path  '/name' specified for op 'add'. Please choose supported operations",
            patch("add", "/name", "x"),
        )
        self.bad_request(
            self.aws.create_request_validator,
            "Invalid REST API identifier specified",
            restApiId="zzzzzzzzzz",
            name="x",
        )
        self.not_found(
            self.aws.get_request_validators,
            f"Invalid API identifier specified {ACCOUNT}:zzzzzzzzzz",
            restApiId="zzzzzzzzzz",
        )
        for wrong in ({"restApiId": "zzzzzzzzzz"}, {"requestValidatorId": "zzzzzz"}):
            self.not_found(
                self.aws.delete_request_validator,
                "Invalid Request Validator identifier specified",
                **{**labels, **wrong},
            )
