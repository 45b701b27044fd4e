"""Runs docs/aws-tools.md: writes its files, runs its commands in one shell, in their order.

The page's first command is `ringway serve`: `tests/aws.rs` has started it without a configuration, but on free
ports. The page's addresses are replaced by the real ones, and nothing else.
What `curl` prints has to be what the page's definitions answer.

A block's first word is its language. `sh` is run; another block has a second word, its file.
"""

import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "aws-tools.md"
MODULES = pathlib.Path(__file__).parent / "js" / "node_modules"
# Of each `curl`, in their order.
ANSWERS = ['["Rex"]', '["Tom"]', '["Rex"]', '["Tom"]', '["Tom"]', '["Ada"]']


def blocks():
    """Language, file and text of every block."""
    found = re.findall(r"^```(.*)\n((?:.*\n)*?)```$", PAGE.read_text(), re.MULTILINE)
    made = []
    for header, text in found:
        language, _, file = header.partition(" ")
        if (language == "sh") == bool(file):
            sys.exit(f"```{header}: a block is `sh`, or a language and a file")
        made.append((language, file, text))
    return made


def here(text):
    """The page's addresses as they are here."""
    traffic = urllib.parse.urlsplit(os.environ["RINGWAY_URL"])
    return text.replace("http://127.0.0.1:9080", os.environ["RINGWAY_ADMIN"]).replace(":8080", f":{traffic.port}")


def main():
    (language, _, first), *rest = blocks()
    if (language, first) != ("sh", "ringway serve\n"):
        sys.exit(f"the page begins with {first!r}, and tests/aws.rs with `ringway serve`")
    os.symlink(MODULES, "node_modules")
    os.symlink(os.environ["RINGWAY_STORE"], "ringway-data")
    script = [
        "set -euo pipefail",
        'curl() { command curl --silent --show-error --noproxy "*" "$@" >>answers; echo >>answers; }',
    ]
    for language, file, text in rest:
        if language == "sh":
            script.append(here(text))
        else:
            pathlib.Path(file).write_text(here(text))
    # Not in the page's environment: only what the page sets may count.
    environment = {key: it for key, it in os.environ.items() if not key.startswith("AWS_")}
    environment.update(AWS_CONFIG_FILE="none", AWS_EC2_METADATA_DISABLED="true", AWS_PAGER="")
    subprocess.run(["bash", "-c", "\n".join(script)], check=True, env=environment)
    answers = pathlib.Path("answers").read_text().splitlines()
    if answers != ANSWERS:
        sys.exit(f"curl printed {answers}, the page's definitions answer {ANSWERS}")
    if "x-amazon-apigateway-integration" not in pathlib.Path("exported.yaml").read_text():
        sys.exit("exported.yaml has no integrations")
    print(f"{PAGE.name}: {len(rest) + 1} blocks went through")


if __name__ == "__main__":
    main()
