"""Walks every operation of botocore's model of API Gateway, and writes what comes of it.

    walk.py           fails if an operation answers against its model, or docs/compatibility.md says otherwise
    walk.py --write   writes the table of docs/compatibility.md

Each operation is called once, with every required member and those optional ones that `VALUES` has, in an
order in which what it needs is there. An answer has to have the model's HTTP status, and no member that the
model's output shape lacks or has with another type. The operation is then

    carried out
    not offered    it was refused with NotImplementedException (501) and a message that says why

and anything else is a mistake, in the server or in `VALUES`.
"""

import datetime
import json
import pathlib
import sys

from botocore.exceptions import ClientError

from support import REGION, client, document, patch, replace

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "compatibility.md"
BEGIN = "<!-- Written by tests/aws/walk.py: `BLESS=1 cargo test --test aws operation` does it again. -->\n"
END = "<!-- The end of what was written. -->\n"

TODAY = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
CERTIFICATE = f"arn:aws:acm:{REGION}:123456789012:certificate/12345678-1234-1234-1234-123456789012"
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:123456789012:loadbalancer/net/pets/0123456789abcdef"
LAMBDA = (
    f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
    f"arn:aws:lambda:{REGION}:123456789012:function:check/invocations"
)
JSON = "application/json"
PARTS = {
    "x-amazon-apigateway-documentation": {
        "version": "1",
        "createdDate": "2020-01-01T00:00:00Z",
        "documentationParts": [{"location": {"type": "API"}, "properties": {"description": "x"}}],
    }
}

# The groups of the table, and in each the operations in the order in which they are walked. What is deleted
# goes at the very end, in `DELETIONS`.
GROUPS = {
    "REST APIs": "CreateRestApi GetRestApis GetRestApi UpdateRestApi",
    "resources": "CreateResource GetResources GetResource UpdateResource",
    "models": "CreateModel GetModels GetModel UpdateModel GetModelTemplate",
    "request validators": "CreateRequestValidator GetRequestValidators GetRequestValidator UpdateRequestValidator",
    "authorizers": "CreateAuthorizer GetAuthorizers GetAuthorizer UpdateAuthorizer",
    "gateway responses": "PutGatewayResponse GetGatewayResponses GetGatewayResponse UpdateGatewayResponse",
    "methods and their responses": "PutMethod GetMethod UpdateMethod PutMethodResponse GetMethodResponse "
    "UpdateMethodResponse",
    "integrations and their responses": "PutIntegration GetIntegration UpdateIntegration PutIntegrationResponse "
    "GetIntegrationResponse UpdateIntegrationResponse",
    "test invocations": "TestInvokeMethod TestInvokeAuthorizer",
    "documentation": "CreateDocumentationPart GetDocumentationParts GetDocumentationPart UpdateDocumentationPart "
    "ImportDocumentationParts CreateDocumentationVersion GetDocumentationVersions GetDocumentationVersion "
    "UpdateDocumentationVersion",
    "deployments": "CreateDeployment GetDeployments GetDeployment UpdateDeployment",
    "stages": "CreateStage GetStages GetStage UpdateStage FlushStageCache FlushStageAuthorizersCache",
    "OpenAPI documents": "ImportRestApi PutRestApi GetExport",
    "SDKs": "GetSdkTypes GetSdkType GetSdk",
    "account": "GetAccount UpdateAccount",
    "API keys": "CreateApiKey GetApiKeys GetApiKey UpdateApiKey ImportApiKeys",
    "usage plans": "CreateUsagePlan GetUsagePlans GetUsagePlan UpdateUsagePlan CreateUsagePlanKey GetUsagePlanKeys "
    "GetUsagePlanKey GetUsage UpdateUsage",
    "domain names": "CreateDomainName GetDomainNames GetDomainName UpdateDomainName CreateBasePathMapping "
    "GetBasePathMappings GetBasePathMapping UpdateBasePathMapping CreateDomainNameAccessAssociation "
    "GetDomainNameAccessAssociations",
    "client certificates": "GenerateClientCertificate GetClientCertificates GetClientCertificate "
    "UpdateClientCertificate",
    "VPC links": "CreateVpcLink GetVpcLinks GetVpcLink UpdateVpcLink",
    "tags": "TagResource GetTags",
}
DELETIONS = {
    "tags": "UntagResource",
    "VPC links": "DeleteVpcLink",
    "domain names": "RejectDomainNameAccessAssociation DeleteDomainNameAccessAssociation DeleteBasePathMapping "
    "DeleteDomainName",
    "usage plans": "DeleteUsagePlanKey DeleteUsagePlan",
    "API keys": "DeleteApiKey",
    "stages": "DeleteStage",
    "client certificates": "DeleteClientCertificate",
    "deployments": "DeleteDeployment",
    "documentation": "DeleteDocumentationPart DeleteDocumentationVersion",
    "integrations and their responses": "DeleteIntegrationResponse DeleteIntegration",
    "methods and their responses": "DeleteMethodResponse DeleteMethod",
    "gateway responses": "DeleteGatewayResponse",
    "authorizers": "DeleteAuthorizer",
    "request validators": "DeleteRequestValidator",
    "models": "DeleteModel",
    "resources": "DeleteResource",
    "REST APIs": "DeleteRestApi",
}

