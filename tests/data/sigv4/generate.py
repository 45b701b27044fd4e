#!/usr/bin/env python3
"""Signs requests with botocore, the signer of boto3 and the AWS CLI, and writes cases.json.

    pip install botocore && tests/data/sigv4/generate.py

Each case is one request as it goes over the wire, with the time it was signed at. The seed is fixed:
the same botocore writes the same file.
"""

import datetime
import hashlib
import json
import pathlib
import random
from unittest import mock
from urllib.parse import quote, unquote, urlsplit

import botocore
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEYS = [
    ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None),
    ("test", "test", None),
    ("ASIAEXAMPLE", "abc/def+ghi=", "IQoJb3JpZ2luX2VjEJ//////////wEaCXVzLWVhc3QtMSJHMEUCIQD+x=="),
]
PATHS = [
    "/", "", "/restapis", "/restapis/", "//restapis", "/restapis//abc/./resources/../stages/", "/a/.", "/a/..",
    "/../../a", "/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fid", "/domainnames/x.example/basepathmappings/%28none%29",
    "/restapis/a/gatewayresponses/DEFAULT_4XX", "/a%20b", "/a%2520b", "/%E1%88%B4", "/%C3%BC/%F0%9F%8C%8D", "/a+b", "/a*b",
    "/~user/-_.", "/a:b@c!$&'()*+,;=", "/a%2Fb", "/%25", "/a%2e%2e/b", "/" + "x" * 300, "/v1/pets/{id}".replace("{id}", "%7Bid%7D"),
    "/_aws/execute-api/a1b2c3/v1/pets", "/...", "/.a/..b/c..", "/a/b/c/../../d", "/a;v=1/b,c",
]
QUERIES = [
    [], [("limit", "500")], [("limit", "25"), ("position", "abc==")], [("mode", "overwrite"), ("failonwarnings", "true")],
    [("b", "2"), ("a", "1")], [("a", "2"), ("a", "1"), ("a", "")], [("a-b", "1"), ("a", "1"), ("a.b", "1"), ("a_b", "1"), ("A", "1")],
    [("k", "a b+c&d=e%f")], [("ключ", "значение"), ("ü", "🌍")], [("empty", "")], [("", "v")], [("q", "/?:@!$'()*,;[]")],
    [("tilde", "~-._")], [("tagKeys", "a"), ("tagKeys", "b"), ("tagKeys", "B")], [("x", "%2F"), ("x", "%20")],
    [(f"p{i}", str(i * 7919 % 101)) for i in range(60)], [("nl", "a\nb\tc\r")], [("X-Amz-Foo", "1"), ("x-amz-foo", "2")],
]
HEADERS = [
    [], [("Accept", "application/json")], [("Content-Type", "application/json"), ("Accept", "*/*")],
    [("My-Header1", "  value1  "), ("My-Header2", '  "a   b   c"  ')], [("X-Multi", "b"), ("x-multi", "a"), ("X-MULTI", "")],
    [("X-Tab", "a\t\tb \t c")], [("X-Empty", "")], [("User-Agent", "aws-cli/2 x"), ("Connection", "keep-alive")],
    [("X-Amzn-Trace-Id", "Root=1-2-3"), ("Expect", "100-continue")], [("X-Amz-Target", "A.B"), ("x-amz-meta", "1,2")],
    [("X-Unicode", "grüße 🌍")], [("Zulu", "z"), ("alpha", "a"), ("Alpha-2", "b"), ("alpha_3", "c")], [("X-Long", "v " * 400)],
    [("amz-sdk-invocation-id", "b2c6"), ("amz-sdk-request", "attempt=1")],
]
BODIES = [b"", b"{}", b'{"name":"Petstore","tags":{"a":"\xc3\xbc"}}', bytes(range(256)), b"openapi: 3.0.1\n" * 20]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
SERVICES = ["apigateway", "apigateway", "apigateway", "execute-api", "service", "s3"]
REGIONS = ["us-east-1", "eu-central-1", "local"]
HOSTS = ["127.0.0.1:9080", "localhost:9080", "apigateway.us-east-1.amazonaws.com", "[::1]:9080", "a1b2c3.execute-api.localhost:8080"]


def signed(rng, index, path, query, headers, body, kind):
    key_id, secret, token = KEYS[index % len(KEYS)]
    service = SERVICES[index % len(SERVICES)] if kind != "date" else "apigateway"
    if service == "s3":
        # S3's signer takes the path as it is; boto3 has escaped it in this way before.
        path = quote(unquote(path) or "/", safe="/-_.~")
    region = REGIONS[index % len(REGIONS)]
    method = rng.choice(METHODS)
    host = HOSTS[index % len(HOSTS)]
    at = datetime.datetime(2015 + rng.randrange(20), rng.randint(1, 12), rng.randint(1, 28), rng.randrange(24), rng.randrange(60),
                           rng.randrange(60), tzinfo=datetime.timezone.utc)
    url = f"http://{host}{path}"
    if query:
        url += "?" + "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in query)
    request = AWSRequest(method=method, url=url, data=body)
    request.headers.add_header("Host", host)
    for name, value in headers:
        request.headers.add_header(name, value)
    credentials = Credentials(key_id, secret, token)
    if kind == "hash":
        request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
    if kind == "date":
        request.headers["Date"] = "to be replaced"
    expires = rng.choice([1, 60, 3600, 604800])
    if kind == "presigned":
        request.data = body = b""
        signer = (S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth)(credentials, service, region, expires)
    else:
        signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, region)
    with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: at), \
            mock.patch("botocore.auth.formatdate", lambda *_, **__: at.strftime("%a, %d %b %Y %H:%M:%S GMT")):
        signer.add_auth(request)
    parts = urlsplit(request.url)
    case = {
        "service": service, "region": region, "time": int(at.timestamp()), "key": [key_id, secret, token],
        "method": method, "path": parts.path, "query": parts.query, "headers": list(request.headers.items()),
    }
    if body:
        case["body"] = body.hex()
    if kind == "presigned":
        case["expires"] = expires
    return case


def main():
    rng = random.Random(4)
    cases = []

    def add(path, query, headers, body, kind="header"):
        cases.append(signed(rng, len(cases), path, query, headers, body, kind))

    for path in PATHS:
        for kind in ["header", "presigned"]:
            add(path, rng.choice(QUERIES), rng.choice(HEADERS), rng.choice(BODIES), kind)
    for query in QUERIES:
        add(rng.choice(PATHS), query, rng.choice(HEADERS), rng.choice(BODIES))
        # botocore keeps one value of a repeated name when it presigns.
        add(rng.choice(PATHS), query, [], b"", "presigned")
    for headers in HEADERS:
        for kind in ["header", "hash", "date"]:
            add(rng.choice(PATHS), rng.choice(QUERIES), headers, rng.choice(BODIES), kind)
    while len(cases) < 300:
        kind = rng.choice(["header", "header", "hash", "date", "presigned"])
        add(rng.choice(PATHS), rng.choice(QUERIES), rng.choice(HEADERS), rng.choice(BODIES), kind)
    out = pathlib.Path(__file__).parent / "cases.json"
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    out.write_text(f'{{"botocore": "{botocore.__version__}", "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
