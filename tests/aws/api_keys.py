"""ApiKey. Expected answers: recorded (facts, aws-recorded section 12, stages section 8)."""

import datetime

from support import Any, Scenario, an_id, patch, replace

VALUE = "a-value-of-at-least-thirty-characters"


class ApiKeys(Scenario):
    def key(self, **more):
        key = self.aws.create_api_key(**more)
        self.addCleanup(self.delete_if_there, key["id"])
        return key

    def delete_if_there(self, key):
        try:
            self.aws.delete_api_key(apiKey=key)
        except self.aws.exceptions.NotFoundException:
            pass

    def test_create_get_patch_and_delete(self):
        made = self.key(name="mobile", description="of the app", tags={"team": "pets"})
        self.says(
            made,
            201,
            id=an_id(10),
            name="mobile",
            description="of the app",
            value=Any(str, lambda it: len(it) == 40 and it.isalnum()),
            enabled=False,
            createdDate=Any(datetime.datetime),
            lastUpdatedDate=Any(datetime.datetime),
            stageKeys=[],
            tags={"team": "pets"},
        )
        key = made["id"]
        self.assertNotIn("value", self.aws.get_api_key(apiKey=key))
        self.shows(self.aws.get_api_key(apiKey=key, includeValue=True), value=made["value"])
        answer = self.aws.update_api_key(
            apiKey=key,
            patchOperations=[
                patch("replace", "/enabled", "true"),
                patch("replace", "/name", "renamed"),
                patch("replace", "/description", "new"),
                patch("replace", "/customerId", "c-1"),
            ],
        )
        self.shows(answer, enabled=True, name="renamed", description="new", customerId="c-1")
        self.assertNotIn("value", answer)
        self.says(self.aws.delete_api_key(apiKey=key), 202)
        self.not_found(self.aws.get_api_key, "Invalid API Key identifier specified", apiKey=key)

    def test_lists_have_no_values_and_filter_by_prefix(self):
        keys = [self.key(name=name) for name in ("list-one", "list-two", "LIST-three", "list-four")]
        items = self.aws.get_api_keys(nameQuery="list-")["items"]
        self.assertEqual(["list-four", "list-one", "list-two"], sorted(it["name"] for it in items))
        for item in items:
            self.assertNotIn("value", item)
            self.assertNotIn("tags", item)
        items = self.aws.get_api_keys(nameQuery="list-", includeValues=True)["items"]
        values = {it["id"]: it["value"] for it in keys}
        self.assertEqual({it["id"]: values[it["id"]] for it in items}, {it["id"]: it["value"] for it in items})
        for limit in (1, 2, 500):
            listed = [it["id"] for it in self.pages(self.aws.get_api_keys, limit)]
            self.assertEqual(len(listed), len(set(listed)))
            self.assertLessEqual(set(values), set(listed))
        self.assertEqual(200, self.aws.get_api_keys(limit=-1)["ResponseMetadata"]["HTTPStatusCode"])

    def test_values_are_checked(self):
        create = self.aws.create_api_key
        self.bad_request(create, "API Key value should be at least 20 characters", value="short")
        self.bad_request(create, "API Key value exceeds maximum size of 128 characters", value="x" * 129)
        self.assertEqual(40, len(self.key(value="")["value"]))
        self.shows(self.key(value=VALUE), value=VALUE)
        self.conflict(create, "API Key already exists", value=VALUE)
        self.bad_request(create, "Invalid API Key name, can be at most 1024 characters.", name="x" * 1025)

    def test_patches_are_refused_in_awss_words(self):
        key = self.key(name="x")["id"]
        self.bad_request(
            self.aws.update_api_key,
            "Invalid patch path  '/id' specified for op 'replace'. "
            "Must be one of: [/description, /enabled, /name, /customerId]",
            apiKey=key,
            patchOperations=replace("/id", "x"),
        )
        self.not_found(
            self.aws.update_api_key,
            "Invalid API Key identifier specified",
            apiKey="zzzzzzzzzz",
            patchOperations=replace("/name", "x"),
        )

    def test_keys_are_imported_from_a_file(self):
        plan = self.aws.create_usage_plan(name="imported")["id"]
        self.addCleanup(self.aws.delete_usage_plan, usagePlanId=plan)
        first, second = "first-" + VALUE, "second-" + VALUE
        rows = (
            "Name,Key,description,Enabled,usageplanIds\n"
            f'one,{first},"a, b",TRUE,"{plan},unknown"\n'
            f"two,{second},,false,\n"
        )
        answer = self.aws.import_api_keys(body=rows.encode(), format="csv")
        self.assertEqual(201, answer["ResponseMetadata"]["HTTPStatusCode"])
        for key in answer["ids"]:
            self.addCleanup(self.delete_if_there, key)
        self.assertEqual(2, len(answer["ids"]))
        self.assertEqual(1, len(answer["warnings"]), answer)
        one, two = (self.aws.get_api_key(apiKey=key, includeValue=True) for key in answer["ids"])
        self.shows(one, name="one", value=first, description="a, b", enabled=True)
        self.shows(two, name="two", value=second, enabled=False)
        in_plan = self.aws.get_usage_plan_keys(usagePlanId=plan)["items"]
        self.assertEqual([one["id"]], [it["id"] for it in in_plan])
        before = len(self.pages(self.aws.get_api_keys, 500))
        third = "third-" + VALUE
        with self.assertRaises(self.aws.exceptions.ClientError):
            self.aws.import_api_keys(
                body=f"name,key,usagePlanIds\nthree,{third},unknown\n".encode(), format="csv", failOnWarnings=True
            )
        self.assertEqual(before, len(self.pages(self.aws.get_api_keys, 500)))
