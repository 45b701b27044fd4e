#!/usr/bin/env bash
# The aws-cli: from a document to traffic, rollback, canary, promotion, export, keys, plans, tags.
# Runs in an empty directory; `aws` and `curl` are on the PATH, RINGWAY_URL is where clients connect.
set -euo pipefail

fail() { echo "cli.sh: line ${BASH_LINENO[0]}: $*" >&2; exit 1; }
same() { [ "$1" = "$2" ] || { echo "cli.sh: line ${BASH_LINENO[0]}: expected '$1', got '$2'" >&2; exit 1; }; }
port=${RINGWAY_URL##*:}
ask() { curl --silent --show-error --noproxy '*' --max-time 120 "http://$id.execute-api.localhost:$port/v1$1"; }

# refused CODE MESSAGE COMMAND...: the command ends with 254 and aws-cli's words.
refused() {
    local code=$1 message=$2 output status=0
    shift 2
    output=$("$@" 2>&1) || status=$?
    [ "$status" -ne 0 ] || fail "$* was carried out"
    case $output in
    *"($code)"*"$message"*) ;;
    *) fail "$*: $output" ;;
    esac
}

petstore() { # petstore BODY: a definition that answers BODY at /pets
    cat <<END
openapi: 3.0.1
info: { title: petstore, version: '1.0' }
paths:
  /pets:
    get:
      responses: { 200: { description: fine } }
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: { application/json: '{"statusCode": 200}' }
        responses:
          default: { statusCode: 200, responseTemplates: { application/json: '$1' } }
END
}

