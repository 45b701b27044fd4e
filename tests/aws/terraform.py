"""Makes the calls that Terraform's AWS provider makes for the `main.tf` of docs/aws-tools.md.

The provider cannot be had where tests run. What it calls, with which members (it sends empty texts where a
user gave none), and what it reads back is known from its source; what it compares after a refresh is
checked here: a difference would be a plan that never becomes empty.
"""

import pathlib
import re
import sys

import hcl2

from page import blocks
from support import Scenario, ask, patch, replace

PETSTORE = next(text for _, file, text in blocks() if file == "petstore.yaml")
REFERENCE = re.compile(r"^\$\{(aws_\w+)\.(\w+)\.(\w+)\}$")


def plain(value):
    """A value as HCL means it: python-hcl2 keeps the quotes of texts."""
    if isinstance(value, dict):
        return {plain(key): plain(it) for key, it in value.items() if key != "__is_block__"}
    if isinstance(value, list):
        return [plain(it) for it in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return value


def configuration():
    """The page's provider block, and its resources by type and name."""
    text = next(text for _, file, text in blocks() if file == "main.tf")
    parsed = plain(hcl2.loads(text))
    resources = {}
    for block in parsed["resource"]:
        for kind, named in block.items():
            for name, body in named.items():
                resources[kind, name] = body
    return parsed["provider"][0]["aws"], resources


class Provider:
    """Creates, refreshes, changes and destroys resources, and keeps their state as Terraform does."""

    def __init__(self, test, aws, resources):
        self.test, self.aws, self.resources = test, aws, resources
        self.state = {}

    def settled(self, value):
        """A value with its references and functions carried out."""
        if isinstance(value, dict):
            return {key: self.settled(it) for key, it in value.items()}
        if not isinstance(value, str):
            return value
        if value == '${file("petstore.yaml")}':
            return PETSTORE
        found = REFERENCE.match(value)
        if not found:
            return value
        kind, name, attribute = found.groups()
        return self.state[kind, name][attribute]

    def arguments(self, address):
        body = self.resources[address]
        return {key: self.settled(it) for key, it in body.items() if key not in ("depends_on", "lifecycle")}

    def ordered(self):
        """Addresses, each after those it refers to."""
        done = []
        while len(done) < len(self.resources):
            before = len(done)
            for address, body in self.resources.items():
                needs = {(kind, name) for kind, name in re.findall(r"(aws_\w+)\.(\w+)", str(body))}
                if address not in done and needs <= set(done):
                    done.append(address)
            if len(done) == before:
                sys.exit(f"main.tf refers in circles: {set(self.resources) - set(done)}")
        return done

    def apply(self):
        for address in self.ordered():
            kind, name = address
            self.state[address] = {}
            getattr(self, f"create_{kind.removeprefix('aws_api_gateway_')}")(address, self.arguments(address))
            self.refresh(address)

    def refresh(self, address):
        kind, name = address
        read = getattr(self, f"read_{kind.removeprefix('aws_api_gateway_')}")
        read(address, self.arguments(address))

    def plan(self):
        """Refreshes everything; whatever differs from the configuration fails."""
        for address in self.ordered():
            self.refresh(address)
            for attribute, want in self.arguments(address).items():
                if attribute != "body":
                    self.test.assertEqual(want, self.state[address].get(attribute), (address, attribute))

    def destroy(self):
        for address in reversed(self.ordered()):
            kind, name = address
            short = kind.removeprefix("aws_api_gateway_")
            getattr(self, f"delete_{short}")(self.arguments(address), self.state[address])
            # What is gone is not found, and so leaves the state.
            with self.test.assertRaises(self.aws.exceptions.NotFoundException):
                self.refresh(address)
        self.state.clear()

    # One kind after the other: `name` for the configuration's attributes, members for the API's.

    def create_rest_api(self, address, given):
        api = self.aws.create_rest_api(name=given["name"])
        self.state[address]["id"] = api["id"]
        self.put_body(api["id"], given)

    def put_body(self, api, given):
        answer = self.aws.put_rest_api(
            restApiId=api, mode="overwrite", failOnWarnings=False, parameters={}, body=given["body"].encode()
        )
        # The document's title has replaced the name.
        if answer["name"] != given["name"]:
            self.aws.update_rest_api(restApiId=api, patchOperations=replace("/name", given["name"]))

    def read_rest_api(self, address, given):
        api = self.aws.get_rest_api(restApiId=self.state[address]["id"])
        root = next(
            it["id"]
            for page in self.aws.get_paginator("get_resources").paginate(restApiId=api["id"])
            for it in page["items"]
            if it["path"] == "/"
        )
        self.test.assertEqual(root, api["rootResourceId"])
        self.test.assertEqual({}, api["tags"])
        for absent in ("policy", "description"):
            self.test.assertNotIn(absent, api)
        self.state[address].update(name=api["name"], root_resource_id=root)

    def delete_rest_api(self, given, state):
        self.aws.delete_rest_api(restApiId=state["id"])

    def create_resource(self, address, given):
        answer = self.aws.create_resource(
            restApiId=given["rest_api_id"], parentId=given["parent_id"], pathPart=given["path_part"]
        )
        self.state[address]["id"] = answer["id"]

    def read_resource(self, address, given):
        got = self.aws.get_resource(restApiId=given["rest_api_id"], resourceId=self.state[address]["id"])
        self.state[address].update(
            rest_api_id=given["rest_api_id"], parent_id=got["parentId"], path_part=got["pathPart"], path=got["path"]
        )

    def delete_resource(self, given, state):
        self.aws.delete_resource(restApiId=given["rest_api_id"], resourceId=state["id"])

    @staticmethod
    def labels(given):
        return {
            "restApiId": given["rest_api_id"],
            "resourceId": given["resource_id"],
            "httpMethod": given["http_method"],
        }

    def create_method(self, address, given):
        # `apiKeyRequired` is always sent.
        self.aws.put_method(
            **self.labels(given), authorizationType=given["authorization"], apiKeyRequired=False
        )

    def read_method(self, address, given):
        got = self.aws.get_method(**self.labels(given))
        self.test.assertIs(False, got["apiKeyRequired"])
        for absent in ("requestModels", "requestParameters", "authorizationScopes", "requestValidatorId"):
            self.test.assertFalse(got.get(absent), absent)
        self.state[address].update(
            given, http_method=got["httpMethod"], authorization=got["authorizationType"]
        )

    def delete_method(self, given, state):
        self.aws.delete_method(**self.labels(given))

    def create_method_response(self, address, given):
        self.aws.put_method_response(**self.labels(given), statusCode=given["status_code"])

    def read_method_response(self, address, given):
        got = self.aws.get_method_response(**self.labels(given), statusCode=given["status_code"])
        self.test.assertFalse(got.get("responseModels"))
        self.state[address].update(given, status_code=got["statusCode"])

    def delete_method_response(self, given, state):
        self.aws.delete_method_response(**self.labels(given), statusCode=given["status_code"])

    def create_integration(self, address, given):
        # The provider's defaults, which it sends for a MOCK as well.
        self.aws.put_integration(
            **self.labels(given),
            type=given["type"],
            connectionType="INTERNET",
            connectionId="",
            timeoutInMillis=29000,
            requestTemplates=given["request_templates"],
        )

    def read_integration(self, address, given):
        got = self.aws.get_integration(**self.labels(given))
        self.test.assertEqual(29000, got["timeoutInMillis"])
        self.test.assertIn(got.get("connectionType", "INTERNET"), ("INTERNET",))
        self.test.assertFalse(got.get("requestParameters"))
        self.state[address].update(given, type=got["type"], request_templates=got["requestTemplates"])

    def delete_integration(self, given, state):
        self.aws.delete_integration(**self.labels(given))

    def create_integration_response(self, address, given):
        self.aws.put_integration_response(
            **self.labels(given), statusCode=given["status_code"], responseTemplates=given["response_templates"]
        )

    def read_integration_response(self, address, given):
        got = self.aws.get_integration_response(**self.labels(given), statusCode=given["status_code"])
        self.test.assertFalse(got.get("selectionPattern"))
        self.state[address].update(
            given, status_code=got["statusCode"], response_templates=got["responseTemplates"]
        )

    def delete_integration_response(self, given, state):
        self.aws.delete_integration_response(**self.labels(given), statusCode=given["status_code"])

    def create_deployment(self, address, given):
        # Empty texts where nothing was given; an empty stage name makes no stage.
        answer = self.aws.create_deployment(
            restApiId=given["rest_api_id"], description="", stageName="", stageDescription="", variables={}
        )
        self.state[address]["id"] = answer["id"]

    def read_deployment(self, address, given):
        got = self.aws.get_deployment(restApiId=given["rest_api_id"], deploymentId=self.state[address]["id"])
        self.test.assertFalse(got.get("description"))
        self.state[address].update(given, created_date=got["createdDate"])

    def delete_deployment(self, given, state):
        self.aws.delete_deployment(restApiId=given["rest_api_id"], deploymentId=state["id"])

    def create_stage(self, address, given):
        self.aws.create_stage(
            restApiId=given["rest_api_id"],
            stageName=given["stage_name"],
            deploymentId=given["deployment_id"],
            variables=given["variables"],
            tags={},
        )

    def read_stage(self, address, given):
        got = self.aws.get_stage(restApiId=given["rest_api_id"], stageName=given["stage_name"])
        self.test.assertEqual(("NOT_AVAILABLE", False), (got["cacheClusterStatus"], got["tracingEnabled"]))
        self.test.assertFalse(got.get("tags"))
        for absent in ("accessLogSettings", "canarySettings", "clientCertificateId", "description", "webAclArn"):
            self.test.assertNotIn(absent, got)
        self.state[address].update(
            given,
            stage_name=got["stageName"],
            deployment_id=got["deploymentId"],
            variables=got["variables"],
        )

    def delete_stage(self, given, state):
        self.aws.delete_stage(restApiId=given["rest_api_id"], stageName=given["stage_name"])


class Terraform(Scenario):
    def test_the_provider_block_is_what_works_here(self):
        provider, _ = configuration()
        self.assertEqual({"apigateway": "http://127.0.0.1:9080"}, provider["endpoints"][0])
        for flag in ("skip_credentials_validation", "skip_metadata_api_check", "skip_requesting_account_id"):
            self.assertIs(True, provider[flag])

    def test_apply_plan_change_and_destroy(self):
        _, resources = configuration()
        provider = Provider(self, self.aws, resources)
        provider.apply()
        api = provider.state["aws_api_gateway_rest_api", "pets"]["id"]
        self.assertEqual((200, '["Rex"]'), ask(api, "v1", "/pets"))
        self.assertEqual((200, '["ball"]'), ask(api, "v1", "/toys"))
        provider.plan()
        self.change(provider, api)
        provider.plan()
        self.assertEqual((200, '["ball"]'), ask(api, "v1", "/games"))
        provider.destroy()
        self.not_found(
            self.aws.get_rest_api, f"Invalid API identifier specified 123456789012:{api}", restApiId=api
        )

    def change(self, provider, api):
        """An apply after a few changes: patches, and a new deployment before the old one goes."""
        resource = "aws_api_gateway_resource", "toys"
        provider.resources[resource]["path_part"] = "games"
        self.aws.update_resource(
            restApiId=api,
            resourceId=provider.state[resource]["id"],
            patchOperations=[
                patch("replace", "/pathPart", "games"),
                patch("replace", "/parentId", provider.state[resource]["parent_id"]),
            ],
        )
        integration = "aws_api_gateway_integration", "toys"
        templates = {"application/json": '{"statusCode": 200, "x": 1}', "text/plain": '{"statusCode": 200}'}
        provider.resources[integration]["request_templates"] = templates
        self.aws.update_integration(
            **provider.labels(provider.arguments(integration)),
            patchOperations=[
                patch("replace", "/requestTemplates/application~1json", templates["application/json"]),
                patch("add", "/requestTemplates/text~1plain", templates["text/plain"]),
            ],
        )
        provider.resources["aws_api_gateway_rest_api", "pets"]["name"] = "renamed"
        self.aws.update_rest_api(restApiId=api, patchOperations=replace("/name", "renamed"))
        deployment, stage = ("aws_api_gateway_deployment", "pets"), ("aws_api_gateway_stage", "v1")
        old = provider.state[deployment]["id"]
        provider.create_deployment(deployment, provider.arguments(deployment))
        provider.resources[stage]["variables"] = {"toy": "ball"}
        self.aws.update_stage(
            restApiId=api,
            stageName="v1",
            patchOperations=[
                patch("replace", "/deploymentId", provider.state[deployment]["id"]),
                patch("remove", "/variables/pet"),
                patch("replace", "/variables/toy", "ball"),
            ],
        )
        self.aws.delete_deployment(restApiId=api, deploymentId=old)
