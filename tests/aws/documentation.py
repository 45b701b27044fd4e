"""DocumentationPart and DocumentationVersion. Expected answers: recorded (facts, aws-recorded sections 1.6, 14)."""

import datetime
import json

from support import ACCOUNT, Any, Scenario, an_id, document, patch, replace

PROPERTIES = '{"description": "of pets"}'


class DocumentationParts(Scenario):
    def test_create_get_list_patch_and_delete(self):
        api = self.api()["id"]
        made = self.aws.create_documentation_part(
            restApiId=api, location={"type": "API"}, properties=PROPERTIES
        )
        want = {"id": an_id(6), "location": {"type": "API"}, "properties": PROPERTIES}
        self.says(made, 201, **want)
        labels = {"restApiId": api, "documentationPartId": made["id"]}
        self.says(self.aws.get_documentation_part(**labels), 200, **want)
        answer = self.aws.update_documentation_part(**labels, patchOperations=replace("/properties", "{}"))
        self.shows(answer, properties="{}")
        for method in ("GET", "POST"):
            self.aws.create_documentation_part(
                restApiId=api,
                location={"type": "METHOD", "path": "/pets", "method": method},
                properties=PROPERTIES,
            )
        for limit in (1, 2, 500):
            listed = self.pages(self.aws.get_documentation_parts, limit, restApiId=api)
            self.assertEqual(["API", "METHOD", "METHOD"], sorted(it["location"]["type"] for it in listed))
        listed = self.aws.get_documentation_parts(restApiId=api, type="METHOD", path="/pets")["items"]
        self.assertEqual(["GET", "POST"], sorted(it["location"]["method"] for it in listed))
        self.says(self.aws.delete_documentation_part(**labels), 202)
        self.not_found(
            self.aws.get_documentation_part, "Invalid Documentation part identifier specified", **labels
        )

    def test_parts_are_imported(self):
        api = self.api()["id"]
        parts = {"documentationParts": [{"location": {"type": "API"}, "properties": {"description": "x"}}]}
        body = document(
            {"/pets": "[]"},
            **{"x-amazon-apigateway-documentation": {"version": "1", "createdDate": "2020-01-01T00:00:00Z", **parts}},
        )
        answer = self.aws.import_documentation_parts(restApiId=api, body=body, mode="overwrite")
        self.assertEqual(1, len(answer["ids"]))
        part = self.aws.get_documentation_part(restApiId=api, documentationPartId=answer["ids"][0])
        self.assertEqual({"type": "API"}, part["location"])
        self.assertEqual({"description": "x"}, json.loads(part["properties"]))
        self.bad_request(
            self.aws.import_documentation_parts,
            "Unable to build importer with provided input.",
            restApiId=api,
            body=b"{neither: [JSON, nor YAML",
        )

    def test_refusals(self):
        api = self.api()["id"]
        made = self.aws.create_documentation_part(
            restApiId=api, location={"type": "API"}, properties=PROPERTIES
        )
        labels = {"restApiId": api, "documentationPartId": made["id"]}

        def refused(message, operation):
            self.bad_request(self.aws.update_documentation_part, message, **labels, patchOperations=[operation])

        refused(
            "Invalid patch path  '/wrong' specified for op 'replace'. Must be one of: [/properties]",
            patch("replace", "/wrong", "x"),
        )
        refused(
            "Invalid patch path  '/properties' specified for op 'add'. Please choose supported operations",
            patch("add", "/properties", "x"),
        )
        unknown = f"Invalid API identifier specified {ACCOUNT}:zzzzzzzzzz"
        self.not_found(
            self.aws.create_documentation_part,
            unknown,
            restApiId="zzzzzzzzzz",
            location={"type": "API"},
            properties=PROPERTIES,
        )
        self.not_found(self.aws.get_documentation_parts, unknown, restApiId="zzzzzzzzzz")


class DocumentationVersions(Scenario):
    def test_create_get_list_patch_and_delete(self):
        api = self.api()["id"]
        self.aws.create_documentation_part(restApiId=api, location={"type": "API"}, properties=PROPERTIES)
        answer = self.aws.create_documentation_version(restApiId=api, documentationVersion="1.0")
        self.says(answer, 201, version="1.0", createdDate=Any(datetime.datetime))
        labels = {"restApiId": api, "documentationVersion": "1.0"}
        answer = self.aws.update_documentation_version(
            **labels, patchOperations=replace("/description", "the first")
        )
        self.shows(answer, version="1.0", description="the first")
        self.shows(self.aws.get_documentation_version(**labels), description="the first")
        for number in (2, 3):
            self.aws.create_documentation_version(restApiId=api, documentationVersion=f"{number}.0")
        listed = self.pages(self.aws.get_documentation_versions, 2, restApiId=api)
        self.assertEqual(["1.0", "2.0", "3.0"], sorted(it["version"] for it in listed))
        self.says(self.aws.delete_documentation_version(**labels), 202)
        self.refused(
            self.aws.get_documentation_version,
            "NotFoundException",
            "Invalid Documentation version specified",
            404,
            **labels,
        )
