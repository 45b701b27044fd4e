"""UsagePlan, UsagePlanKey and Usage. Expected answers: recorded (facts, aws-recorded section 13)."""

import datetime

from support import Scenario, an_id, patch, replace


class UsagePlans(Scenario):
    def plan(self, name="gold", **more):
        plan = self.aws.create_usage_plan(name=name, **more)
        self.addCleanup(self.drop, plan["id"])
        return plan

    def drop(self, plan):
        """A plan with stages cannot be deleted, so these go first."""
        try:
            got = self.aws.get_usage_plan(usagePlanId=plan)
        except self.aws.exceptions.NotFoundException:
            return
        stages = [patch("remove", "/apiStages", f"{it['apiId']}:{it['stage']}") for it in got.get("apiStages", [])]
        if stages:
            self.aws.update_usage_plan(usagePlanId=plan, patchOperations=stages)
        self.aws.delete_usage_plan(usagePlanId=plan)

    def stage(self):
        api = self.api()
        self.mock(api, "{}")
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        return api["id"]

    def test_create_get_patch_and_delete(self):
        made = self.plan(quota={"limit": 10, "period": "DAY"}, throttle={"rateLimit": 2.0})
        want = {"id": an_id(6), "name": "gold", "apiStages": []}
        quota = {"limit": 10, "offset": 0, "period": "DAY"}
        self.assertEqual(2.0, made["throttle"]["rateLimit"])
        self.shows(made, quota=quota, **want)
        self.assertNotIn("tags", made)
        plan = made["id"]
        self.shows(self.aws.get_usage_plan(usagePlanId=plan), quota=quota, tags={}, **want)
        answer = self.aws.update_usage_plan(
            usagePlanId=plan,
            patchOperations=[
                patch("replace", "/name", "silver"),
                patch("replace", "/description", "cheaper"),
                patch("replace", "/quota/limit", "5"),
                patch("replace", "/throttle/burstLimit", "7"),
            ],
        )
        self.shows(answer, name="silver", description="cheaper", throttle={"rateLimit": 2.0, "burstLimit": 7}, tags={})
        self.assertEqual(5, answer["quota"]["limit"])
        self.says(self.aws.delete_usage_plan(usagePlanId=plan), 202)
        self.not_found(self.aws.get_usage_plan, "Invalid Usage Plan ID specified", usagePlanId=plan)

    def test_patches_make_throttle_and_quota(self):
        made = self.plan()
        self.assertNotIn("throttle", made)
        self.assertNotIn("quota", made)
        answer = self.aws.update_usage_plan(
            usagePlanId=made["id"],
            patchOperations=[
                patch("replace", "/throttle/burstLimit", "3"),
                patch("replace", "/throttle/rateLimit", "1.5"),
                patch("replace", "/quota/limit", "100"),
                patch("replace", "/quota/period", "WEEK"),
            ],
        )
        self.shows(
            answer,
            throttle={"burstLimit": 3, "rateLimit": 1.5},
            quota={"limit": 100, "offset": 0, "period": "WEEK"},
        )

    def test_api_stages_come_and_go(self):
        api = self.stage()
        plan = self.plan()["id"]
        update = self.aws.update_usage_plan
        answer = update(usagePlanId=plan, patchOperations=[patch("add", "/apiStages", f"{api}:v1")])
        self.shows(answer, apiStages=[{"apiId": api, "stage": "v1"}])
        with self.assertRaises(self.aws.exceptions.ClientError):
            self.aws.delete_usage_plan(usagePlanId=plan)
        for wrong in (None, api):
            self.bad_request(
                update,
                "Invalid API Stage specified",
                usagePlanId=plan,
                patchOperations=[patch("remove", "/apiStages", wrong)],
            )
        self.not_found(
            update,
            f"Invalid API Stage {{api: {api}, stage: wrong}} specified for usageplan {plan}",
            usagePlanId=plan,
            patchOperations=[patch("remove", "/apiStages", f"{api}:wrong")],
        )
        answer = update(usagePlanId=plan, patchOperations=[patch("remove", "/apiStages", f"{api}:v1")])
        self.shows(answer, apiStages=[])

    def test_lists_come_in_pages(self):
        made = {self.plan(f"plan{number}")["id"] for number in range(4)}
        for limit in (1, 3, 500):
            items = self.pages(self.aws.get_usage_plans, limit)
            self.assertLessEqual(made, {it["id"] for it in items})
            self.assertEqual(len(items), len({it["id"] for it in items}))
        for item in items:
            self.assertNotIn("tags", item)

    def test_keys_of_a_plan(self):
        plan = self.plan(quota={"limit": 10, "period": "DAY"})["id"]
        keys = []
        for name in ("plan-one", "plan-two"):
            key = self.aws.create_api_key(name=name, enabled=True)
            self.addCleanup(self.aws.delete_api_key, apiKey=key["id"])
            made = self.aws.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
            self.says(made, 201, id=key["id"], name=name, type="API_KEY", value=key["value"])
            keys.append(key["id"])
        labels = {"usagePlanId": plan, "keyId": keys[0]}
        self.shows(self.aws.get_usage_plan_key(**labels), id=keys[0], type="API_KEY", name="plan-one")
        listed = [it["id"] for it in self.pages(self.aws.get_usage_plan_keys, 1, usagePlanId=plan)]
        self.assertEqual(sorted(keys), sorted(listed))
        listed = self.aws.get_usage_plan_keys(usagePlanId=plan, nameQuery="plan-t")["items"]
        self.assertEqual([keys[1]], [it["id"] for it in listed])
        self.assertEqual([plan], [it["id"] for it in self.aws.get_usage_plans(keyId=keys[0])["items"]])
        today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        usage = self.aws.get_usage(usagePlanId=plan, startDate=today, endDate=today)
        self.shows(usage, usagePlanId=plan, startDate=today, endDate=today)
        self.assertIsInstance(usage["items"], dict)
        self.aws.update_usage(**labels, patchOperations=replace("/remaining", "20"))
        self.says(self.aws.delete_usage_plan_key(**labels), 202)
        self.assertEqual(404, self.status(self.aws.get_usage_plan_key, **labels))

    def status(self, call, **arguments):
        with self.assertRaises(self.aws.exceptions.ClientError) as refusal:
            call(**arguments)
        return refusal.exception.response["ResponseMetadata"]["HTTPStatusCode"]