# What has to be made once more before an operation, because an earlier one took it away.
AGAIN = {"DeleteDomainNameAccessAssociation": "CreateDomainNameAccessAssociation"}


class World:
    """What the walk has made so far."""

    def __init__(self):
        self.ids = {}

    def learn(self, operation, answer):
        """Keeps the ids that later operations need."""
        named = {
            "CreateRestApi": {"restApiId": "id", "parentId": "rootResourceId"},
            "CreateResource": {"resourceId": "id"},
            "CreateRequestValidator": {"requestValidatorId": "id"},
            "CreateAuthorizer": {"authorizerId": "id"},
            "CreateDocumentationPart": {"documentationPartId": "id"},
            "CreateDeployment": {"deploymentId": "id"},
            "CreateApiKey": {"apiKey": "id", "keyId": "id"},
            "CreateUsagePlan": {"usagePlanId": "id"},
            "CreateDomainName": {"domainNameArn": "domainNameArn"},
            "CreateDomainNameAccessAssociation": {
                "domainNameAccessAssociationArn": "domainNameAccessAssociationArn"
            },
            "GenerateClientCertificate": {"clientCertificateId": "clientCertificateId"},
            "CreateVpcLink": {"vpcLinkId": "id"},
        }
        for member, source in named.get(operation, {}).items():
            self.ids[member] = answer[source]

    def value(self, operation, member):
        """A value of an operation's member, or `None`."""
        for values in (VALUES, self.ids):
            for name in (f"{operation}.{member}", member):
                if name in values:
                    made = values[name]
                    return made(self) if callable(made) else made
        return None


