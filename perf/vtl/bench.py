"""airspeed: CPU time of one render. `bench.py SECONDS CASE.json ...` prints a JSON object a line: case,
mode, ns, output. The template is parsed once; paths are split once and walked by hand, which is faster
than any JSONPath package.
"""

import functools
import json
import re
import sys
import time

import airspeed

SLICES = 7
ESCAPES = {"\\": "\\\\", '"': '\\"', "'": "\\'", "/": "\\/", "\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"}
TO_ESCAPE = re.compile("[\"'\\\\/\x00-\x1f\x7f-\uffff]")


@functools.lru_cache(None)
def steps(path):
    return [int(step) if step.isdigit() else step for step in re.findall(r"[^.$\[\]]+", path)]


def read(document, path):
    for step in steps(path):
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document


class Input:
    def __init__(self, aws, document):
        self.body, self.aws, self.document = aws["body"], aws, document

    def whole(self):
        if self.document is None:
            self.document = json.loads(self.body)
        return self.document

    def path(self, path):
        return read(self.whole(), path)

    def json(self, path):
        value = read(self.whole(), path)
        return '""' if value is None else json.dumps(value, separators=(",", ":"))

    def params(self, name=None):
        params = {place: self.aws["params"][place] for place in ("path", "querystring", "header")}
        if name is None:
            return params
        return next((map[name] for map in params.values() if name in map), "")


class Util:
    def escapeJavaScript(self, text):
        return TO_ESCAPE.sub(lambda it: ESCAPES.get(it[0]) or f"\\u{ord(it[0]):04X}", str(text))


def add_java_methods():
    """The methods of Java that the templates call and airspeed lacks, added as LocalStack adds its own."""
    methods = airspeed.__additional_methods__
    own = {
        str: {"toUpperCase": lambda text: text.upper(), "substring": lambda text, begin, end=None: text[begin:end]},
        dict: {"keySet": lambda map: list(map), "get": lambda map, key: map.get(key)},
    }
    for kind, functions in own.items():
        for name, function in functions.items():
            if not hasattr(kind, name):
                methods.setdefault(kind, {}).setdefault(name, function)


def per_render(run, seconds):
    begin, count = time.process_time_ns(), 0
    while True:
        for _ in range(5):
            run()
        count += 5
        used = time.process_time_ns() - begin
        if used >= seconds * 1e9:
            return used / count


def main():
    add_java_methods()
    seconds = float(sys.argv[1])
    for file in sys.argv[2:]:
        with open(file, encoding="utf-8") as text:
            case = json.load(text)
        aws, template = case["aws"], airspeed.Template(case["template"])

        def render(document):
            return template.merge({"input": Input(aws, document), "util": Util(), "context": aws["context"], "stageVariables": aws["stageVariables"]})

        document = json.loads(aws["body"])
        for mode, given in (("parsed", document), ("parsing", None)):
            per_render(lambda: render(given), seconds / 2)
            slices = sorted(per_render(lambda: render(given), seconds / 2 / SLICES) for _ in range(SLICES))
            print(json.dumps({"case": case["id"], "mode": mode, "ns": slices[SLICES // 2], "output": render(given)}))


main()
