"""DomainName, BasePathMapping and access associations, with traffic by Host (facts, security section 9)."""

import http.client
import urllib.parse

from support import PATIENCE_S, REGION, TRAFFIC, Scenario, patch, replace

CERTIFICATE = f"arn:aws:acm:{REGION}:123456789012:certificate/12345678-1234-1234-1234-123456789012"


def ask_host(host, path):
    """A request to a custom domain name; gives status and text."""
    address = urllib.parse.urlsplit(TRAFFIC)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


class DomainNames(Scenario):
    def domain(self, name):
        made = self.aws.create_domain_name(
            domainName=name,
            regionalCertificateArn=CERTIFICATE,
            endpointConfiguration={"types": ["REGIONAL"]},
            securityPolicy="TLS_1_2",
        )
        self.addCleanup(self.aws.delete_domain_name, domainName=name)
        return made

    def stage(self, body):
        api = self.api()
        self.mock(api, body)
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        return api["id"]

    def test_create_get_list_patch_and_delete(self):
        name = "crud.example.com"
        made = self.aws.create_domain_name(
            domainName=name,
            regionalCertificateArn=CERTIFICATE,
            endpointConfiguration={"types": ["REGIONAL"]},
            tags={"team": "pets"},
        )
        self.assertEqual(201, made["ResponseMetadata"]["HTTPStatusCode"])
        self.shows(
            made,
            domainName=name,
            regionalCertificateArn=CERTIFICATE,
            domainNameStatus="AVAILABLE",
            tags={"team": "pets"},
        )
        self.assertEqual(["REGIONAL"], made["endpointConfiguration"]["types"])
        self.shows(self.aws.get_domain_name(domainName=name), domainName=name)
        answer = self.aws.update_domain_name(
            domainName=name, patchOperations=replace("/securityPolicy", "TLS_1_2")
        )
        self.shows(answer, securityPolicy="TLS_1_2")
        self.domain("second.example.com")
        self.domain("third.example.com")
        listed = [it["domainName"] for it in self.pages(self.aws.get_domain_names, 2)]
        self.assertLessEqual({name, "second.example.com", "third.example.com"}, set(listed))
        self.says(self.aws.delete_domain_name(domainName=name), 202)
        self.not_found(
            self.aws.get_domain_name, "Invalid domain name identifier specified", domainName=name
        )

    def test_base_paths_lead_to_stages(self):
        name = "paths.example.com"
        self.domain(name)
        one, two = self.stage('"one"'), self.stage('"two"')
        answer = self.aws.create_base_path_mapping(domainName=name, restApiId=one, stage="v1", basePath="one")
        self.says(answer, 201, basePath="one", restApiId=one, stage="v1")
        answer = self.aws.create_base_path_mapping(domainName=name, restApiId=two, stage="v1")
        self.says(answer, 201, basePath="(none)", restApiId=two, stage="v1")
        self.assertEqual((200, '"one"'), ask_host(name, "/one"))
        self.assertEqual((200, '"two"'), ask_host(name, "/"))
        labels = {"domainName": name, "basePath": "(none)"}
        self.shows(self.aws.get_base_path_mapping(**labels), restApiId=two)
        listed = self.pages(self.aws.get_base_path_mappings, 1, domainName=name)
        self.assertEqual(["(none)", "one"], sorted(it["basePath"] for it in listed))
        self.conflict(
            self.aws.create_base_path_mapping,
            "Base path already exists for this domain name",
            domainName=name,
            restApiId=one,
            stage="v1",
            basePath="one",
        )
        answer = self.aws.update_base_path_mapping(
            domainName=name, basePath="one", patchOperations=[patch("replace", "/basePath", "uno")]
        )
        self.shows(answer, basePath="uno")
        self.assertEqual((200, '"one"'), ask_host(name, "/uno"))
        self.says(self.aws.delete_base_path_mapping(domainName=name, basePath="uno"), 202)
        self.says(self.aws.delete_base_path_mapping(**labels), 202)
        self.not_found(
            self.aws.get_base_path_mapping, "Invalid base path mapping identifier specified", **labels
        )
        self.assertEqual(403, ask_host(name, "/")[0])

    def test_access_associations(self):
        arn = self.aws.create_domain_name(
            domainName="private.example.com",
            certificateArn=CERTIFICATE,
            endpointConfiguration={"types": ["PRIVATE"]},
        )["domainNameArn"]
        self.addCleanup(
            self.aws.delete_domain_name, domainName="private.example.com", domainNameId=arn.rsplit("+")[-1]
        )
        made = self.aws.create_domain_name_access_association(
            domainNameArn=arn, accessAssociationSourceType="VPCE", accessAssociationSource="vpce-1"
        )
        self.shows(made, domainNameArn=arn, accessAssociationSource="vpce-1", accessAssociationSourceType="VPCE")
        association = made["domainNameAccessAssociationArn"]
        listed = self.aws.get_domain_name_access_associations()["items"]
        self.assertEqual([association], [it["domainNameAccessAssociationArn"] for it in listed])
        answer = self.aws.delete_domain_name_access_association(domainNameAccessAssociationArn=association)
        self.says(answer, 202)
        self.assertEqual([], self.aws.get_domain_name_access_associations()["items"])
