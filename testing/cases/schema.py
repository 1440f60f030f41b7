# SPDX-License-Identifier: BSD-2-Clause
"""Validate events with the JSON Schema that the tool prints, by python3-jsonschema."""

import json
import subprocess
from pathlib import Path

import jsonschema

TOOL = Path(__file__).resolve().parents[2] / "build/EventsTrace"
# Events that are validated for each type and set of keys: each takes milliseconds, and a run has thousands.
EACH = 3


class Schema:
    """A schema document, one alternative for each event type."""

    def __init__(self, document):
        self.keys, self.validators, self.seen = {}, {}, {}
        for alternative in document["oneOf"]:
            kind = alternative["properties"]["event_type"]["const"]
            self.keys[kind] = set(alternative["properties"])
            self.validators[kind] = jsonschema.Draft202012Validator(alternative | {"$defs": document["$defs"]})

    def problem(self, record):
        """Return why a record does not match the schema; None if it does, or if enough like it have been validated."""
        kind, shape = record.get("event_type"), tuple(record)
        if kind not in self.validators:
            return "is of a type that the schema does not have"
        if unknown := set(record) - self.keys[kind]:
            return f"has keys that the schema does not: {sorted(unknown)}"
        self.seen[kind, shape] = self.seen.get((kind, shape), 0) + 1
        if self.seen[kind, shape] > EACH:
            return None
        error = jsonschema.exceptions.best_match(self.validators[kind].iter_errors(record))
        return error and f"{error.json_path}: {error.message}"


def of_tool(tool=TOOL):
    """Return the schema of a build."""
    printed = subprocess.run([tool, "--schema"], check=True, capture_output=True, text=True).stdout
    return Schema(json.loads(printed))
