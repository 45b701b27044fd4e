"""Deployment, Stage and canaries, with traffic. Expected answers: recorded (facts, aws-recorded 10 and 11)."""

import datetime
import json
import socket
import time
import urllib.parse

from security import signed
from support import ADMIN, PATIENCE_S, Any, Scenario, an_id, ask, patch, replace

SETTING = {
    "cacheDataEncrypted": False,
    "cacheTtlInSeconds": 300,
    "cachingEnabled": False,
    "dataTraceEnabled": False,
    "metricsEnabled": False,
    "requireAuthorizationForCacheControl": True,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}

# The missing commas and blanks are AWS's own.
STAGE_PATHS = (
    "[/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, /accessLogSettings, "
    "/accessLogSettings/destinationArn, /accessLogSettings/format, /{resourcePath}/{httpMethod}/metrics/enabled, "
    "/{resourcePath}/{httpMethod}/logging/dataTrace, /{resourcePath}/{httpMethod}/logging/loglevel, "
    "/{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit"
    "/{resourcePath}/{httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, "
    "/{resourcePath}/{httpMethod}/caching/dataEncrypted, "
    "/{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, "
    "/{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, "
    "/*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit "
    "/*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, "
    "/*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, "
    "/variables/{variable_name}, /tracingEnabled]"
)


class Deployments(Scenario):
    def test_create_get_list_patch_and_delete(self):
        api = self.api()
        self.mock(api, '{"version": 1}')
        first = self.aws.create_deployment(restApiId=api["id"], description="the first")
        self.says(first, 201, id=an_id(6), createdDate=Any(datetime.datetime), description="the first")
        labels = {"restApiId": api["id"], "deploymentId": first["id"]}
        want = {key: first[key] for key in ("id", "createdDate", "description")}
        self.says(self.aws.get_deployment(**labels), 200, **want)
        answer = self.aws.update_deployment(**labels, patchOperations=replace("/description", "renamed"))
        self.shows(answer, description="renamed")
        others = [self.aws.create_deployment(restApiId=api["id"])["id"] for _ in range(3)]
        listed = [it["id"] for it in self.pages(self.aws.get_deployments, 2, restApiId=api["id"])]
        self.assertEqual(sorted([first["id"], *others]), sorted(listed))
        shown = self.aws.get_deployment(**labels, embed=["apisummary"])
        summary = {"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": False}}}
        self.assertEqual(summary, shown["apiSummary"])
        self.says(self.aws.delete_deployment(**labels), 202)
        self.not_found(self.aws.get_deployment, "Invalid Deployment identifier specified", **labels)

    def test_what_cannot_be_deployed(self):
        api = self.api()
        self.bad_request(
            self.aws.create_deployment, "The REST API doesn't contain any methods", restApiId=api["id"]
        )
        self.method(api)
        self.bad_request(self.aws.create_deployment, "No integration defined for method", restApiId=api["id"])

    def test_one_in_use_stays(self):
        api = self.api()
        self.mock(api, "{}")
        made = self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        self.bad_request(
            self.aws.delete_deployment,
            "Active stages pointing to this deployment must be moved or deleted",
            restApiId=api["id"],
            deploymentId=made["id"],
        )

    def test_deploy_redeploy_and_roll_back(self):
        api = self.api()
        labels = self.mock(api, '{"version": 1}')
        first = self.aws.create_deployment(restApiId=api["id"], stageName="v1")["id"]
        self.assertEqual((200, '{"version": 1}'), ask(api["id"], "v1", "/"))
        path = "/responseTemplates/application~1json"
        self.aws.update_integration_response(
            **labels, statusCode="200", patchOperations=replace(path, '{"version": 2}')
        )
        self.assertEqual((200, '{"version": 1}'), ask(api["id"], "v1", "/"))
        second = self.aws.create_deployment(restApiId=api["id"], stageName="v1")["id"]
        self.assertEqual((200, '{"version": 2}'), ask(api["id"], "v1", "/"))
        for deployment, body in ((first, '{"version": 1}'), (second, '{"version": 2}')):
            answer = self.aws.update_stage(
                restApiId=api["id"], stageName="v1", patchOperations=replace("/deploymentId", deployment)
            )
            self.shows(answer, deploymentId=deployment)
            self.assertEqual((200, body), ask(api["id"], "v1", "/"))
        self.says(self.aws.delete_stage(restApiId=api["id"], stageName="v1"), 202)
        self.assertEqual(403, ask(api["id"], "v1", "/")[0])


