"""Model. Expected answers: recorded (facts, aws-recorded sections 1.5, 1.6 and 6)."""

import json

from support import ACCOUNT, Scenario, an_id, patch, replace

JSON = "application/json"
SCHEMA = '{"type": "object", "properties": {"name": {"type": "string"}}}'
NO_SCHEMA = "Model schema must have at least 1 property or array items defined"


class Models(Scenario):
    def create(self, api, name="Pet", **more):
        more = {"schema": SCHEMA, "contentType": JSON, **more}
        return self.aws.create_model(restApiId=api["id"], name=name, **more)

    def test_a_new_api_has_two(self):
        api = self.api()
        models = {it["name"]: it for it in self.aws.get_models(restApiId=api["id"])["items"]}
        self.assertEqual({"Empty", "Error"}, set(models))
        self.assertEqual("This is a default empty schema model", models["Empty"]["description"])
        self.assertEqual("This is a default error schema model", models["Error"]["description"])
        empty = {"$schema": "http://json-schema.org/draft-04/schema#", "title": "Empty Schema", "type": "object"}
        self.assertEqual(empty, json.loads(models["Empty"]["schema"]))
        self.assertEqual({"message": {"type": "string"}}, json.loads(models["Error"]["schema"])["properties"])

    def test_create_get_list_patch_and_delete(self):
        api = self.api()
        want = {"id": an_id(6), "name": "Pet", "contentType": JSON, "schema": SCHEMA, "description": "one"}
        self.says(self.create(api, description="one"), 201, **want)
        labels = {"restApiId": api["id"], "modelName": "Pet"}
        self.says(self.aws.get_model(**labels), 200, **want)
        answer = self.aws.update_model(
            **labels,
            patchOperations=[patch("replace", "/description", "two"), patch("replace", "/schema", '{"type": "array"}')],
        )
        self.shows(answer, description="two", schema='{"type": "array"}')
        self.create(api, "Toy", description="")
        self.assertNotIn("description", self.aws.get_model(restApiId=api["id"], modelName="Toy"))
        for limit in (1, 3, 500):
            listed = [it["name"] for it in self.pages(self.aws.get_models, limit, restApiId=api["id"])]
            self.assertEqual(["Empty", "Error", "Pet", "Toy"], sorted(listed))
        self.says(self.aws.delete_model(**labels), 202)
        self.not_found(self.aws.get_model, "Invalid model name specified: Pet", **labels)

    def test_create_is_refused_in_awss_words(self):
        api = self.api()
        self.create(api)
        create = self.aws.create_model
        base = {"restApiId": api["id"], "contentType": JSON, "schema": SCHEMA}
        self.conflict(create, "Model name already exists for this REST API", **base, name="Pet")
        self.bad_request(create, "Model name must be non-empty", **base, name="")
        for content_type in (JSON, "application/xml"):
            wrong = {**base, "contentType": content_type}
            self.bad_request(create, NO_SCHEMA, **{**wrong, "schema": ""}, name="X")
            del wrong["schema"]
            self.bad_request(create, NO_SCHEMA, **wrong, name="X")
        self.not_found(
            create,
            f"Invalid API identifier specified {ACCOUNT}:zzzzzzzzzz",
            **{**base, "restApiId": "zzzzzzzzzz"},
            name="X",
        )

    def test_patches_are_refused_in_awss_words(self):
        api = self.api()
        self.create(api)
        labels = {"restApiId": api["id"], "modelName": "Pet"}

        def refused(message, operation):
            self.bad_request(self.aws.update_model, message, **labels, patchOperations=[operation])

        refused(
            "Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]",
            patch("replace", "/name", "x"),
        )
        for op in ("add", "remove"):
            refused(
                f"Invalid patch path  '/description' specified for op '{op}'. Please choose supported operations",
                patch(op, "/description", "x"),
            )
        refused(NO_SCHEMA, patch("replace", "/schema", ""))
        self.not_found(
            self.aws.update_model,
            "Invalid model name specified: Wrong",
            restApiId=api["id"],
            modelName="Wrong",
            patchOperations=replace("/description", "x"),
        )

    def test_one_in_use_stays(self):
        api = self.api()
        self.create(api)
        test = self.aws.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="test")
        for resource, place in ((test["id"], "/test/ANY"), (api["rootResourceId"], "//ANY")):
            method = self.method(api, resource, "ANY", requestModels={JSON: "Pet"})
            self.conflict(
                self.aws.delete_model,
                f"Cannot delete model 'Pet', is referenced in method request: {place}",
                restApiId=api["id"],
                modelName="Pet",
            )
            self.aws.delete_method(**method)
        self.says(self.aws.delete_model(restApiId=api["id"], modelName="Pet"), 202)

    def test_a_template_is_made_of_a_model(self):
        api = self.api()
        self.create(api)
        answer = self.aws.get_model_template(restApiId=api["id"], modelName="Pet")
        self.assertIn("$input.path('$')", answer["value"])
        self.assertIn("name", answer["value"])