# From a document to traffic.
petstore '["Rex"]' >petstore.yaml
id=$(aws apigateway import-rest-api --body fileb://petstore.yaml --query id --output text)
old=$(aws apigateway create-deployment --rest-api-id "$id" --stage-name v1 --query id --output text)
same '["Rex"]' "$(ask /pets)"

# The next version.
petstore '["Rex", "Tom"]' >petstore.yaml
name=$(aws apigateway put-rest-api --rest-api-id "$id" --mode overwrite --body fileb://petstore.yaml --query name --output text)
same petstore "$name"
new=$(aws apigateway create-deployment --rest-api-id "$id" --stage-name v1 --description second --query id --output text)
same '["Rex", "Tom"]' "$(ask /pets)"
same 2 "$(aws apigateway get-deployments --rest-api-id "$id" --query 'length(items)')"

# Rollback, and forward again.
for deployment in "$old" "$new" "$old"; do
    aws apigateway update-stage --rest-api-id "$id" --stage-name v1 \
        --patch-operations "op=replace,path=/deploymentId,value=$deployment" >/dev/null
done
same '["Rex"]' "$(ask /pets)"

# A canary with all the traffic, then its promotion.
petstore '["$stageVariables.pet"]' >petstore.yaml
aws apigateway put-rest-api --rest-api-id "$id" --mode overwrite --body fileb://petstore.yaml >/dev/null
canary=$(aws apigateway create-deployment --rest-api-id "$id" --stage-name v1 \
    --canary-settings '{"percentTraffic": 100, "stageVariableOverrides": {"pet": "Ada"}}' --query id --output text)
same '["Ada"]' "$(ask /pets)"
same "$old" "$(aws apigateway get-stage --rest-api-id "$id" --stage-name v1 --query deploymentId --output text)"
aws apigateway update-stage --rest-api-id "$id" --stage-name v1 --patch-operations \
    op=replace,path=/canarySettings/percentTraffic,value=0.0 \
    op=copy,from=/canarySettings/stageVariableOverrides,path=/variables \
    op=copy,from=/canarySettings/deploymentId,path=/deploymentId >/dev/null
aws apigateway update-stage --rest-api-id "$id" --stage-name v1 --patch-operations op=remove,path=/canarySettings >/dev/null
same "$canary Ada None" "$(aws apigateway get-stage --rest-api-id "$id" --stage-name v1 \
    --query '[deploymentId, variables.pet, canarySettings]' --output text | tr '\t' ' ')"
same '["Ada"]' "$(ask /pets)"

# Settings of methods: a path with slashes.
aws apigateway update-stage --rest-api-id "$id" --stage-name v1 \
    --patch-operations 'op=replace,path=/~1pets/GET/throttling/rateLimit,value=5.5' >settings.json
grep -q '"throttlingRateLimit": 5.5' settings.json || fail "$(cat settings.json)"

# Export: a raw body into a file.
aws apigateway get-export --rest-api-id "$id" --stage-name v1 --export-type oas30 \
    --parameters extensions=apigateway --accepts application/yaml exported.yaml >export.json
grep -q 'x-amazon-apigateway-integration' exported.yaml || fail "$(cat exported.yaml)"
grep -q 'oas30_1.0' export.json || fail "$(cat export.json)"
again=$(aws apigateway import-rest-api --body fileb://exported.yaml --query id --output text)
aws apigateway delete-rest-api --rest-api-id "$again"

# Resource by resource.
root=$(aws apigateway get-resources --rest-api-id "$id" --query "items[?path=='/'].id" --output text)
toys=$(aws apigateway create-resource --rest-api-id "$id" --parent-id "$root" --path-part toys --query id --output text)
labels=(--rest-api-id "$id" --resource-id "$toys" --http-method GET)
aws apigateway put-method "${labels[@]}" --authorization-type NONE >/dev/null
aws apigateway put-method-response "${labels[@]}" --status-code 200 >/dev/null
aws apigateway put-integration "${labels[@]}" --type MOCK --request-templates '{"application/json": "{\"statusCode\": 200}"}' >/dev/null
aws apigateway put-integration-response "${labels[@]}" --status-code 200 --response-templates '{"application/json": "[]"}' >/dev/null
same 200 "$(aws apigateway test-invoke-method "${labels[@]}" --query status)"
aws apigateway create-deployment --rest-api-id "$id" --stage-name v1 >/dev/null
same '[]' "$(ask /toys)"

# Keys and plans.
key=$(aws apigateway create-api-key --name mobile --enabled --query id --output text)
value=$(aws apigateway get-api-key --api-key "$key" --include-value --query value --output text)
same 40 "${#value}"
plan=$(aws apigateway create-usage-plan --name gold --throttle burstLimit=10,rateLimit=5 --quota limit=1000,period=MONTH \
    --api-stages "apiId=$id,stage=v1" --query id --output text)
aws apigateway create-usage-plan-key --usage-plan-id "$plan" --key-id "$key" --key-type API_KEY >/dev/null
same "$key" "$(aws apigateway get-usage-plan-keys --usage-plan-id "$plan" --query 'items[].id' --output text)"
aws apigateway update-usage-plan --usage-plan-id "$plan" --patch-operations "op=remove,path=/apiStages,value=$id:v1" >/dev/null
aws apigateway delete-usage-plan-key --usage-plan-id "$plan" --key-id "$key"
aws apigateway delete-usage-plan --usage-plan-id "$plan"
aws apigateway delete-api-key --api-key "$key"

# Tags.
arn="arn:aws:apigateway:us-east-1::/restapis/$id"
aws apigateway tag-resource --resource-arn "$arn" --tags team=pets,stage=trial
aws apigateway untag-resource --resource-arn "$arn" --tag-keys stage
same pets "$(aws apigateway get-tags --resource-arn "$arn" --query tags.team --output text)"

# Pages, as the cli makes them by itself.
same 1 "$(aws apigateway get-rest-apis --page-size 1 --query 'length(items)')"

# Refusals.
refused NotFoundException 'Invalid API identifier specified 123456789012:zzzzzzzzzz' \
    aws apigateway get-rest-api --rest-api-id zzzzzzzzzz
refused BadRequestException 'Active stages pointing to this deployment must be moved or deleted' \
    aws apigateway delete-deployment --rest-api-id "$id" --deployment-id \
    "$(aws apigateway get-stage --rest-api-id "$id" --stage-name v1 --query deploymentId --output text)"
refused InvalidSignatureException 'The request signature we calculated does not match' \
    env AWS_SECRET_ACCESS_KEY=wrong aws apigateway get-rest-apis
refused UnrecognizedClientException 'The security token included in the request is invalid.' \
    env AWS_ACCESS_KEY_ID=stranger aws apigateway get-rest-apis
output=$(aws --no-sign-request apigateway get-rest-apis 2>&1) && fail "unsigned: $output"
case $output in *'Missing Authentication Token'*) ;; *) fail "unsigned: $output" ;; esac

# The end.
aws apigateway delete-stage --rest-api-id "$id" --stage-name v1
aws apigateway delete-rest-api --rest-api-id "$id"
echo "the aws-cli's flow went through"