# Values of members, of one operation (`Operation.member`) or of all.
VALUES = {
    # Required ones.
    "name": "walk",
    "pathPart": "pets",
    "CreateModel.name": "Pet",
    "modelName": "Pet",
    "contentType": JSON,
    "CreateAuthorizer.type": "TOKEN",
    "PutIntegration.type": "MOCK",
    "responseType": "THROTTLED",
    "httpMethod": "GET",
    "authorizationType": "NONE",
    "statusCode": "200",
    "CreateDocumentationPart.location": {"type": "METHOD", "path": "/pets", "method": "GET"},
    "properties": '{"description": "of pets"}',
    "documentationVersion": "1.0",
    "stageName": "v1",
    "exportType": "oas30",
    "sdkType": "javascript",
    "GetSdkType.id": "javascript",
    "keyType": "API_KEY",
    "format": "csv",
    "ImportApiKeys.body": b"name,key\nimported,0123456789-0123456789-0123456789\n",
    "ImportRestApi.body": document({"/pets": "[]"}),
    "PutRestApi.body": document({"/toys": "[]"}),
    "ImportDocumentationParts.body": document({"/pets": "[]"}, **PARTS),
    "startDate": TODAY,
    "endDate": TODAY,
    "domainName": "walk.example.com",
    "CreateDomainNameAccessAssociation.accessAssociationSourceType": "VPCE",
    "CreateDomainNameAccessAssociation.accessAssociationSource": "vpce-1",
    "basePath": "pets",
    "targetArns": [BALANCER],
    "resourceArn": lambda world: f"arn:aws:apigateway:{REGION}::/restapis/{world.ids['restApiId']}",
    "tags": {"team": "pets"},
    "tagKeys": ["team"],
    # Optional ones, so that answers have much in them.
    "description": "of pets",
    "CreateRestApi.version": "1",
    "CreateRestApi.binaryMediaTypes": ["image/png"],
    "CreateRestApi.minimumCompressionSize": 10,
    "CreateModel.schema": '{"type": "object", "properties": {"name": {"type": "string"}}}',
    "CreateRequestValidator.validateRequestBody": True,
    "CreateAuthorizer.authorizerUri": LAMBDA,
    "CreateAuthorizer.identitySource": "method.request.header.Authorization",
    "CreateAuthorizer.authorizerResultTtlInSeconds": 60,
    "PutGatewayResponse.statusCode": "429",
    "PutGatewayResponse.responseTemplates": {JSON: "{}"},
    "PutMethod.requestParameters": {"method.request.querystring.q": True},
    "PutMethod.requestModels": {JSON: "Pet"},
    "PutMethodResponse.responseParameters": {"method.response.header.X": True},
    "PutMethodResponse.responseModels": {JSON: "Pet"},
    "PutIntegration.requestTemplates": {JSON: '{"statusCode": 200}'},
    "PutIntegration.requestParameters": {"integration.request.header.X": "'x'"},
    "PutIntegrationResponse.responseTemplates": {JSON: "{}"},
    "PutIntegrationResponse.responseParameters": {"method.response.header.X": "'x'"},
    "GetResource.embed": ["methods"],
    "GetResources.embed": ["methods"],
    "GetDeployment.embed": ["apisummary"],
    # A deployment by itself; `CreateStage` serves it.
    "CreateDeployment.stageName": None,
    "CreateStage.variables": {"a": "b"},
    "CreateStage.canarySettings": {"percentTraffic": 10.0, "stageVariableOverrides": {"a": "c"}},
    "CreateDocumentationVersion.stageName": None,
    "GetSdk.parameters": {"serviceName": "x"},
    "GetApiKey.includeValue": True,
    "GetApiKeys.includeValues": True,
    "CreateApiKey.enabled": True,
    "CreateUsagePlan.throttle": {"rateLimit": 2.5, "burstLimit": 3},
    "CreateUsagePlan.quota": {"limit": 10, "period": "DAY"},
    "CreateUsagePlan.apiStages": lambda world: [{"apiId": world.ids["restApiId"], "stage": "v1"}],
    "CreateDomainName.certificateArn": CERTIFICATE,
    "CreateDomainName.endpointConfiguration": {"types": ["PRIVATE"]},
    "CreateBasePathMapping.stage": "v1",
    "domainNameId": lambda world: world.ids["domainNameArn"].rsplit("+", 1)[-1],
    # Patches.
    "UpdateRestApi.patchOperations": replace("/name", "walked"),
    "UpdateResource.patchOperations": replace("/pathPart", "animals"),
    "UpdateModel.patchOperations": replace("/description", "one"),
    "UpdateRequestValidator.patchOperations": replace("/name", "walked"),
    "UpdateAuthorizer.patchOperations": replace("/name", "walked"),
    "UpdateGatewayResponse.patchOperations": replace("/statusCode", "420"),
    "UpdateMethod.patchOperations": replace("/operationName", "walked"),
    "UpdateMethodResponse.patchOperations": replace("/responseModels/application~1json", "Empty"),
    "UpdateIntegration.patchOperations": replace("/timeoutInMillis", "1000"),
    "UpdateIntegrationResponse.patchOperations": replace("/selectionPattern", ""),
    "UpdateDocumentationPart.patchOperations": replace("/properties", "{}"),
    "UpdateDocumentationVersion.patchOperations": replace("/description", "one"),
    "UpdateDeployment.patchOperations": replace("/description", "one"),
    "UpdateStage.patchOperations": [
        *replace("/*/*/throttling/rateLimit", "5"),
        *replace("/accessLogSettings/format", "$context.requestId"),
    ],
    "UpdateAccount.patchOperations": replace("/cloudwatchRoleArn", "arn:aws:iam::123456789012:role/logs"),
    "UpdateApiKey.patchOperations": replace("/name", "walked"),
    # One with stages could not be deleted.
    "UpdateUsagePlan.patchOperations": lambda world: [
        *replace("/name", "walked"),
        patch("remove", "/apiStages", f"{world.ids['restApiId']}:v1"),
    ],
    "UpdateUsage.patchOperations": replace("/remaining", "20"),
    "UpdateDomainName.patchOperations": replace("/securityPolicy", "TLS_1_2"),
    "UpdateBasePathMapping.patchOperations": replace("/stage", "v1"),
    "UpdateClientCertificate.patchOperations": replace("/description", "one"),
    "UpdateVpcLink.patchOperations": replace("/name", "walked"),
}


