// The JS SDK: import a document, deploy it, ask, export it, page through lists, errors, raw bodies.
import assert from "node:assert/strict";
import http from "node:http";
import {
  APIGatewayClient,
  CreateDeploymentCommand,
  CreateRestApiCommand,
  DeleteRestApiCommand,
  GetExportCommand,
  GetResourcesCommand,
  GetRestApiCommand,
  GetStageCommand,
  GetTagsCommand,
  ImportApiKeysCommand,
  ImportRestApiCommand,
  DeleteApiKeyCommand,
  PutRestApiCommand,
  TagResourceCommand,
  UpdateRestApiCommand,
  UpdateStageCommand,
  paginateGetRestApis,
} from "@aws-sdk/client-api-gateway";

const aws = new APIGatewayClient({ maxAttempts: 1 });
const traffic = new URL(process.env.RINGWAY_URL);

function ask(api, stage, path) {
  const options = { host: traffic.hostname, port: traffic.port, path: `/${stage}${path}` };
  options.headers = { Host: `${api}.execute-api.localhost` };
  return new Promise((resolve, reject) => {
    const request = http.get(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece) => (text += piece));
      answer.on("end", () => resolve([answer.statusCode, text]));
    });
    request.on("error", reject);
  });
}

function definition(path, body) {
  const integration = {
    type: "mock",
    requestTemplates: { "application/json": '{"statusCode": 200}' },
    responses: { default: { statusCode: "200", responseTemplates: { "application/json": body } } },
  };
  const get = { responses: { 200: {} }, "x-amazon-apigateway-integration": integration };
  return JSON.stringify({
    openapi: "3.0.1",
    info: { title: "from JS", version: "1.0" },
    paths: { [path]: { get } },
  });
}

// A raw body up, and another.
const api = await aws.send(new ImportRestApiCommand({ body: Buffer.from(definition("/pets", '["Rex"]')) }));
assert.equal(api.name, "from JS");
assert.equal(api.$metadata.httpStatusCode, 201);
assert.ok(api.createdDate instanceof Date && Math.abs(Date.now() - api.createdDate) < 600_000);
const restApiId = api.id;
const deployment = await aws.send(new CreateDeploymentCommand({ restApiId, stageName: "v1" }));
assert.deepEqual(await ask(restApiId, "v1", "/pets"), [200, '["Rex"]']);
const put = { restApiId, mode: "overwrite", body: definition("/pets", '["Tom"]') };
assert.equal((await aws.send(new PutRestApiCommand(put))).id, restApiId);
await aws.send(new CreateDeploymentCommand({ restApiId, stageName: "v1" }));
assert.deepEqual(await ask(restApiId, "v1", "/pets"), [200, '["Tom"]']);

// Patches, and back to the first deployment.
const patchOperations = [{ op: "replace", path: "/deploymentId", value: deployment.id }];
const stage = await aws.send(new UpdateStageCommand({ restApiId, stageName: "v1", patchOperations }));
assert.equal(stage.deploymentId, deployment.id);
assert.deepEqual(await ask(restApiId, "v1", "/pets"), [200, '["Rex"]']);
assert.deepEqual((await aws.send(new GetStageCommand({ restApiId, stageName: "v1" }))).methodSettings, {});

// A raw body down.
const exported = await aws.send(new GetExportCommand({ restApiId, stageName: "v1", exportType: "oas30" }));
assert.equal(exported.contentType, "application/octet-stream");
assert.match(exported.contentDisposition, /^attachment; filename="oas30_1\.0\.json"$/);
assert.deepEqual(Object.keys(JSON.parse(Buffer.from(exported.body).toString()).paths), ["/pets"]);

// Lists are `items` in the SDK and `item` on the wire; pages.
const resources = await aws.send(new GetResourcesCommand({ restApiId, embed: ["methods"] }));
assert.deepEqual(resources.items.map((it) => it.path).sort(), ["/", "/pets"]);
const made = [];
for (const name of ["a", "b", "c"]) made.push((await aws.send(new CreateRestApiCommand({ name }))).id);
const listed = [];
for await (const page of paginateGetRestApis({ client: aws, pageSize: 2 }, {})) {
  assert.ok(page.items.length <= 2);
  listed.push(...page.items.map((it) => it.id));
}
assert.deepEqual(listed.sort(), [restApiId, ...made].sort());

// Labels with everything in them.
const resourceArn = `arn:aws:apigateway:us-east-1::/restapis/${restApiId}`;
await aws.send(new TagResourceCommand({ resourceArn, tags: { "of blank & ä": "x=y" } }));
assert.deepEqual((await aws.send(new GetTagsCommand({ resourceArn }))).tags, { "of blank & ä": "x=y" });

// Raw CSV.
const csv = "name,key\nfrom js,0123456789-0123456789-0123456789\n";
const keys = await aws.send(new ImportApiKeysCommand({ body: csv, format: "csv" }));
assert.equal(keys.ids.length, 1);
await aws.send(new DeleteApiKeyCommand({ apiKey: keys.ids[0] }));

// Errors have their classes.
await assert.rejects(aws.send(new GetRestApiCommand({ restApiId: "zzzzzzzzzz" })), {
  name: "NotFoundException",
  message: "Invalid API identifier specified 123456789012:zzzzzzzzzz",
});
const wrong = [{ op: "replace", path: "/wrong", value: "x" }];
await assert.rejects(aws.send(new UpdateRestApiCommand({ restApiId, patchOperations: wrong })), {
  name: "BadRequestException",
  message: "Invalid patch path /wrong",
});
const credentials = { accessKeyId: "test", secretAccessKey: "wrong" };
const liar = new APIGatewayClient({ maxAttempts: 1, credentials });
await assert.rejects(liar.send(new GetRestApiCommand({ restApiId })), (error) => {
  assert.equal(error.$metadata.httpStatusCode, 403);
  return /signature we calculated does not match/.test(error.message);
});

for (const id of [restApiId, ...made]) await aws.send(new DeleteRestApiCommand({ restApiId: id }));
await assert.rejects(aws.send(new GetRestApiCommand({ restApiId })), { name: "NotFoundException" });
console.log("the JS SDK's flow went through");
