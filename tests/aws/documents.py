"""ImportRestApi, PutRestApi, GetExport. Expected answers: recorded (facts, aws-recorded sections 18 and 19)."""

import json
import urllib.parse

from support import TRAFFIC, Scenario, ask, document

SWAGGER = {
    "swagger": "2.0",
    "info": {"title": "based", "version": 1, "description": "of pets"},
    "basePath": "/base",
    "paths": json.loads(document({"/test": '{"ok": true}'}))["paths"],
}


class Documents(Scenario):
    def imported(self, body, **more):
        api = self.aws.import_rest_api(body=body, **more)
        self.addCleanup(self.aws.delete_rest_api, restApiId=api["id"])
        return api

    def paths(self, api):
        return {it["path"]: it for it in self.pages(self.aws.get_resources, 500, restApiId=api["id"])}

    def test_import_deploy_and_ask(self):
        api = self.imported(document({"/pets": "[]", "/pets/{petId}": '"$input.params(\'petId\')"'}))
        self.assertEqual(201, api["ResponseMetadata"]["HTTPStatusCode"])
        self.shows(api, name="pets", version="1.0", apiKeySource="HEADER")
        paths = self.paths(api)
        self.assertEqual({"/", "/pets", "/pets/{petId}"}, set(paths))
        self.assertEqual({"GET": {}}, paths["/pets"]["resourceMethods"])
        method = self.aws.get_method(
            restApiId=api["id"], resourceId=paths["/pets/{petId}"]["id"], httpMethod="GET"
        )
        # Although the document declares no parameter (recorded).
        self.assertEqual({"method.request.path.petId": True}, method["requestParameters"])
        self.assertEqual([], self.aws.get_models(restApiId=api["id"])["items"])
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        self.assertEqual((200, "[]"), ask(api["id"], "v1", "/pets"))
        self.assertEqual((200, '"7"'), ask(api["id"], "v1", "/pets/7"))

    def test_base_paths(self):
        for mode, paths in (
            ("ignore", {"/", "/test"}),
            ("prepend", {"/", "/base", "/base/test"}),
            ("split", {"/", "/test"}),
        ):
            api = self.imported(json.dumps(SWAGGER).encode(), parameters={"basepath": mode})
            self.shows(api, name="based", version="1", description="of pets")
            self.assertEqual(paths, set(self.paths(api)), mode)

    def test_parameters_of_an_import(self):
        api = self.imported(document({"/pets": "[]"}), parameters={"endpointConfigurationTypes": "REGIONAL"})
        self.assertEqual(["REGIONAL"], api["endpointConfiguration"]["types"])
        part = {"location": {"type": "API"}, "properties": {"description": "x"}}
        texts = {"x-amazon-apigateway-documentation": {"version": "1", "documentationParts": [part]}}
        body = document({"/pets": "[]"}, **texts)
        for parameters, count in (({}, 1), ({"ignore": "documentation"}, 0)):
            api = self.imported(body, parameters=parameters)
            parts = self.aws.get_documentation_parts(restApiId=api["id"])["items"]
            self.assertEqual(count, len(parts), parameters)

    def test_yaml_and_unknown_documents(self):
        body = b"openapi: 3.0.1\ninfo: {title: yaml, version: '2'}\npaths: {/a: {}}\n"
        self.shows(self.imported(body), name="yaml", version="2")
        for body in (b"{", b"[]", b"", b"no document"):
            with self.assertRaises(self.aws.exceptions.BadRequestException):
                self.aws.import_rest_api(body=body)

    def test_what_is_left_out_is_a_warning(self):
        pets = json.loads(document({"/pets": "[]"}))
        text = {"content": {"text/plain": {"schema": {"type": "string"}}}}
        pets["paths"]["/pets"]["get"]["responses"]["200"].update(text)
        body = json.dumps(pets).encode()
        warning = "Unsupported model type 'StringSchema' in 200 response to method 'GET /pets'. Ignoring."
        self.shows(self.imported(body), warnings=[warning])
        before = len(self.pages(self.aws.get_rest_apis, 500))
        self.bad_request(
            self.aws.import_rest_api,
            f"Warnings found during import:\n\t{warning}",
            body=body,
            failOnWarnings=True,
        )
        self.assertEqual(before, len(self.pages(self.aws.get_rest_apis, 500)))

    def test_put_merges_or_overwrites(self):
        binary = {"x-amazon-apigateway-binary-media-types": ["image/png"]}
        api = self.imported(document({"/pets": "[]"}, **binary))
        labels = {"restApiId": api["id"]}
        binary = {"x-amazon-apigateway-binary-media-types": ["image/gif"]}
        second = document({"/toys": "[]"}, title="toys", version="2.0", **binary)
        answer = self.aws.put_rest_api(**labels, mode="merge", body=second)
        self.assertEqual(200, answer["ResponseMetadata"]["HTTPStatusCode"])
        self.shows(
            answer,
            id=api["id"],
            rootResourceId=api["rootResourceId"],
            name="toys",
            version="2.0",
            binaryMediaTypes=["image/png", "image/gif"],
            tags={},
        )
        self.assertEqual({"/", "/pets", "/toys"}, set(self.paths(api)))
        answer = self.aws.put_rest_api(**labels, mode="overwrite", body=second)
        self.shows(answer, binaryMediaTypes=["image/gif"], rootResourceId=api["rootResourceId"])
        self.assertEqual({"/", "/toys"}, set(self.paths(api)))

    def export(self, api, kind, **more):
        return self.aws.get_export(restApiId=api["id"], stageName="v1", exportType=kind, **more)

    def test_export_as_openapi_and_swagger(self):
        api = self.imported(document({"/pets": "[]"}))
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        # Where AWS has its own host: the one that Ringway prints, which it serves without TLS.
        port = urllib.parse.urlsplit(TRAFFIC).port
        host = f"{api['id']}.execute-api.localhost:{port}"
        answer = self.export(api, "oas30")
        self.shows(
            answer,
            contentType="application/octet-stream",
            contentDisposition='attachment; filename="oas30_1.0.json"',
        )
        oas30 = json.loads(answer["body"].read())
        self.assertEqual(["openapi", "info", "servers", "paths", "components"], list(oas30))
        self.assertEqual("3.0.1", oas30["openapi"])
        server = {"url": f"http://{host}/{{basePath}}", "variables": {"basePath": {"default": "v1"}}}
        self.assertEqual([server], oas30["servers"])
        response = {"description": "200 response", "content": {}}
        self.assertEqual({"200": response}, oas30["paths"]["/pets"]["get"]["responses"])
        self.assertNotIn("x-amazon-apigateway-integration", oas30["paths"]["/pets"]["get"])
        answer = self.export(api, "swagger", parameters={"extensions": "apigateway"})
        self.shows(answer, contentDisposition='attachment; filename="swagger_1.0.json"')
        swagger = json.loads(answer["body"].read())
        self.assertEqual("2.0", swagger["swagger"])
        self.assertEqual((host, "/v1", ["http"]), (swagger["host"], swagger["basePath"], swagger["schemes"]))
        self.assertEqual("mock", swagger["paths"]["/pets"]["get"]["x-amazon-apigateway-integration"]["type"])

    def test_an_export_can_be_imported_again(self):
        api = self.imported(document({"/pets": '["Rex"]'}))
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        for kind in ("oas30", "swagger"):
            for accepts in ("application/json", "application/yaml"):
                answer = self.export(api, kind, accepts=accepts, parameters={"extensions": "integrations"})
                again = self.imported(answer["body"].read())
                self.aws.create_deployment(restApiId=again["id"], stageName="v1")
                self.assertEqual((200, '["Rex"]'), ask(again["id"], "v1", "/pets"), (kind, accepts))

    def test_exports_are_refused(self):
        api = self.imported(document({"/pets": "[]"}))
        self.not_found(
            self.aws.get_export,
            "Invalid stage identifier specified",
            restApiId=api["id"],
            stageName="v1",
            exportType="oas30",
        )
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        with self.assertRaises(self.aws.exceptions.BadRequestException):
            self.export(api, "wsdl")
