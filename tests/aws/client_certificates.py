"""ClientCertificate: generated, so that a backend can tell who calls (facts, control-plane section 5)."""

import datetime
import ssl

from support import Any, Scenario, an_id, patch, replace


class ClientCertificates(Scenario):
    def test_generate_get_list_patch_and_delete(self):
        made = self.aws.generate_client_certificate(description="for the backend", tags={"team": "pets"})
        self.says(
            made,
            201,
            clientCertificateId=an_id(6),
            description="for the backend",
            pemEncodedCertificate=Any(str),
            createdDate=Any(datetime.datetime),
            expirationDate=Any(datetime.datetime),
            tags={"team": "pets"},
        )
        # It is one.
        self.assertTrue(ssl.PEM_cert_to_DER_cert(made["pemEncodedCertificate"].strip() + "\n"))
        self.assertGreater(made["expirationDate"], made["createdDate"])
        labels = {"clientCertificateId": made["clientCertificateId"]}
        got = self.aws.get_client_certificate(**labels)
        self.shows(got, pemEncodedCertificate=made["pemEncodedCertificate"], description="for the backend")
        answer = self.aws.update_client_certificate(
            **labels, patchOperations=replace("/description", "for another")
        )
        self.shows(answer, description="for another")
        with self.assertRaises(self.aws.exceptions.BadRequestException):
            self.aws.update_client_certificate(**labels, patchOperations=[patch("replace", "/wrong", "x")])
        more = [self.aws.generate_client_certificate()["clientCertificateId"] for _ in range(2)]
        listed = [it["clientCertificateId"] for it in self.pages(self.aws.get_client_certificates, 2)]
        self.assertEqual(sorted([labels["clientCertificateId"], *more]), sorted(listed))
        for certificate in (labels["clientCertificateId"], *more):
            self.says(self.aws.delete_client_certificate(clientCertificateId=certificate), 202)
        with self.assertRaises(self.aws.exceptions.NotFoundException):
            self.aws.get_client_certificate(**labels)

    def test_a_stage_uses_one(self):
        certificate = self.aws.generate_client_certificate()["clientCertificateId"]
        api = self.api()
        self.mock(api, "{}")
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        answer = self.aws.update_stage(
            restApiId=api["id"], stageName="v1", patchOperations=replace("/clientCertificateId", certificate)
        )
        self.shows(answer, clientCertificateId=certificate)
        self.aws.delete_stage(restApiId=api["id"], stageName="v1")
        self.says(self.aws.delete_client_certificate(clientCertificateId=certificate), 202)
