"""Resource. Expected answers: recorded (facts, aws-recorded section 3)."""

from support import Scenario, an_id, patch, replace


class Resources(Scenario):
    def child(self, api, part, parent=None):
        return self.aws.create_resource(
            restApiId=api["id"], parentId=parent or api["rootResourceId"], pathPart=part
        )

    def test_create_get_list_and_delete(self):
        api = self.api()
        root = api["rootResourceId"]
        self.says(self.aws.get_resources(restApiId=api["id"]), items=[{"id": root, "path": "/"}])
        pets = self.child(api, "pets")
        self.says(pets, 201, id=an_id(6), parentId=root, pathPart="pets", path="/pets")
        pet = self.child(api, "{petId}", pets["id"])
        self.says(pet, 201, id=an_id(6), parentId=pets["id"], pathPart="{petId}", path="/pets/{petId}")
        self.says(
            self.aws.get_resource(restApiId=api["id"], resourceId=pet["id"]),
            id=pet["id"],
            parentId=pets["id"],
            pathPart="{petId}",
            path="/pets/{petId}",
        )
        self.method(api, pets["id"])
        self.method(api, pets["id"], "OPTIONS")
        listed = {it["path"]: it for it in self.aws.get_resources(restApiId=api["id"])["items"]}
        self.assertEqual(["/", "/pets", "/pets/{petId}"], sorted(listed))
        self.assertEqual({"GET": {}, "OPTIONS": {}}, listed["/pets"]["resourceMethods"])
        self.assertNotIn("resourceMethods", listed["/pets/{petId}"])
        embedded = self.aws.get_resource(restApiId=api["id"], resourceId=pets["id"], embed=["methods"])
        self.assertEqual("NONE", embedded["resourceMethods"]["GET"]["authorizationType"])
        # The whole subtree goes.
        self.says(self.aws.delete_resource(restApiId=api["id"], resourceId=pets["id"]), 202)
        self.says(self.aws.get_resources(restApiId=api["id"]), items=[{"id": root, "path": "/"}])
        self.not_found(
            self.aws.get_resource,
            "Invalid Resource identifier specified",
            restApiId=api["id"],
            resourceId=pet["id"],
        )

    def test_a_renamed_part_moves_its_subtree(self):
        api = self.api()
        pets = self.child(api, "pets")
        toy = self.child(api, "toys", pets["id"])
        labels = {"restApiId": api["id"], "resourceId": pets["id"]}
        answer = self.aws.update_resource(**labels, patchOperations=replace("/pathPart", "animals"))
        self.shows(answer, pathPart="animals", path="/animals")
        self.shows(self.aws.get_resource(restApiId=api["id"], resourceId=toy["id"]), path="/animals/toys")

    def test_siblings_and_greedy_parents_are_refused(self):
        api = self.api()
        root = api["rootResourceId"]
        greedy = self.child(api, "{proxy+}")

        def refused(parent, part, message):
            self.bad_request(
                self.aws.create_resource, message, restApiId=api["id"], parentId=parent, pathPart=part
            )

        refused(
            root,
            "{other}",
            "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed",
        )
        for part in ("static", "{variable}"):
            refused(
                greedy["id"],
                part,
                "Cannot create a child of a resource with a greedy path variable: {proxy+}",
            )
        self.child(api, "pets")
        self.conflict(
            self.aws.create_resource,
            "Another resource with the same parent already has this name: pets",
            restApiId=api["id"],
            parentId=root,
            pathPart="pets",
        )
        self.not_found(
            self.aws.create_resource,
            "Invalid Resource identifier specified",
            restApiId=api["id"],
            parentId="zzzzzz",
            pathPart="x",
        )

    def test_lists_come_in_pages(self):
        api = self.api()
        made = {"/"} | {self.child(api, f"part{number}")["path"] for number in range(4)}
        for limit in (1, 2, 500):
            listed = [it["path"] for it in self.pages(self.aws.get_resources, limit, restApiId=api["id"])]
            self.assertEqual(sorted(made), sorted(listed))

    def test_unknown_patch_paths_change_nothing(self):
        api = self.api()
        labels = {"restApiId": api["id"], "resourceId": self.child(api, "pets")["id"]}
        with self.assertRaises(self.aws.exceptions.BadRequestException):
            self.aws.update_resource(
                **labels,
                patchOperations=[patch("replace", "/pathPart", "x"), patch("replace", "/wrong", "y")],
            )
        self.shows(self.aws.get_resource(**labels), path="/pets")
