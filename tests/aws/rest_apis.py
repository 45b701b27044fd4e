"""RestApi. Expected answers: recorded (facts, aws-recorded sections 1.3 to 1.6 and 2)."""

import datetime
import json

from support import ACCOUNT, Any, REGION, Scenario, an_id, patch, replace

OPS = "[add, remove, move, test, replace, copy]"


class RestApis(Scenario):
    def test_create_with_a_name_only_shows_the_defaults(self):
        answer = self.aws.create_rest_api(name="pets")
        self.says(
            answer,
            201,
            id=an_id(10),
            name="pets",
            createdDate=Any(datetime.datetime),
            apiKeySource="HEADER",
            disableExecuteApiEndpoint=False,
            endpointConfiguration={"ipAddressType": "ipv4", "types": ["EDGE"]},
            rootResourceId=an_id(10),
        )
        age = datetime.datetime.now(datetime.timezone.utc) - answer["createdDate"]
        self.assertLess(abs(age.total_seconds()), 600)
        api = answer["id"]
        got = self.aws.get_rest_api(restApiId=api)
        self.shows(got, id=api, name="pets", tags={}, rootResourceId=answer["rootResourceId"])
        self.assertNotIn("description", got)
        self.assertNotIn("version", got)
        self.says(self.aws.delete_rest_api(restApiId=api), 202)
        self.not_found(
            self.aws.get_rest_api, f"Invalid API identifier specified {ACCOUNT}:{api}", restApiId=api
        )

    def test_create_echoes_what_was_given(self):
        api = self.api(
            "everything",
            description="of pets",
            version="v1",
            binaryMediaTypes=["image/png", "image/*"],
            minimumCompressionSize=1024,
            apiKeySource="AUTHORIZER",
            endpointConfiguration={"types": ["REGIONAL"]},
            disableExecuteApiEndpoint=True,
            tags={"team": "pets"},
        )
        self.shows(
            api,
            description="of pets",
            version="v1",
            binaryMediaTypes=["image/png", "image/*"],
            minimumCompressionSize=1024,
            apiKeySource="AUTHORIZER",
            endpointConfiguration={"types": ["REGIONAL"], "ipAddressType": "ipv4"},
            disableExecuteApiEndpoint=True,
            tags={"team": "pets"},
        )
        listed = [it for it in self.pages(self.aws.get_rest_apis, 500) if it["id"] == api["id"]]
        self.assertEqual([{"team": "pets"}], [it["tags"] for it in listed])

    def test_private_apis_are_dualstack(self):
        api = self.api("private", endpointConfiguration={"types": ["PRIVATE"]})
        self.shows(api, endpointConfiguration={"types": ["PRIVATE"], "ipAddressType": "dualstack"})
        self.bad_request(
            self.aws.create_rest_api,
            "Only dualstack ipAddressType is supported for Private APIs.",
            name="private",
            endpointConfiguration={"types": ["PRIVATE"], "ipAddressType": "ipv4"},
        )

    def test_create_is_refused_in_awss_words(self):
        create = self.aws.create_rest_api
        self.bad_request(create, "Description cannot be an empty string", name="x", description="")
        for size in (-1, 10485761):
            self.bad_request(
                create,
                "Invalid minimum compression size, must be between 0 and 10485760",
                name="x",
                minimumCompressionSize=size,
            )
        self.invalid(
            create,
            "1 validation error detected: Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' "
            "failed to satisfy constraint: Member must satisfy constraint: "
            "[Member must satisfy enum value set: [PRIVATE, EDGE, REGIONAL]]",
            name="x",
            endpointConfiguration={"types": ["wrong"]},
        )
        self.invalid(
            create,
            "1 validation error detected: Value 'wrong' at 'createRestApiInput.endpointConfiguration.ipAddressType' "
            "failed to satisfy constraint: Member must satisfy enum value set: [ipv4, dualstack]",
            name="x",
            endpointConfiguration={"types": ["EDGE"], "ipAddressType": "wrong"},
        )

    def test_binary_media_types_are_a_map_in_patches(self):
        api = self.api("binary", binaryMediaTypes=["image/jpg"])["id"]

        def types(operation):
            answer = self.aws.update_rest_api(restApiId=api, patchOperations=[operation])
            return answer["binaryMediaTypes"]

        self.assertEqual(["image/jpg", "image/png"], types(patch("add", "/binaryMediaTypes/image~1png")))
        swap = patch("replace", "/binaryMediaTypes/image~1jpg", "image/gif")
        self.assertEqual(["image/png", "image/gif"], types(swap))
        self.assertEqual(["image/png"], types(patch("remove", "/binaryMediaTypes/image~1gif")))
        self.assertEqual(["image/png", "-"], types(patch("add", "/binaryMediaTypes/-", "image/png")))
        for op in ("add", "remove", "replace"):
            self.bad_request(
                self.aws.update_rest_api,
                "Invalid patch path /binaryMediaTypes",
                restApiId=api,
                patchOperations=[patch(op, "/binaryMediaTypes", "image/png")],
            )

    def test_patches_of_scalars(self):
        api = self.api("before", description="old")["id"]
        answer = self.aws.update_rest_api(
            restApiId=api,
            patchOperations=[
                patch("replace", "/name", "after"),
                patch("replace", "/description", "new"),
                patch("replace", "/disableExecuteApiEndpoint", "true"),
                patch("replace", "/minimumCompressionSize", "10"),
                patch("replace", "/apiKeySource", "AUTHORIZER"),
            ],
        )
        self.shows(
            answer,
            name="after",
            description="new",
            disableExecuteApiEndpoint=True,
            minimumCompressionSize=10,
            apiKeySource="AUTHORIZER",
            tags={},
        )
        answer = self.aws.update_rest_api(restApiId=api, patchOperations=[patch("remove", "/description")])
        self.assertNotIn("description", answer)

    def test_a_patch_is_all_or_nothing(self):
        api = self.api("whole")["id"]
        self.bad_request(
            self.aws.update_rest_api,
            "Invalid patch path /wrong",
            restApiId=api,
            patchOperations=[patch("replace", "/name", "half"), patch("replace", "/wrong", "x")],
        )
        self.shows(self.aws.get_rest_api(restApiId=api), name="whole")

    def test_patches_are_refused_in_awss_words(self):
        api = self.api("refusals")["id"]

        def refused(message, *operations):
            self.bad_request(self.aws.update_rest_api, message, restApiId=api, patchOperations=operations)

        refused("Invalid patch path null", {"op": "replace", "value": "x"})
        refused("Invalid patch operation specified. Must be one of: [replace]", patch("add", "/name", "x"))
        refused(
            "Invalid patch operation specified. Must be 'add'|'remove'|'replace'",
            patch("remove", "/endpointConfiguration/types/0", "EDGE"),
        )
        refused(
            "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
            patch("replace", "/endpointConfiguration/types/0", "wrong"),
        )
        refused(
            "ipAddressType must be either ipv4 or dualstack.",
            patch("replace", "/endpointConfiguration/ipAddressType", "wrong"),
        )
        refused(
            "Invalid patch operation specified. Must be one of: [replace]",
            patch("remove", "/endpointConfiguration/ipAddressType"),
        )
        self.invalid(
            self.aws.update_rest_api,
            "2 validation errors detected: Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' "
            f"failed to satisfy constraint: Member must satisfy enum value set: {OPS}; "
            "Value 'worse' at 'updateRestApiInput.patchOperations.3.member.op' "
            f"failed to satisfy constraint: Member must satisfy enum value set: {OPS}",
            restApiId=api,
            patchOperations=[patch("wrong", "/name"), patch("replace", "/name", "x"), patch("worse", "/name")],
        )
        self.not_found(
            self.aws.update_rest_api,
            f"Invalid API identifier specified {ACCOUNT}:Unknown",
            restApiId="Unknown",
            patchOperations=replace("/name", "x"),
        )
        self.not_found(
            self.aws.delete_rest_api, f"Invalid API identifier specified {ACCOUNT}:Unknown", restApiId="Unknown"
        )

    def test_endpoint_types_are_replaced_by_index_or_name(self):
        api = self.api("endpoint")["id"]

        def endpoint(path, value):
            answer = self.aws.update_rest_api(restApiId=api, patchOperations=replace(path, value))
            return answer["endpointConfiguration"]

        ipv4 = {"ipAddressType": "ipv4", "types": ["REGIONAL"]}
        self.assertEqual(ipv4, endpoint("/endpointConfiguration/types/0", "REGIONAL"))
        private = {"ipAddressType": "dualstack", "types": ["PRIVATE"]}
        self.assertEqual(private, endpoint("/endpointConfiguration/types/REGIONAL", "PRIVATE"))
        self.bad_request(
            self.aws.update_rest_api,
            "Only dualstack ipAddressType is supported for Private APIs.",
            restApiId=api,
            patchOperations=replace("/endpointConfiguration/ipAddressType", "ipv4"),
        )
        answer = self.aws.update_rest_api(
            restApiId=api, patchOperations=[patch("add", "/endpointConfiguration/vpcEndpointIds", "vpce-1")]
        )
        self.assertEqual(["vpce-1"], answer["endpointConfiguration"]["vpcEndpointIds"])

    def test_a_policy_is_escaped_once_more_and_its_resource_expanded(self):
        api = self.api("policy")["id"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": ["execute-api:/*"]}
            ],
        }
        answer = self.aws.update_rest_api(restApiId=api, patchOperations=replace("/policy", json.dumps(policy)))
        shown = answer["policy"]
        self.assertIn('\\"', shown)
        statement = json.loads(shown.replace('\\"', '"').replace("\\/", "/"))["Statement"][0]
        self.assertEqual(f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*", statement["Resource"])
        self.assertEqual("*", statement["Principal"])

    def test_lists_come_in_pages(self):
        made = {self.api(f"page-{number}")["id"] for number in range(5)}
        for limit in (1, 2, 500):
            listed = [it["id"] for it in self.pages(self.aws.get_rest_apis, limit)]
            self.assertEqual(len(listed), len(set(listed)))
            self.assertLessEqual(made, set(listed))
        paginator = self.aws.get_paginator("get_rest_apis")
        pages = paginator.paginate(PaginationConfig={"PageSize": 2})
        self.assertLessEqual(made, {it["id"] for page in pages for it in page["items"]})

    def test_a_page_may_be_deleted_before_the_next(self):
        for number in range(5):
            self.aws.create_rest_api(name=f"gone-{number}")
        for page in self.aws.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 2}):
            for api in page["items"]:
                self.aws.delete_rest_api(restApiId=api["id"])
        self.assertEqual([], self.aws.get_rest_apis()["items"])