class Stages(Scenario):
    def setUp(self):
        super().setUp()
        self.made = self.api()
        self.mock(self.made, '{"x": "$stageVariables.x"}')
        self.deployment = self.aws.create_deployment(restApiId=self.made["id"])["id"]
        self.labels = {"restApiId": self.made["id"], "stageName": "dev"}

    def create(self, **more):
        return self.aws.create_stage(**self.labels, deploymentId=self.deployment, **more)

    def update(self, *operations):
        return self.aws.update_stage(**self.labels, patchOperations=list(operations))

    def update_refused(self, message, *operations):
        self.bad_request(self.aws.update_stage, message, **self.labels, patchOperations=list(operations))

    def test_create_get_list_and_delete(self):
        want = {
            "stageName": "dev",
            "deploymentId": self.deployment,
            "createdDate": Any(datetime.datetime),
            "lastUpdatedDate": Any(datetime.datetime),
            "cacheClusterEnabled": False,
            "cacheClusterStatus": "NOT_AVAILABLE",
            "methodSettings": {},
            "tracingEnabled": False,
        }
        self.says(self.create(), 201, **want)
        self.shows(self.aws.get_stage(**self.labels), **want)
        other = self.aws.create_deployment(restApiId=self.made["id"], stageName="other")["id"]
        listed = self.aws.get_stages(restApiId=self.made["id"])["item"]
        self.assertEqual(["dev", "other"], sorted(it["stageName"] for it in listed))
        listed = self.aws.get_stages(restApiId=self.made["id"], deploymentId=other)["item"]
        self.assertEqual(["other"], [it["stageName"] for it in listed])
        self.says(self.aws.delete_stage(**self.labels), 202)
        self.not_found(self.aws.get_stage, "Invalid stage identifier specified", **self.labels)

    def test_what_was_given_is_shown(self):
        given = {
            "description": "for trying",
            "documentationVersion": "1",
            "variables": {"x": "1"},
            "tags": {"team": "pets"},
        }
        self.shows(self.create(**given), **given)

    def test_variables_are_set_by_patch_and_reach_templates(self):
        self.create()
        self.assertEqual((200, '{"x": ""}'), ask(self.made["id"], "dev", "/"))
        for value in ("1", "2"):
            self.shows(self.update(patch("replace", "/variables/x", value)), variables={"x": value})
            self.assertEqual((200, f'{{"x": "{value}"}}'), ask(self.made["id"], "dev", "/"))
        self.assertNotIn("variables", self.update(patch("remove", "/variables/x")))

    def test_method_settings_come_whole_and_from_the_general_one(self):
        self.create()
        answer = self.update(patch("replace", "/*/*/throttling/burstLimit", "123"))
        self.shows(answer, methodSettings={"*/*": {**SETTING, "throttlingBurstLimit": 123}})
        answer = self.update(
            patch("replace", "/*/*/caching/enabled", "true"),
            patch("replace", "/test/GET/throttling/rateLimit", "2.5"),
            patch("replace", "/test/GET/logging/loglevel", "ERROR"),
        )
        general = {**SETTING, "throttlingBurstLimit": 123, "cachingEnabled": True}
        special = {**general, "throttlingRateLimit": 2.5, "loggingLevel": "ERROR"}
        self.shows(answer, methodSettings={"*/*": general, "test/GET": special})
        self.shows(self.update(patch("remove", "/*/*")), methodSettings={"test/GET": special})
        self.update_refused(
            "Cannot remove method setting */* because there is no method setting for this method ",
            patch("remove", "/*/*"),
        )

    def test_unknown_paths_are_refused_with_the_list(self):
        self.create()
        for path in ("/documentation_version", "/tags/tag1", "/canarySettings", "/canarySettings/badPath"):
            self.update_refused(
                f"Invalid method setting path: {path}. Must be one of: {STAGE_PATHS}", patch("replace", path, "x")
            )
        self.update_refused(
            "Cannot remove method setting canarySettings/badPath because there is no method setting for this method ",
            patch("remove", "/canarySettings/badPath"),
        )
        self.not_found(
            self.aws.update_stage,
            "Invalid stage identifier specified",
            restApiId=self.made["id"],
            stageName="wrong",
            patchOperations=replace("/description", "x"),
        )

    def test_access_log_settings(self):
        self.create()
        arn = "arn:aws:logs:us-east-1:123456789012:log-group:pets"
        answer = self.update(patch("add", "/accessLogSettings/destinationArn", arn))
        self.shows(answer, accessLogSettings={"destinationArn": arn})
        log_format = "$context.requestId $context.status"
        answer = self.update(patch("replace", "/accessLogSettings/format", log_format))
        self.shows(answer, accessLogSettings={"destinationArn": arn, "format": log_format})
        self.update_refused(
            "Invalid accessLogSettings path. Must be one of : "
            "[/accessLogSettings/destinationArn, /accessLogSettings/format]",
            patch("replace", "/accessLogSettings/wrong", "x"),
        )
        self.update_refused(
            "Access Log value must not be empty", patch("replace", "/accessLogSettings/destinationArn", "")
        )

    def test_create_is_refused(self):
        self.create()
        self.conflict(self.aws.create_stage, "Stage already exists", **self.labels, deploymentId=self.deployment)
        with self.assertRaises(self.aws.exceptions.BadRequestException):
            self.aws.create_stage(restApiId=self.made["id"], stageName="x", deploymentId="zzzzzz")

    def test_caches_are_flushed(self):
        self.create()
        self.says(self.aws.flush_stage_cache(**self.labels), 202)
        self.says(self.aws.flush_stage_authorizers_cache(**self.labels), 202)


