"""Authorizer. Expected answers: recorded (facts, aws-recorded sections 1.6 and 8)."""

from support import ACCOUNT, Scenario, an_id, patch, replace

URI = (
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:us-east-1:123456789012:function:check/invocations"
)
SOURCE = "method.request.header.Authorization"


class Authorizers(Scenario):
    def token(self, api, name="token", **more):
        more = {"type": "TOKEN", "authorizerUri": URI, "identitySource": SOURCE, **more}
        return self.aws.create_authorizer(restApiId=api, name=name, **more)

    def test_create_get_list_patch_and_delete(self):
        api = self.api()["id"]
        self.says(self.aws.get_authorizers(restApiId=api), items=[])
        made = self.token(api)
        want = {
            "id": an_id(6),
            "name": "token",
            "type": "TOKEN",
            "authType": "custom",
            "authorizerUri": URI,
            "identitySource": SOURCE,
        }
        self.says(made, 201, **want)
        labels = {"restApiId": api, "authorizerId": made["id"]}
        self.says(self.aws.get_authorizer(**labels), 200, **want)
        answer = self.aws.update_authorizer(
            **labels,
            patchOperations=[
                patch("replace", "/name", "renamed"),
                patch("replace", "/authorizerResultTtlInSeconds", "60"),
                patch("replace", "/identityValidationExpression", "Bearer .+"),
            ],
        )
        self.shows(
            answer, name="renamed", authorizerResultTtlInSeconds=60, identityValidationExpression="Bearer .+"
        )
        self.token(api, "other")
        self.token(api, "third")
        listed = [it["name"] for it in self.pages(self.aws.get_authorizers, 2, restApiId=api)]
        self.assertEqual(["other", "renamed", "third"], sorted(listed))
        self.says(self.aws.delete_authorizer(**labels), 202)
        self.not_found(self.aws.get_authorizer, "Invalid Authorizer identifier specified", **labels)

    def test_a_cognito_pool(self):
        api = self.api()["id"]
        pool = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_x"
        made = self.aws.create_authorizer(
            restApiId=api,
            name="pool",
            type="COGNITO_USER_POOLS",
            providerARNs=[pool],
            identitySource=SOURCE,
        )
        want = {
            "id": an_id(6),
            "name": "pool",
            "type": "COGNITO_USER_POOLS",
            "authType": "cognito_user_pools",
            "identitySource": SOURCE,
            "providerARNs": [pool],
        }
        self.says(made, 201, **want)
        answer = self.aws.update_authorizer(
            restApiId=api, authorizerId=made["id"], patchOperations=[patch("add", "/providerARNs", pool + "2")]
        )
        self.shows(answer, providerARNs=[pool, pool + "2"])

    def test_a_method_is_authorized_by_one(self):
        api = self.api()
        made = self.token(api["id"])
        answer = self.aws.put_method(
            restApiId=api["id"],
            resourceId=api["rootResourceId"],
            httpMethod="GET",
            authorizationType="CUSTOM",
            authorizerId=made["id"],
        )
        self.shows(answer, authorizationType="CUSTOM", authorizerId=made["id"])

    def test_refusals(self):
        self.refused(
            self.aws.create_authorizer,
            "ConflictException",
            "Unable to complete operation due to concurrent modification. Please try again later.",
            409,
            restApiId="zzzzzzzzzz",
            name="x",
            type="TOKEN",
            authorizerUri=URI,
            identitySource=SOURCE,
        )
        self.not_found(
            self.aws.get_authorizers,
            f"Invalid API identifier specified {ACCOUNT}:zzzzzzzzzz",
            restApiId="zzzzzzzzzz",
        )
        api = self.api()["id"]
        self.invalid(
            self.aws.create_authorizer,
            "1 validation error detected: Value 'WRONG' at 'createAuthorizerInput.type' failed to satisfy "
            "constraint: Member must satisfy enum value set: [TOKEN, REQUEST, COGNITO_USER_POOLS, JWT]",
            restApiId=api,
            name="x",
            type="WRONG",
        )
        made = self.token(api)
        with self.assertRaises(self.aws.exceptions.BadRequestException):
            self.aws.update_authorizer(
                restApiId=api, authorizerId=made["id"], patchOperations=replace("/wrong", "x")
            )
