"""Who may call: every call is signed, by a known key, in time, for this region (facts, security section 2)."""

import datetime
import http.client
import json
import os
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support import ADMIN, PATIENCE_S, REGION, Scenario, client

KEYS = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])


def send(method, path, headers, body=b""):
    """A request to the admin port; gives status, headers and the JSON body."""
    address = urllib.parse.urlsplit(ADMIN)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, answer.headers, json.loads(text) if text else None
    finally:
        connection.close()


class AtAnotherTime(SigV4Auth):
    """A client whose clock is wrong by `offset`."""

    offset = datetime.timedelta()

    def add_auth(self, request):
        now = datetime.datetime.now(datetime.timezone.utc) + self.offset
        request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        self._modify_request_before_signing(request)
        canonical = self.canonical_request(request)
        to_sign = self.string_to_sign(request, canonical)
        self._inject_signature_to_request(request, self.signature(to_sign, request))


def signed(method, path, body=b"", offset=0, region=REGION, service="apigateway", content_type="application/json"):
    """Headers of a signed request; `offset` is how many seconds the client's clock is wrong by."""
    headers = {"Content-Type": content_type} if content_type else {}
    request = AWSRequest(method, ADMIN + path, data=body, headers=headers)
    signer = AtAnotherTime(KEYS, service, region)
    signer.offset = datetime.timedelta(seconds=offset)
    signer.add_auth(request)
    return dict(request.headers.items())


class Security(Scenario):
    def forbidden(self, answer, kind, words):
        status, headers, body = answer
        self.assertEqual((403, kind), (status, headers["x-amzn-ErrorType"]), body)
        self.assertIn(words, body["message"])
        self.assertTrue(headers["x-amzn-RequestId"])

    def test_a_good_signature_is_let_in(self):
        status, headers, body = send("GET", "/restapis", signed("GET", "/restapis"))
        self.assertEqual((200, "application/json"), (status, headers["Content-Type"]))
        self.assertEqual([], body["item"])

    def test_unsigned(self):
        answer = send("GET", "/restapis", {})
        self.forbidden(answer, "MissingAuthenticationTokenException", "Missing Authentication Token")

    def test_an_unknown_key(self):
        stranger = client(aws_access_key_id="stranger", aws_secret_access_key="test")
        self.refused(
            stranger.get_rest_apis,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            403,
        )

    def test_a_wrong_secret(self):
        liar = client(aws_access_key_id="test", aws_secret_access_key="wrong")
        with self.assertRaises(liar.exceptions.ClientError) as refusal:
            liar.create_rest_api(name="never")
        error = refusal.exception.response
        self.assertEqual(403, error["ResponseMetadata"]["HTTPStatusCode"])
        self.assertIn(error["Error"]["Code"], ("InvalidSignatureException", "SignatureDoesNotMatch"))
        self.assertIn("The request signature we calculated does not match", error["Error"]["Message"])
        self.assertEqual([], self.aws.get_rest_apis()["items"])

    def test_clocks_may_be_wrong_by_five_minutes(self):
        for offset in (-200, 200):
            self.assertEqual(200, send("GET", "/restapis", signed("GET", "/restapis", offset=offset))[0])
        for offset, words in ((-3600, "Signature expired"), (3600, "Signature not yet current")):
            answer = send("GET", "/restapis", signed("GET", "/restapis", offset=offset))
            self.forbidden(answer, "InvalidSignatureException", words)

    def test_what_was_signed_is_what_is_done(self):
        body = b'{"name": "mine"}'
        headers = signed("POST", "/restapis", body)
        not_matching = ("InvalidSignatureException", "The request signature we calculated does not match")
        self.forbidden(send("POST", "/restapis", headers, body.replace(b"mine", b"evil")), *not_matching)
        self.forbidden(send("POST", "/restapis?mode=import", headers, body), *not_matching)
        self.forbidden(send("DELETE", "/restapis", headers, body), *not_matching)
        self.assertEqual([], self.aws.get_rest_apis()["items"])

    def test_region_and_service_are_signed_for(self):
        for headers in (signed("GET", "/restapis", region="eu-west-1"), signed("GET", "/restapis", service="s3")):
            answer = send("GET", "/restapis", headers)
            self.forbidden(answer, "InvalidSignatureException", "Credential should be scoped")

    def test_what_is_no_signature(self):
        for header in ("Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=, Signature="):
            answer = send("GET", "/restapis", {"Authorization": header})
            self.forbidden(answer, "IncompleteSignatureException", "Authorization header")

    def test_health_and_metrics_need_no_signature(self):
        self.assertEqual(200, send("GET", "/healthz", {})[0])
        address = urllib.parse.urlsplit(ADMIN)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE_S)
        connection.request("GET", "/metrics")
        self.assertEqual(200, connection.getresponse().status)
        connection.close()

    def test_operations_of_its_own_need_one(self):
        for path in ("/_ringway/status", "/_ringway/backup"):
            self.forbidden(send("GET", path, {}), "MissingAuthenticationTokenException", "Missing Authentication Token")