class Canaries(Scenario):
    def setUp(self):
        super().setUp()
        self.made = self.api()
        self.id = self.made["id"]
        self.response = {**self.mock(self.made, "old $stageVariables.x"), "statusCode": "200"}
        self.old = self.aws.create_deployment(restApiId=self.id, stageName="v1", variables={"x": "stage"})["id"]
        path = "/responseTemplates/application~1json"
        self.aws.update_integration_response(
            **self.response, patchOperations=replace(path, "new $stageVariables.x $context.isCanaryRequest")
        )
        self.labels = {"restApiId": self.id, "stageName": "v1"}

    def test_deploy_to_a_canary_and_promote_it(self):
        new = self.aws.create_deployment(
            **self.labels, canarySettings={"percentTraffic": 100.0, "stageVariableOverrides": {"x": "canary"}}
        )["id"]
        self.shows(
            self.aws.get_stage(**self.labels),
            deploymentId=self.old,
            canarySettings={
                "deploymentId": new,
                "percentTraffic": 100.0,
                "stageVariableOverrides": {"x": "canary"},
                "useStageCache": False,
            },
        )
        self.assertEqual((200, "new canary true"), ask(self.id, "v1", "/"))
        self.aws.update_stage(**self.labels, patchOperations=replace("/canarySettings/percentTraffic", "0"))
        self.assertEqual((200, "old stage"), ask(self.id, "v1", "/"))
        answer = self.aws.update_stage(
            **self.labels,
            patchOperations=[
                patch("replace", "/canarySettings/percentTraffic", "0.0"),
                patch("copy", "/variables", source="/canarySettings/stageVariableOverrides"),
                patch("copy", "/deploymentId", source="/canarySettings/deploymentId"),
            ],
        )
        self.shows(answer, deploymentId=new, variables={"x": "canary"})
        self.assertEqual((200, "new canary false"), ask(self.id, "v1", "/"))
        answer = self.aws.update_stage(**self.labels, patchOperations=[patch("remove", "/canarySettings")])
        self.assertNotIn("canarySettings", answer)

    def test_patches_make_a_canary(self):
        new = self.aws.create_deployment(restApiId=self.id)["id"]
        answer = self.aws.update_stage(
            **self.labels, patchOperations=replace("/canarySettings/deploymentId", new)
        )
        self.shows(answer, canarySettings={"deploymentId": new, "percentTraffic": 0.0, "useStageCache": False})
        self.aws.update_stage(**self.labels, patchOperations=[patch("remove", "/canarySettings")])
        answer = self.aws.update_stage(
            **self.labels, patchOperations=replace("/canarySettings/percentTraffic", "50")
        )
        self.shows(
            answer, canarySettings={"deploymentId": self.old, "percentTraffic": 50.0, "useStageCache": False}
        )

    def test_refusals(self):
        canary = {"percentTraffic": 10.0}
        words = (
            "Invalid deployment content specified.Non null and non empty stageName must be provided for canary "
            "deployment. Provided value is "
        )
        create = self.aws.create_deployment
        self.bad_request(create, words + "null", restApiId=self.id, canarySettings=canary)
        self.bad_request(create, words, restApiId=self.id, stageName="", canarySettings=canary)
        self.bad_request(
            create,
            "Invalid deployment content specified.Stage non-existing must already be created before making a "
            "canary release deployment",
            restApiId=self.id,
            stageName="non-existing",
            canarySettings=canary,
        )
        self.bad_request(
            self.aws.update_stage,
            "Invalid add operation with path: /canarySettings/deploymentId",
            **self.labels,
            patchOperations=[patch("add", "/canarySettings/deploymentId", self.old)],
        )
        self.bad_request(
            self.aws.update_stage,
            "Deployment id does not exist",
            **self.labels,
            patchOperations=replace("/canarySettings/deploymentId", "zzzzzz"),
        )
        self.bad_request(
            self.aws.update_stage,
            "Promotion not available. Canary does not exist.",
            **self.labels,
            patchOperations=[patch("copy", "/deploymentId", source="/canarySettings/deploymentId")],
        )


class Disconnects(Scenario):
    def test_a_client_that_goes_away_leaves_nothing_half_done(self):
        """What is stored is what is served, wherever in a call its client has gone."""
        api = self.api()
        self.mock(api, "$stageVariables.x")
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        address = urllib.parse.urlsplit(ADMIN)
        path = f"/restapis/{api['id']}/stages/v1"
        for number in range(20):
            body = json.dumps({"patchOperations": replace("/variables/x", f"value{number}")}).encode()
            headers = {**signed("PATCH", path, body), "Host": address.netloc, "Content-Length": len(body)}
            lines = [f"PATCH {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers.items()]
            with socket.create_connection((address.hostname, address.port), PATIENCE_S) as connection:
                connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                # Nobody waits for the answer, but for the moment at which it has begun to be worked on.
                time.sleep(0.002 * number)
        give_up = time.monotonic() + PATIENCE_S
        while True:
            stored = self.aws.get_stage(restApiId=api["id"], stageName="v1").get("variables", {}).get("x", "")
            served = ask(api["id"], "v1", "/")[1]
            if stored == served and stored:
                break
            self.assertLess(time.monotonic(), give_up, f"stored is {stored!r}, served {served!r}")