def mismatches(shape, value, path):
    """What is in a JSON value and not in its shape, or has another type."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return [f"{path} is no object: {value!r}"]
        members = {it.serialization.get("name", name): it for name, it in shape.members.items()}
        found = []
        for name, it in value.items():
            if name not in members:
                found.append(f"{path}.{name} is not in the model")
            else:
                found += mismatches(members[name], it, f"{path}.{name}")
        return found
    if kind == "map":
        if not isinstance(value, dict):
            return [f"{path} is no map: {value!r}"]
        return [one for key, it in value.items() for one in mismatches(shape.value, it, f"{path}[{key}]")]
    if kind == "list":
        if not isinstance(value, list):
            return [f"{path} is no list: {value!r}"]
        return [one for at, it in enumerate(value) for one in mismatches(shape.member, it, f"{path}[{at}]")]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": number and isinstance(value, int),
        "long": number and isinstance(value, int),
        "double": number,
        "float": number,
        # REST-JSON: seconds since 1970.
        "timestamp": number,
    }[kind]
    if not fits:
        return [f"{path} is no {kind}: {value!r}"]
    allowed = getattr(shape, "enum", None)
    if allowed and value not in allowed:
        return [f"{path} is {value!r}, and has to be one of {allowed}"]
    return []


class Walk:
    def __init__(self):
        self.aws = client()
        self.model = self.aws.meta.service_model
        self.world = World()
        self.raw = None
        self.aws.meta.events.register("before-parse.apigateway.*", self.keep)
        # Why an operation is not offered; `None`: it was carried out.
        self.outcomes, self.mistakes = {}, []

    def keep(self, response_dict, **_):
        self.raw = response_dict

    def arguments(self, operation):
        made = {}
        shape = operation.input_shape
        for member in shape.members if shape else ():
            value = self.world.value(operation.name, member)
            if value is not None:
                made[member] = value
            elif member in shape.required_members:
                self.mistakes.append(f"{operation.name}: VALUES has no {member}")
        return made

    def step(self, name):
        operation = self.model.operation_model(name)
        arguments = self.arguments(operation)
        self.raw = None
        try:
            answer = self.call(name, arguments)
        except ClientError as error:
            self.refused(name, arguments, error.response)
            return
        self.world.learn(name, answer)
        self.outcomes[name] = None
        self.check(operation, answer)

    def call(self, name, arguments):
        methods = self.aws.meta.method_to_api_mapping
        method = next(method for method, api_name in methods.items() if api_name == name)
        return getattr(self.aws, method)(**arguments)

    def refused(self, name, arguments, error):
        status = error["ResponseMetadata"]["HTTPStatusCode"]
        code, message = error["Error"]["Code"], error["Error"]["Message"]
        if (status, code) == (501, "NotImplementedException"):
            self.outcomes[name] = message
        else:
            self.mistakes.append(f"{name}({arguments}): {status} {code}: {message}")

    def check(self, operation, answer):
        name = operation.name
        want = operation.http.get("responseCode", 200)
        if self.raw["status_code"] != want:
            self.mistakes.append(f"{name}: status {self.raw['status_code']}, the model has {want}")
        shape, body = operation.output_shape, self.raw["body"]
        if shape is None:
            if body:
                self.mistakes.append(f"{name}: a body where the model has none: {body!r}")
        elif shape.serialization.get("payload"):
            for member in ("contentType", "contentDisposition"):
                if not answer.get(member):
                    self.mistakes.append(f"{name}: no {member}")
            if not answer[shape.serialization["payload"]].read():
                self.mistakes.append(f"{name}: an empty body")
        else:
            self.mistakes += mismatches(shape, json.loads(body), name)

    def run(self):
        walked = []
        for groups in (GROUPS, DELETIONS):
            for names in groups.values():
                for name in names.split():
                    walked.append(name)
                    if name in AGAIN:
                        self.step(AGAIN[name])
                    self.step(name)
        modelled = set(self.model.operation_names)
        self.mistakes += [f"{name} is in botocore's model, and not walked" for name in modelled - set(walked)]
        self.mistakes += [f"{name} is walked twice" for name in set(walked) if walked.count(name) > 1]


def table(outcomes):
    """The generated part of the page."""
    lines = ["| kind | carried out | not offered, and what the answer says |", "|---|---|---|"]
    for group, names in GROUPS.items():
        names = names.split() + DELETIONS.get(group, "").split()
        carried_out = ", ".join(name for name in names if outcomes[name] is None)
        refused = "; ".join(f"{name}: {outcomes[name]}" for name in names if outcomes[name] is not None)
        lines.append(f"| {group} | {carried_out} | {refused} |")
    refused = sum(why is not None for why in outcomes.values())
    count = len(outcomes)
    lines.append(f"\n{count} operations: {count - refused} are carried out, {refused} are not offered.")
    return "\n".join(lines) + "\n"


def main():
    walk = Walk()
    walk.run()
    if walk.mistakes:
        sys.exit("\n".join(walk.mistakes))
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    committed, after = rest.split(END)
    found = table(walk.outcomes)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(before + BEGIN + found + END + after)
    elif committed != found:
        sys.exit(f"{PAGE} differs from what was found (walk.py --write writes it):\n{found}")
    print(found)


if __name__ == "__main__":
    main()
