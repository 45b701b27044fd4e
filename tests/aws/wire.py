"""HTTP as clients speak it to the admin port: connections, bodies, methods, labels, media types."""

import concurrent.futures
import gzip
import http.client
import json
import socket
import urllib.parse

from security import send, signed
from support import ADMIN, PATIENCE_S, REGION, Scenario, ask, document

ADDRESS = urllib.parse.urlsplit(ADMIN)


def connect():
    return http.client.HTTPConnection(ADDRESS.hostname, ADDRESS.port, timeout=PATIENCE_S)


class Wire(Scenario):
    def made(self, body):
        """Deletes the API that a raw answer tells of when the test ends."""
        self.addCleanup(self.aws.delete_rest_api, restApiId=body["id"])
        return body

    def test_a_connection_takes_many_calls(self):
        connection = connect()
        connection.connect()
        kept = connection.sock
        for _ in range(3):
            connection.request("GET", "/account", headers=signed("GET", "/account"))
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(200, answer.status)
            connection.request("GET", "/nothing", headers=signed("GET", "/nothing"))
            answer = connection.getresponse()
            answer.read()
            self.assertEqual((404, "UnknownOperationException"), (answer.status, answer.headers["x-amzn-ErrorType"]))
        self.assertIs(kept, connection.sock)
        connection.close()

    def test_calls_may_be_pipelined(self):
        request = self.head("GET", "/restapis", signed("GET", "/restapis"))
        with socket.create_connection((ADDRESS.hostname, ADDRESS.port), PATIENCE_S) as connection:
            connection.sendall(request * 3)
            answers = b""
            # Each ends with its body.
            while answers.count(b'{"item":[]}') < 3:
                piece = connection.recv(65536)
                self.assertTrue(piece, answers)
                answers += piece
        self.assertEqual(3, answers.count(b"HTTP/1.1 200 OK\r\n"), answers)

    def head(self, method, path, headers):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {ADDRESS.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def test_a_body_may_wait_for_100_continue(self):
        body = document({"/pets": "[]"}, title="waits")
        path = "/restapis?mode=import"
        headers = {**signed("POST", path, body), "Expect": "100-continue", "Content-Length": len(body)}
        with socket.create_connection((ADDRESS.hostname, ADDRESS.port), PATIENCE_S) as connection:
            connection.sendall(self.head("POST", path, headers))
            reader = connection.makefile("rb")
            # Not a byte of the body has been sent.
            self.assertEqual(b"HTTP/1.1 100 Continue\r\n", reader.readline())
            self.assertEqual(b"\r\n", reader.readline())
            connection.sendall(body)
            answer = http.client.HTTPResponse(connection)
            answer.fp = reader
            answer.begin()
            self.assertEqual(201, answer.status)
            self.made(json.loads(answer.read()))

    def test_a_body_may_come_in_chunks(self):
        body = document({"/pets": "[]"}, title="chunked")
        path = "/restapis?mode=import"
        headers = {**signed("POST", path, body), "Transfer-Encoding": "chunked"}
        connection = connect()
        pieces = iter([body[:10], body[10:11], body[11:]])
        connection.request("POST", path, pieces, headers, encode_chunked=True)
        answer = connection.getresponse()
        self.assertEqual(201, answer.status)
        self.made(json.loads(answer.read()))
        connection.close()

    def test_a_body_needs_no_content_type(self):
        body = b'{"name": "untyped"}'
        headers = signed("POST", "/restapis", body, content_type=None)
        self.assertNotIn("Content-Type", headers)
        status, headers, answer = send("POST", "/restapis", headers, body)
        self.assertEqual((201, "application/json"), (status, headers["Content-Type"]))
        self.made(answer)

    def test_answers_of_nothing_have_no_body(self):
        api = self.api()
        self.aws.create_request_validator(restApiId=api["id"], name="x")
        path = f"/tags/{urllib.parse.quote(f'arn:aws:apigateway:{REGION}::/restapis/' + api['id'], safe='')}"
        body = b'{"tags": {"a": "b"}}'
        connection = connect()
        connection.request("PUT", path, body, signed("PUT", path, body))
        answer = connection.getresponse()
        self.assertEqual((204, b"", None), (answer.status, answer.read(), answer.headers["Content-Type"]))
        self.assertIsNone(answer.headers["Transfer-Encoding"])
        connection.close()

    def test_labels_are_percent_encoded(self):
        api = self.api()["id"]
        name = "of blank, slash/and ä"
        # AWS takes letters and digits only; what is not there is told as it was meant.
        self.not_found(
            self.aws.get_model, f"Invalid model name specified: {name}", restApiId=api, modelName=name
        )
        arn = f"arn:aws:apigateway:{REGION}::/restapis/{api}"
        self.aws.tag_resource(resourceArn=arn, tags={"of blank & ä": "x=y&z", "+": "%2B"})
        self.shows(self.aws.get_tags(resourceArn=arn), tags={"of blank & ä": "x=y&z", "+": "%2B"})
        self.aws.untag_resource(resourceArn=arn, tagKeys=["of blank & ä"])
        self.shows(self.aws.get_tags(resourceArn=arn), tags={"+": "%2B"})
        self.aws.untag_resource(resourceArn=arn, tagKeys=["+"])
        self.shows(self.aws.get_tags(resourceArn=arn), tags={})

    def test_other_methods_are_refused_and_hang_nobody(self):
        for method in ("OPTIONS", "HEAD", "TRACE", "PUT", "LINK"):
            connection = connect()
            connection.request(method, "/restapis", headers=signed(method, "/restapis"))
            answer = connection.getresponse()
            body = answer.read()
            self.assertEqual((404, "UnknownOperationException"), (answer.status, answer.headers["x-amzn-ErrorType"]))
            if method == "HEAD":
                self.assertEqual(b"", body)
            else:
                self.assertIn(method, json.loads(body)["message"])
            # The connection is still good.
            connection.request("GET", "/restapis", headers=signed("GET", "/restapis"))
            self.assertEqual(200, connection.getresponse().status)
            connection.close()

    def test_bodies_that_are_none(self):
        for body, kind in (
            (b"{", "SerializationException"),
            (b"[]", "SerializationException"),
            (b'"x"', "SerializationException"),
            (b"\xff\xfe", "SerializationException"),
            (b"", "ValidationException"),
        ):
            status, headers, answer = send("POST", "/restapis", signed("POST", "/restapis", body), body)
            self.assertEqual((400, kind), (status, headers["x-amzn-ErrorType"]), (body, answer))

    def test_types_of_members_are_checked(self):
        body = b'{"type": "MOCK", "requestParameters": {"integration.request.header.X": true}}'
        labels = self.method(self.api())
        path = f"/restapis/{labels['restApiId']}/resources/{labels['resourceId']}/methods/GET/integration"
        status, headers, answer = send("PUT", path, signed("PUT", path, body), body)
        self.assertEqual((400, "SerializationException"), (status, headers["x-amzn-ErrorType"]))
        self.assertEqual("class java.lang.Boolean can not be converted to an String", answer["message"])

    def test_a_body_that_is_too_large(self):
        body = b'{"name": "' + b"x" * (11 << 20) + b'"}'
        headers = signed("POST", "/restapis", body)
        try:
            status, answer_headers, answer = send("POST", "/restapis", headers, body)
        except (ConnectionResetError, BrokenPipeError):
            self.fail("the connection was cut instead of answered")
        self.assertEqual((400, "BadRequestException"), (status, answer_headers["x-amzn-ErrorType"]))
        self.assertIn("more than 10485760 bytes", answer["message"])

    def test_answers_may_be_asked_for_compressed(self):
        headers = {**signed("GET", "/restapis"), "Accept-Encoding": "gzip"}
        connection = connect()
        connection.request("GET", "/restapis", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.assertEqual({"item"}, set(json.loads(body)))
        connection.close()

    def test_large_definitions_go_through(self):
        api = self.aws.import_rest_api(body=document({f"/pets{number}": "[]" for number in range(400)}))
        self.addCleanup(self.aws.delete_rest_api, restApiId=api["id"])
        listed = self.pages(self.aws.get_resources, 150, restApiId=api["id"])
        self.assertEqual(401, len(listed))
        self.aws.create_deployment(restApiId=api["id"], stageName="v1")
        self.assertEqual((200, "[]"), ask(api["id"], "v1", "/pets399"))

    def test_text_is_utf_8_throughout(self):
        for name in ("Ä\u00a0ö", "日本語", "\U0001f436", 'quote " backslash \\'):
            api = self.api(name)
            self.assertEqual(name, api["name"])
            self.shows(self.aws.get_rest_api(restApiId=api["id"]), name=name)

    def test_changes_at_once_are_carried_out_one_after_the_other(self):
        api = self.api()
        names = [f"part{number}" for number in range(5)]

        def create_all():
            """Which of the names this one got."""
            mine = []
            for name in names:
                try:
                    self.aws.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart=name)
                    mine.append(name)
                except self.aws.exceptions.ConflictException:
                    pass
            return mine

        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            made = [threads.submit(create_all) for _ in range(4)]
            made = [name for one in made for name in one.result()]
        self.assertEqual(names, sorted(made))
        self.assertEqual(1 + len(names), len(self.aws.get_resources(restApiId=api["id"])["items"]))
