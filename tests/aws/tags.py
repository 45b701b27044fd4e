"""Tags of everything that can have them (facts, control-plane section 7)."""

from support import REGION, Scenario


class Tags(Scenario):
    def arn(self, path):
        return f"arn:aws:apigateway:{REGION}::{path}"

    def come_and_go(self, arn):
        self.says(self.aws.tag_resource(resourceArn=arn, tags={"team": "pets", "blank space": "ä/b c"}), 204)
        self.says(self.aws.tag_resource(resourceArn=arn, tags={"team": "toys", "third": "3"}), 204)
        self.shows(
            self.aws.get_tags(resourceArn=arn), tags={"team": "toys", "blank space": "ä/b c", "third": "3"}
        )
        self.says(self.aws.untag_resource(resourceArn=arn, tagKeys=["third", "blank space"]), 204)
        self.shows(self.aws.get_tags(resourceArn=arn), tags={"team": "toys"})

    def test_of_apis_and_stages(self):
        api = self.api()
        self.come_and_go(self.arn(f"/restapis/{api['id']}"))
        self.shows(self.aws.get_rest_api(restApiId=api["id"]), tags={"team": "toys"})
        self.mock(api, "{}")
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        self.come_and_go(self.arn(f"/restapis/{api['id']}/stages/v1"))
        self.shows(self.aws.get_stage(restApiId=api["id"], stageName="v1"), tags={"team": "toys"})

    def test_of_keys_plans_certificates_domains_and_links(self):
        key = self.aws.create_api_key()["id"]
        self.addCleanup(self.aws.delete_api_key, apiKey=key)
        self.come_and_go(self.arn(f"/apikeys/{key}"))
        plan = self.aws.create_usage_plan(name="tagged")["id"]
        self.addCleanup(self.aws.delete_usage_plan, usagePlanId=plan)
        self.come_and_go(self.arn(f"/usageplans/{plan}"))
        certificate = self.aws.generate_client_certificate()["clientCertificateId"]
        self.addCleanup(self.aws.delete_client_certificate, clientCertificateId=certificate)
        self.come_and_go(self.arn(f"/clientcertificates/{certificate}"))
        link = self.aws.create_vpc_link(
            name="tagged",
            targetArns=[f"arn:aws:elasticloadbalancing:{REGION}:123456789012:loadbalancer/net/x/0123456789abcdef"],
        )["id"]
        self.addCleanup(self.aws.delete_vpc_link, vpcLinkId=link)
        self.come_and_go(self.arn(f"/vpclinks/{link}"))
        self.aws.create_domain_name(
            domainName="tags.example.com",
            regionalCertificateArn=f"arn:aws:acm:{REGION}:123456789012:certificate/1",
            endpointConfiguration={"types": ["REGIONAL"]},
        )
        self.addCleanup(self.aws.delete_domain_name, domainName="tags.example.com")
        self.come_and_go(self.arn("/domainnames/tags.example.com"))

    def test_of_nothing(self):
        with self.assertRaises(self.aws.exceptions.NotFoundException):
            self.aws.get_tags(resourceArn=self.arn("/restapis/zzzzzzzzzz"))
        with self.assertRaises(self.aws.exceptions.BadRequestException):
            self.aws.get_tags(resourceArn="no arn at all")
