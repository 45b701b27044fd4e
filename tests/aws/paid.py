"""A paid API in AWS's order: keys required and deployed, keys made and imported, a plan with limits, stage and keys
associated; then what customers are answered and the owner is told.

Expected answers: recorded (facts, aws-recorded section 13; stages-canary-cache-throttle sections 6 to 9).
"""

import datetime

from support import Scenario, ask, patch, replace

FORBIDDEN = (403, '{"message":"Forbidden"}')
TOO_MANY = (429, '{"message":"Too Many Requests"}')
EXCEEDED = (429, '{"message":"Limit Exceeded"}')
# Hardly anything a second: what a bucket has is what it began with.
SELDOM = 0.001


class Paid(Scenario):
    def setUp(self):
        self.rest_api = self.api()
        api = self.rest_api["id"]
        for path in ("toys", "pets"):
            resource = self.aws.create_resource(
                restApiId=api, parentId=self.rest_api["rootResourceId"], pathPart=path
            )["id"]
            self.mock(self.rest_api, f'"{path} for $context.identity.apiKeyId"', resource)
            self.aws.update_method(
                restApiId=api,
                resourceId=resource,
                httpMethod="GET",
                patchOperations=replace("/apiKeyRequired", "true"),
            )
        self.mock(self.rest_api, '"open"')
        self.aws.create_deployment(restApiId=api, stageName="v1")

    def plan(self, **more):
        stages = [{"apiId": self.rest_api["id"], "stage": "v1"}]
        plan = self.aws.create_usage_plan(name="gold", apiStages=stages, **more)["id"]
        self.addCleanup(self.aws.delete_usage_plan, usagePlanId=plan)
        self.addCleanup(self.leave, plan, "v1")
        return plan

    def leave(self, plan, *stages):
        for stage in stages:
            operations = [patch("remove", "/apiStages", f"{self.rest_api['id']}:{stage}")]
            self.aws.update_usage_plan(usagePlanId=plan, patchOperations=operations)

    def key(self, plan=None, **more):
        key = self.aws.create_api_key(enabled=True, **more)
        self.addCleanup(self.aws.delete_api_key, apiKey=key["id"])
        if plan is not None:
            self.aws.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
        return key

    def ask(self, path, key=None):
        headers = {} if key is None else {"x-api-key": key["value"]}
        return ask(self.rest_api["id"], "v1", path, headers=headers)

    def admitted(self, count, path, key):
        answers = [self.ask(path, key)[0] for _ in range(count)]
        self.assertLessEqual(set(answers), {200, 429})
        return answers.count(200)

    def usage(self, plan, key):
        today = datetime.datetime.now(datetime.timezone.utc).date()
        days = {"startDate": str(today - datetime.timedelta(days=1)), "endDate": str(today)}
        got = self.aws.get_usage(usagePlanId=plan, keyId=key["id"], **days)
        # Midnight may come in between: what is used is of both days, what is left of the last.
        used = sum(used for used, _ in got["items"][key["id"]])
        return used, got["items"][key["id"]][-1][1]

    def test_a_key_opens_what_its_plan_has(self):
        self.assertEqual(FORBIDDEN, self.ask("/pets"))
        self.assertEqual((200, '"open"'), self.ask("/"))
        key = self.key(name="mobile")
        self.assertEqual(FORBIDDEN, self.ask("/pets", key))
        plan = self.plan()
        self.assertEqual(FORBIDDEN, self.ask("/pets", key))
        self.aws.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
        self.assertEqual((200, f'"pets for {key["id"]}"'), self.ask("/pets", key))
        self.assertEqual(FORBIDDEN, self.ask("/pets", {"value": key["value"][:-1]}))
        self.assertEqual(FORBIDDEN, self.ask("/pets", {"value": ""}))

        self.aws.update_api_key(apiKey=key["id"], patchOperations=replace("/enabled", "false"))
        self.assertEqual(FORBIDDEN, self.ask("/pets", key))
        self.aws.update_api_key(apiKey=key["id"], patchOperations=replace("/enabled", "true"))
        self.assertEqual(200, self.ask("/pets", key)[0])
        self.aws.delete_usage_plan_key(usagePlanId=plan, keyId=key["id"])
        self.assertEqual(FORBIDDEN, self.ask("/pets", key))

    def test_imported_keys_open_it_too(self):
        plan = self.plan()
        values = ["first-value-of-thirty-characters", "second-value-of-thirty-characters"]
        lines = f'name,key,enabled,usageplanids\na,{values[0]},true,"{plan}"\nb,{values[1]},FALSE,{plan}\n'
        got = self.aws.import_api_keys(body=lines.encode(), format="csv", failOnWarnings=True)
        for key in got["ids"]:
            self.addCleanup(self.aws.delete_api_key, apiKey=key)
        self.assertEqual((2, None), (len(got["ids"]), got.get("warnings")))
        self.assertEqual((200, f'"toys for {got["ids"][0]}"'), self.ask("/toys", {"value": values[0]}))
        self.assertEqual(FORBIDDEN, self.ask("/toys", {"value": values[1]}))

    def test_throttles_refuse_in_awss_order(self):
        plan = self.plan(throttle={"rateLimit": SELDOM, "burstLimit": 5})
        first, second = self.key(plan), self.key(plan)
        at = f"/apiStages/{self.rest_api['id']}:v1/throttle/~1pets/GET"
        limits = [patch("replace", f"{at}/rateLimit", str(SELDOM)), patch("replace", f"{at}/burstLimit", "2")]
        self.aws.update_usage_plan(usagePlanId=plan, patchOperations=limits)
        self.assertEqual(2, self.admitted(6, "/pets", first))
        self.assertEqual(TOO_MANY, self.ask("/pets", first))
        # The method's refusals took nothing of the plan's five.
        self.assertEqual(3, self.admitted(6, "/toys", first))
        # Each key has its own.
        self.assertEqual(2, self.admitted(6, "/pets", second))
        # What the stage refuses costs the key nothing.
        self.aws.update_stage(
            restApiId=self.rest_api["id"],
            stageName="v1",
            patchOperations=[
                patch("replace", "/*/*/throttling/rateLimit", str(SELDOM)),
                patch("replace", "/*/*/throttling/burstLimit", "1"),
            ],
        )
        self.assertEqual(1, self.admitted(6, "/toys", second))
        self.assertEqual((3, 0), self.usage(plan, second))

    def test_quotas_are_exact_told_and_granted(self):
        plan = self.plan(quota={"limit": 4, "period": "MONTH"})
        key = self.key(plan)
        self.assertEqual(4, self.admitted(9, "/pets", key))
        self.assertEqual(EXCEEDED, self.ask("/toys", key))
        self.assertEqual((4, 0), self.usage(plan, key))
        labels = {"usagePlanId": plan, "keyId": key["id"]}
        got = self.aws.update_usage(**labels, patchOperations=replace("/remaining", "3"))
        self.assertEqual(3, got["items"][key["id"]][-1][1])
        self.assertEqual(3, self.admitted(9, "/pets", key))
        self.assertEqual((7, 0), self.usage(plan, key))
        self.aws.update_usage_plan(usagePlanId=plan, patchOperations=replace("/quota/limit", "8"))
        # The count is below the new limit by what was granted, and by four.
        self.assertEqual(4, self.admitted(9, "/pets", key))
        self.aws.update_usage_plan(usagePlanId=plan, patchOperations=[patch("remove", "/quota")])
        self.assertEqual(9, self.admitted(9, "/pets", key))

    def test_a_key_of_two_plans_has_a_count_in_each(self):
        api = self.rest_api["id"]
        self.aws.create_deployment(restApiId=api, stageName="v2")
        first = self.plan(quota={"limit": 1, "period": "DAY"})
        stages = [{"apiId": api, "stage": "v2"}]
        second = self.aws.create_usage_plan(name="v2", apiStages=stages, quota={"limit": 2, "period": "DAY"})["id"]
        self.addCleanup(self.aws.delete_usage_plan, usagePlanId=second)
        self.addCleanup(self.leave, second, "v2")
        key = self.key(first)
        self.aws.create_usage_plan_key(usagePlanId=second, keyId=key["id"], keyType="API_KEY")
        headers = {"x-api-key": key["value"]}
        statuses = [ask(api, stage, "/pets", headers=headers)[0] for stage in ("v1", "v1", "v2", "v2", "v2")]
        self.assertEqual([200, 429, 200, 200, 429], statuses)
