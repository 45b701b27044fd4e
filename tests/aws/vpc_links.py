"""VpcLink. Expected answers: recorded (facts, aws-recorded section 15)."""

from support import Any, Scenario, replace

BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/pets/0123456789abcdef"


class VpcLinks(Scenario):
    def test_create_get_list_patch_and_delete(self):
        made = self.aws.create_vpc_link(name="inside", targetArns=[BALANCER])
        link = made["id"]
        pending = {"id": Any(str), "name": "inside", "status": "PENDING", "targetArns": [BALANCER]}
        self.says(made, 202, **pending)
        self.says(
            self.aws.get_vpc_link(vpcLinkId=link),
            200,
            **{**pending, "status": "AVAILABLE"},
            statusMessage="Your vpc link is ready for use",
            tags={},
        )
        answer = self.aws.update_vpc_link(vpcLinkId=link, patchOperations=replace("/name", "renamed"))
        self.shows(answer, name="renamed", tags={})
        more = [self.aws.create_vpc_link(name=name, targetArns=[BALANCER])["id"] for name in "ab"]
        listed = self.pages(self.aws.get_vpc_links, 2)
        self.assertEqual(sorted([link, *more]), sorted(it["id"] for it in listed))
        for item in listed:
            self.assertNotIn("tags", item)
        for made in (link, *more):
            self.says(self.aws.delete_vpc_link(vpcLinkId=made), 202)
        self.not_found(self.aws.get_vpc_link, "Invalid Vpc Link identifier specified", vpcLinkId=link)

    def test_refusals(self):
        self.bad_request(self.aws.create_vpc_link, "Name cannot be empty", name="", targetArns=[BALANCER])
        self.bad_request(
            self.aws.create_vpc_link, "Invalid ARN. ARN is not well formed x", name="n", targetArns=["x"]
        )
