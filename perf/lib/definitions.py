"""Ringway's definitions that are too long to commit; the short one is in `perf/definitions/`."""


def mock_routes(count, body):
    """An OpenAPI file of `count` MOCK routes, all answering `body`.

    The routes differ in depth and in their variables, as those of an API that has grown do.
    """
    lines = ["openapi: 3.0.1", 'info: {title: perf-mock, version: "1"}', "paths:"]
    for index in range(count):
        path = mock_path(index)
        lines += [f"  {path}:", "    get:"]
        variables = [segment[1:-1] for segment in path.split("/") if segment.startswith("{")]
        if variables:
            lines.append("      parameters:")
            lines += [
                f"        - {{name: {name}, in: path, required: true, schema: {{type: string}}}}"
                for name in variables
            ]
        lines += [
            '      responses: {"200": {description: ok}}',
            "      x-amazon-apigateway-integration:",
            "        type: mock",
            "        requestTemplates:",
            "          application/json: '{\"statusCode\": 200}'",
            "        responses:",
            "          default:",
            '            statusCode: "200"',
            "            responseTemplates:",
            f"              application/json: '{body}'",
        ]
    return "\n".join(lines) + "\n"


def mock_path(index):
    """`/group-13/items-137`, every second one with a variable below it."""
    path = f"/group-{index // 10}/items-{index}"
    return path + "/{id}" if index % 2 else path
