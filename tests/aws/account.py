"""Account and SDK types (facts, stages section 6; aws-recorded section 16)."""

from support import Scenario, patch, replace


class Account(Scenario):
    def test_get_and_patch(self):
        got = self.aws.get_account()
        self.shows(
            got,
            throttleSettings={"burstLimit": 5000, "rateLimit": 10000.0},
            features=["UsagePlans"],
            apiKeyVersion="4",
        )
        role = "arn:aws:iam::123456789012:role/logs"
        answer = self.aws.update_account(patchOperations=replace("/cloudwatchRoleArn", role))
        self.shows(answer, cloudwatchRoleArn=role)
        self.shows(self.aws.get_account(), cloudwatchRoleArn=role)
        with self.assertRaises(self.aws.exceptions.BadRequestException):
            self.aws.update_account(patchOperations=[patch("replace", "/wrong", "x")])


class Sdks(Scenario):
    def test_types_are_listed(self):
        listed = {it["id"] for it in self.pages(self.aws.get_sdk_types, 500)}
        self.assertLessEqual({"java", "javascript", "android", "objectivec", "swift", "ruby"}, listed)
        self.shows(self.aws.get_sdk_type(id="javascript"), id="javascript")
        with self.assertRaises(self.aws.exceptions.NotFoundException):
            self.aws.get_sdk_type(id="cobol")

    def test_none_is_made_and_the_answer_says_so(self):
        api = self.api()
        self.mock(api, "{}")
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        with self.assertRaises(self.aws.exceptions.ClientError) as refusal:
            self.aws.get_sdk(restApiId=api["id"], stageName="v1", sdkType="javascript")
        error = refusal.exception.response
        self.assertIn("SDK", error["Error"]["Message"])
        self.assertIn("export", error["Error"]["Message"].lower())
